"""``--on-change replace``: the note that lets a GitOps tool recreate what cannot be changed.

In: the objects of a plan and the tool. Out: the same, those whose fields are immutable annotated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from trainc.plan.plan import Object

# Kinds whose spec the API server refuses to change.
_IMMUTABLE: Final = frozenset({"JobSet", "TrainJob"})
# Argo CD runs kubectl replace --force for such an object in every sync, changed or not, and in its
# dry run (gitops-engine, applyObject; argo-cd#24005).
ARGOCD_MESSAGE: Final = "with Argo CD replace recreates every job at every sync, changed or not"
ARGOCD_HINT: Final = "write rename: a changed job is another object, and no other is touched"

ANNOTATIONS: Final = {
    "argocd": ("argocd.argoproj.io/sync-options", "Force=true,Replace=true"),
    "flux": ("kustomize.toolkit.fluxcd.io/force", "enabled"),
}


def replaced(objects: Iterable[Object], profile: str) -> tuple[Object, ...]:
    """The objects, those that are immutable marked for the tool to recreate.

    Options that Argo CD is already given stay; ours go behind them.
    """
    if profile not in ANNOTATIONS:
        return tuple(objects)
    key, value = ANNOTATIONS[profile]
    return tuple(
        each._replace(manifest=_annotated(each.manifest, key, value))
        if each.manifest["kind"] in _IMMUTABLE
        else each
        for each in objects
    )


def _annotated(manifest: Mapping[str, Any], key: str, value: str) -> dict[str, Any]:
    metadata = manifest["metadata"]
    annotations = dict(metadata.get("annotations") or {})
    given = annotations.get(key, "")
    wanted = [part for part in value.split(",") if part not in given.split(",")]
    if "," in value:
        annotations[key] = ",".join([*filter(None, [given]), *wanted])
    else:
        annotations.setdefault(key, value)
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}
