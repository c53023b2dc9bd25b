"""``pvc://CLAIM/path``: the claim mounted where the initializer's program looks for it."""

from __future__ import annotations

from typing import Final

from trainc import names
from trainc.info.podset import Container, PodSet

_SCHEME: Final = "pvc://"
_VOLUME: Final = "initializer-source"


def with_claim(pod_set: PodSet, container: str, uri: str) -> PodSet:
    """The initializer with the claim of a ``pvc://`` URI mounted read-only; else as it is.

    Args:
        pod_set: The initializer's pods.
        container: Name of the container that reads it.
        uri: The storage URI.
    """
    claim = uri.removeprefix(_SCHEME).partition("/")[0] if uri.startswith(_SCHEME) else ""
    if not claim:
        return pod_set
    source = {"claimName": claim, "readOnly": True}
    mount = {"name": _VOLUME, "mountPath": f"{names.PVC_ROOT}/{claim}", "readOnly": True}

    def change(each: Container) -> Container:
        return each.with_mounts(mount) if each.name == container else each

    pod_set = pod_set._replace(containers=tuple(change(each) for each in pod_set.containers))
    return pod_set.with_volumes({"name": _VOLUME, "persistentVolumeClaim": source})
