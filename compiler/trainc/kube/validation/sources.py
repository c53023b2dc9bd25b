"""What the rarer volume sources must hold: fields that must be set, and numbers in bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trainc.kube.validation.problem import Node, Path, PodProblem, Problems

_CHECK: Final = "volume"

REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "awsElasticBlockStore": ("volumeID",),
    "azureDisk": ("diskName", "diskURI"),
    "azureFile": ("secretName", "shareName"),
    "cephfs": ("monitors",),
    "cinder": ("volumeID",),
    "fc": (),
    "flexVolume": ("driver",),
    "flocker": (),
    "gcePersistentDisk": ("pdName",),
    "gitRepo": ("repository",),
    "glusterfs": ("endpoints", "path"),
    "iscsi": ("targetPortal", "iqn"),
    "nfs": ("server", "path"),
    "photonPersistentDisk": ("pdID",),
    "portworxVolume": ("volumeID",),
    "quobyte": ("registry", "volume"),
    "rbd": ("monitors", "image"),
    "scaleIO": ("gateway", "system", "volumeName"),
    "storageos": ("volumeName",),
    "vsphereVolume": ("volumePath",),
}
_BOUNDED: Final = ("partition", "lun")


def required(kind: str, source: Node, at: Path) -> Problems:
    """Checks a source of one of the kinds in ``REQUIRED``."""
    for key in REQUIRED[kind]:
        if not source.get(key):
            yield PodProblem((*at, key), "must be set", check=_CHECK)
    for key in _BOUNDED:
        if not 0 <= source.get(key, 0) <= 255:
            message = f"must be between 0 and 255, got {source[key]}"
            if kind != "fc" or source.get("targetWWNs"):
                yield PodProblem((*at, key), message, check=_CHECK)
    if kind == "nfs" and source.get("path") and not source["path"].startswith("/"):
        yield PodProblem((*at, "path"), "must be an absolute path", check=_CHECK)
    if kind == "fc" and source.get("targetWWNs") and "lun" not in source:
        yield PodProblem((*at, "lun"), "must be set beside targetWWNs", check=_CHECK)
    if kind == "fc" and bool(source.get("targetWWNs")) == bool(source.get("wwids")):
        yield PodProblem(at, "must have either targetWWNs or wwids", check=_CHECK)
    if kind == "flocker" and bool(source.get("datasetName")) == bool(source.get("datasetUUID")):
        yield PodProblem(at, "must have either datasetName or datasetUUID", check=_CHECK)
