"""What changed a runtime under Trainer 2.0 and 2.1, as ``runtimePatches`` (2.2 and later).

Source: kubeflow/trainer#3309. ``podTemplateOverrides`` (2.1) and ``podSpecOverrides`` (2.0) are
strategic merges on the pod template of each target, one after another: each becomes the patch of a
manager of its own, in the same order. ``spec.labels`` and ``spec.annotations`` reached the JobSet.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from trainc.edit.migration.part import Lost, Part, keep_comment, new
from trainc.edit.migration.sequence import as_written, listed

NEW = "runtimePatches"
OVERRIDES = ("podTemplateOverrides", "podSpecOverrides")
METADATA = ("labels", "annotations")
OLD = (*OVERRIDES, *METADATA)
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


def patches_of(spec: Mapping[str, Any], manager: str, lost: list[Lost]) -> list[Any]:
    """``runtimePatches`` for a TrainJob's spec: those it has, and those its old fields become.

    Args:
        spec: The spec; its other fields do not matter.
        manager: Whom the patches are by, ``domain/path``; further ones get a number.
        lost: Takes what a patch cannot say.
    """
    whole = Part(spec, ("spec",), lost)
    managers = {str(each.node.get("manager")) for each in whole.items(NEW)}
    patches: list[Any] = []
    for key in OVERRIDES:
        for override in whole.items(key):
            pod = _pod(override, flat=key == "podSpecOverrides")
            patches.append(_patch(override, pod, _free(manager, managers)))
    metadata = new()
    for key in METADATA:
        if whole.part(key).node:
            whole.move(key, metadata)
    if metadata:
        if not patches:
            empty = new()
            empty["manager"] = _free(manager, managers)
            empty["trainingRuntimeSpec"] = new(template=new(metadata=metadata))
            return listed([*_own(spec), empty], [_own(spec)])
        patches[0]["trainingRuntimeSpec"]["template"]["metadata"] = metadata
    return listed([*_own(spec), *patches], [_own(spec), *(spec.get(key) for key in OVERRIDES)])


def _own(spec: Mapping[str, Any]) -> list[Any]:
    own = spec.get(NEW)
    return own if isinstance(own, list) else []


def _free(manager: str, taken: set[str]) -> str:
    """A name that no patch has yet."""
    name, number = manager, 1
    while name in taken:
        number += 1
        name = f"{manager}-{number}"
    taken.add(name)
    return name


def _pod(override: Part, *, flat: bool) -> dict[str, Any]:
    """The pod template that an override merges; a flat one has the fields of its spec."""
    pod = new()
    if flat:
        override.drop("targetJobs")
        spec = Part({k: v for k, v in override.node.items() if k != "targetJobs"}, override.path,
                    override.lost)  # fmt: skip
        override.drop(*spec.node)
        made = _pod_spec(spec, override.node)
        if made:
            pod["spec"] = made
        return pod
    metadata, kept = override.part("metadata"), new()
    for key in METADATA:  # the operator took no others
        metadata.move(key, kept)
    if kept:
        pod["metadata"] = kept
        keep_comment(override.node, "metadata", pod, "metadata")
    spec = override.part("spec")
    if spec.node:
        pod["spec"] = _pod_spec(spec, spec.node)
        keep_comment(override.node, "spec", pod, "spec")
    return pod


def _patch(override: Part, pod: dict[str, Any], manager: str) -> dict[str, Any]:
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


def _pod_spec(spec: Part, source: Mapping[str, Any]) -> dict[str, Any]:
    out = new()
    for key in _FIELDS:
        if spec.take(key) is not None:
            out[key] = spec.node[key]
            keep_comment(source, key, out, key)
    for place in ("initContainers", "containers"):
        for container in spec.items(place):
            container.drop("name", "env", "volumeMounts", "securityContext")
            container.close(dict.fromkeys(container.node, _NO_PATCH))
    spec.close(dict.fromkeys(spec.node, _NO_PATCH))
    return as_written(source, out)
