"""Initializers that can write to a fresh volume: the group of trainc's own images.

In: an initializer's pod set. Out: the same with ``fsGroup`` where its image is one of ours by name
and nobody chose a group. The images run as uid 65532 and a new volume belongs to root, so without
it the initializer ends with 77 for ever.
"""

from __future__ import annotations

from typing import Any, Final

from trainc import names
from trainc.info.podset import PodSet

_GROUP: Final = 65532  # USER of deploy/images/initializers.Containerfile
_INITIALIZERS: Final = (names.DATASET_INITIALIZER, names.MODEL_INITIALIZER)


def with_group(pod_set: PodSet) -> PodSet:
    """The pod set with the group of the image; as it is where that is not needed."""
    name = next((n for n in _INITIALIZERS if n in (pod_set.ancestor, pod_set.name)), None)
    context = pod_set.pod.get("securityContext") or {}
    if name is None or "fsGroup" in context or not any(_writes(c, name) for c in _all(pod_set)):
        return pod_set
    template = pod_set.raw["template"]
    pod_template = template["spec"]["template"]
    pod: dict[str, Any] = {
        **pod_template.get("spec", {}),
        "securityContext": {**context, "fsGroup": _GROUP},
    }
    spec = {**template["spec"], "template": {**pod_template, "spec": pod}}
    return pod_set._replace(raw={**pod_set.raw, "template": {**template, "spec": spec}})


def _all(pod_set: PodSet) -> tuple[Any, ...]:
    return (*pod_set.containers, *pod_set.init_containers)


def _writes(container: Any, name: str) -> bool:
    """Whether it is the initializer, of an image called so, and mounts something."""
    image = (container.image or "").rpartition("/")[2].partition("@")[0].partition(":")[0]
    return bool(container.name == name and image == name and container.mounts)
