"""trainc turns files into files: training specs in, Kubernetes manifests out.

Data passes six rooms, once, left to right; every noun is frozen:

    files --load--> Source --resolve--> Spec --prepare--> Info --enforce--> Info --plan--> Plan
    Plan --emit--> Manifests --write--> out/

| noun | what it is | room |
|---|---|---|
| Source | documents; each entry knows its file, line and column | source/ |
| Spec | a TrainJob and the runtime it names, checked, patches applied | spec/ |
| Info | the job as policies see it: pod sets, containers, env, ports | info/ |
| Plan | the objects that shall exist, each with its origin | plan/ |
| Manifests | file name to text, the same bytes each time | manifest/ |

Beside the rooms: ``policies/`` (one file a policy, found by ``policy.py``), ``kube/`` (facts of
Kubernetes that know nothing of trainc), the leaves ``names.py`` and ``errors.py``, ``compile.py``
(many jobs, no files),
``pipeline.py`` (files, libraries, flags), ``api.py`` (the same for Python) and ``cli/``.
``project/`` is ``trainc.yaml`` and its environments; ``edit/`` changes the user's own files.
``controller/``, ``initializers/`` and ``cache/`` run in a cluster and are programs of their own;
the last two share ``storage/`` (schemes, Amazon's settings).

Imports point right, never back, and a test holds them to it:

    cli > pipeline, api > compile > manifest > plan > policies > policy > info > spec > source >
    kube > leaves
"""

from __future__ import annotations

from trainc.version import __version__

TYPE_CHECKING = False  # typing's own costs every start 8 ms
if TYPE_CHECKING:
    from typing import Any

    from trainc.api import Build, build

__all__ = ["Build", "__version__", "build"]


def __getattr__(name: str) -> Any:
    """Loads the compiler when it is asked for: ``trainc --version`` must not."""
    if name in ("Build", "build"):
        from trainc import api

        return getattr(api, name)
    raise AttributeError(f"module 'trainc' has no attribute {name!r}")
