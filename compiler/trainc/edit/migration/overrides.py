"""``podTemplateOverrides`` (Trainer v2.1) to ``runtimePatches`` (v2.2 and later).

Source: kubeflow/trainer#3309. Each override becomes the patch of a manager of its own, in the same
order: a later one goes before an earlier one in both.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from trainc.edit.migration.part import Lost, Part, keep_comment, listed, new

OLD = "podTemplateOverrides"
NEW = "runtimePatches"
_FIELDS = (
    "serviceAccountName",
    "nodeSelector",
    "affinity",
    "tolerations",
    "volumes",
    "initContainers",
    "containers",
    "schedulingGates",
    "imagePullSecrets",
    "securityContext",
    "terminationGracePeriodSeconds",
)
_NO_PATCH = "a runtimePatch cannot say it: write it in the runtime, or in an overlay"


def with_patches(job: dict[str, Any], manager: str, lost: list[Lost]) -> dict[str, Any]:
    """The TrainJob, changed in place, with patches instead of overrides."""
    spec = job["spec"]
    whole = Part(spec, ("spec",), lost)
    managers = {str(each.node.get("manager")) for each in whole.items(NEW)}
    patches = [_patch(each, _free(manager, managers)) for each in whole.items(OLD)]
    moved = new()
    for key, value in spec.items():
        if key != NEW:
            name = NEW if key == OLD else key
            moved[name] = _together(spec, patches) if key == OLD else value
            keep_comment(spec, key, moved, name)
    job["spec"] = moved
    return job


def _together(spec: dict[str, Any], patches: list[Any]) -> list[Any]:
    known = spec[NEW] if isinstance(spec.get(NEW), list) else []
    return listed([*known, *patches], [known, spec[OLD]])


def _free(manager: str, taken: set[str]) -> str:
    """A name that no patch has yet."""
    name, number = manager, 1
    while name in taken:
        number += 1
        name = f"{manager}-{number}"
    taken.add(name)
    return name


def _patch(override: Part, manager: str) -> dict[str, Any]:
    pod = new()
    override.move("metadata", pod)
    spec = override.part("spec")
    if spec.node:
        pod["spec"] = _pod_spec(spec)
        keep_comment(override.node, "spec", pod, "spec")
    jobs: dict[str, Any] = {}
    for target in override.items("targetJobs"):
        name = target.take("name")
        target.close()
        template = new(spec=new(template=deepcopy(pod)))
        jobs[str(name)] = new(name=name, template=template)  # one named twice is one
    if not jobs:
        override.lose("names no targetJobs: a patch is for jobs by name")
    override.close()
    template = new(spec=new(replicatedJobs=[*jobs.values()]))
    return new(manager=manager, trainingRuntimeSpec=new(template=template))


def _pod_spec(spec: Part) -> dict[str, Any]:
    out = new()
    for key in _FIELDS:
        spec.move(key, out)
    for place in ("initContainers", "containers"):
        for container in spec.items(place):
            container.drop("name", "env", "volumeMounts", "securityContext")
            container.close(dict.fromkeys(container.node, _NO_PATCH))
    spec.close(dict.fromkeys(spec.node, _NO_PATCH))
    return out
