"""JSON Schemas of everything that goes in and comes out, for editors and for kubeconform.

In: nothing. Out: file name -> schema, self-contained, draft 4. The inputs' schemas know the
policies that are installed; CEL rules are more than a JSON Schema can say.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any, Final, Literal

from trainc import names
from trainc.kube.schema import Extensions, tree
from trainc.policy import discover
from trainc.project.file import SCHEMA
from trainc.settings import schema as settings_schema
from trainc.spec.compat import POLICIES, Compat

Layout = Literal["plain", "kubeconform"]

DRAFT: Final = "http://json-schema.org/draft-04/schema#"
PROJECT: Final = "trainc"
"""Name of the schema of ``trainc.yaml``."""
ANY: Final = "any"
"""Name of the schema of files that hold TrainJobs and runtimes side by side."""
INPUTS: Final = (names.TRAIN_JOB, *names.RUNTIME_KINDS)
VERSIONS: Final = {
    **dict.fromkeys(INPUTS, names.API_VERSION),
    "JobSet": "jobset.x-k8s.io/v1alpha2",
    "LeaderWorkerSet": "leaderworkerset.x-k8s.io/v1",
    "PodGroup": "scheduling.x-k8s.io/v1alpha1",
    "PodGroup.scheduling.volcano.sh": "scheduling.volcano.sh/v1beta1",
}
"""The kinds of Kubernetes there are schemas of -> their ``apiVersion``."""


def exported(layout: Layout) -> dict[str, dict[str, Any]]:
    """All schemas by the names of their files.

    Args:
        layout: ``plain`` is ``trainjob.json``, and ``trainc.json`` and ``any.json`` beside it;
            ``kubeconform`` is ``trainer.kubeflow.org/trainjob_v1alpha1.json``, as its template
            ``{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json`` has it.
    """
    if layout == "kubeconform":
        return {_catalogued(kind): of_kind(kind) for kind in VERSIONS}
    found = {f"{kind.lower()}.json": of_kind(kind) for kind in VERSIONS}
    return {**found, f"{PROJECT}.json": of_project(), f"{ANY}.json": of_any()}


def of_kind(kind: str) -> dict[str, Any]:
    """The schema of one kind; it refuses every other.

    Raises:
        KeyError: There is none of that kind.
    """
    version, bare = VERSIONS[kind], _bare(kind)
    schema = copy.deepcopy(tree(kind, _extensions() if kind in names.RUNTIME_KINDS else ()))
    schema["properties"]["apiVersion"] = {"type": "string", "enum": [version]}
    schema["properties"]["kind"] = {"type": "string", "enum": [bare]}
    required = sorted({*schema.get("required", ()), "apiVersion", "kind", "metadata"})
    return {"$schema": DRAFT, "title": bare, **schema, "required": required}


def of_project() -> dict[str, Any]:
    """The schema of ``trainc.yaml``."""
    found: dict[str, Any] = json.loads(SCHEMA.read_bytes())
    return found


def of_any() -> dict[str, Any]:
    """The schema of a document that is one of the inputs."""
    return {"$schema": DRAFT, "oneOf": [{"$ref": f"{kind.lower()}.json"} for kind in INPUTS]}


def name_for(kinds: Mapping[str, object] | set[str], is_project: bool) -> str | None:
    """The schema, in the plain layout, of a file that holds these kinds; None where none fits.

    Args:
        kinds: The kinds of its documents.
        is_project: Whether it is ``trainc.yaml``.
    """
    if is_project:
        return f"{PROJECT}.json"
    if not kinds or not set(kinds) <= set(VERSIONS):
        return None
    if len(kinds) == 1:
        return f"{next(iter(kinds)).lower()}.json"
    return f"{ANY}.json" if set(kinds) <= set(INPUTS) else None


def kind_of(root: Mapping[str, Any]) -> str:
    """The name in ``VERSIONS`` of an object's kind, or what it says where there is none."""
    kind = str(root.get("kind"))
    qualified = f"{kind}.{str(root.get('apiVersion')).partition('/')[0]}"
    return qualified if qualified in VERSIONS else kind


def _catalogued(kind: str) -> str:
    group, _, version = VERSIONS[kind].partition("/")
    return f"{group}/{_bare(kind).lower()}_{version}.json"


def _bare(kind: str) -> str:
    """The kind as an object says it, without the group that tells two of them apart."""
    return kind.partition(".")[0]


def _extensions() -> Extensions:
    """The settings of the policies that the reference does not have."""
    found = discover(Compat(None))
    return tuple(
        (key, json.dumps(settings_schema(found[key].settings), sort_keys=True))
        for key in sorted(found)
        if key not in POLICIES
    )
