"""What containers mount: volumes at paths, and block devices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from trainc.kube.validation.forms import no_backsteps, relative_path
from trainc.kube.validation.problem import Node, Path, PodProblem, Problems, one_of, shown

_CHECK: Final = "mount"
_PROPAGATION: Final = ("None", "HostToContainer", "Bidirectional")
_RECURSIVE: Final = ("Disabled", "IfPossible", "Enabled")


def mounts(container: Node, volumes: Mapping[str, Node], at: Path) -> Problems:
    """Checks a container's ``volumeMounts`` and ``volumeDevices`` against the Pod's volumes."""
    given = container.get("volumeMounts") or ()
    devices = container.get("volumeDevices") or ()
    if given:
        yield from _mounts(given, volumes, container, (*at, "volumeMounts"))
    if devices:
        yield from _devices(devices, given, volumes, (*at, "volumeDevices"))


def _mounts(
    given: Sequence[Node], volumes: Mapping[str, Node], container: Node, at: Path
) -> Problems:
    paths: set[str] = set()
    for i, mount in enumerate(given):
        name, path = mount.get("name", ""), mount.get("mountPath", "")
        if name not in volumes:
            known = f"; there are {', '.join(sorted(volumes))}" if volumes else "; it has none"
            hint = "name a volume of the Pod or a template of the JobSet's volumeClaimPolicies"
            message = f"{shown(name)} is not a volume of the Pod{known}"
            yield PodProblem((*at, i, "name"), message, hint, _CHECK)
        if not path:
            yield PodProblem((*at, i, "mountPath"), "must be set", check=_CHECK)
        if path in paths:
            message = f"{shown(path)} is mounted twice in this container"
            yield PodProblem((*at, i, "mountPath"), message, check=_CHECK)
        paths.add(path)
        if len(mount) > 2:
            yield from _settings(mount, container, (*at, i))


def _settings(mount: Node, container: Node, at: Path) -> Problems:
    for key in ("subPath", "subPathExpr"):
        if mount.get(key) and (wrong := relative_path(mount[key])):
            yield PodProblem((*at, key), f"{wrong}, got {shown(mount[key])}", check=_CHECK)
    if mount.get("subPath") and mount.get("subPathExpr"):
        yield PodProblem((*at, "subPathExpr"), "must not be set beside subPath", check=_CHECK)
    propagation = mount.get("mountPropagation")
    if propagation is not None and propagation not in _PROPAGATION:
        where = (*at, "mountPropagation")
        yield PodProblem(where, one_of(propagation, _PROPAGATION), check=_CHECK)
    privileged = (container.get("securityContext") or {}).get("privileged")
    if propagation == "Bidirectional" and not privileged:
        message = "must not be Bidirectional in a container that is not privileged"
        yield PodProblem((*at, "mountPropagation"), message, check=_CHECK)
    yield from _recursive(mount, at)


def _recursive(mount: Node, at: Path) -> Problems:
    recursive, where = mount.get("recursiveReadOnly"), (*at, "recursiveReadOnly")
    if recursive is None or recursive == "Disabled":
        return
    if recursive not in _RECURSIVE:
        yield PodProblem(where, one_of(recursive, _RECURSIVE), check=_CHECK)
        return
    if not mount.get("readOnly"):
        yield PodProblem(where, "needs readOnly: true", check=_CHECK)
    if mount.get("mountPropagation", "None") != "None":
        yield PodProblem(where, "must not be set beside a mountPropagation", check=_CHECK)


def _devices(
    given: Sequence[Node], mounted: Sequence[Node], volumes: Mapping[str, Node], at: Path
) -> Problems:
    taken = {mount.get("name", "") for mount in mounted}
    paths = {mount.get("mountPath", "") for mount in mounted}
    for i, device in enumerate(given):
        name, path = device.get("name", ""), device.get("devicePath", "")
        volume = volumes.get(name)
        if volume is None:
            message = f"{shown(name)} is not a volume of the Pod"
            yield PodProblem((*at, i, "name"), message, check=_CHECK)
        elif "persistentVolumeClaim" not in volume and "ephemeral" not in volume:
            message = "must be a volume of kind persistentVolumeClaim or ephemeral"
            yield PodProblem((*at, i, "name"), message, check=_CHECK)
        if name in taken:
            message = f"{shown(name)} is used twice in this container"
            yield PodProblem((*at, i, "name"), message, check=_CHECK)
        wrong = "must be set" if not path else no_backsteps(path)
        if wrong or path in paths:
            message = wrong or f"{shown(path)} is used twice in this container"
            yield PodProblem((*at, i, "devicePath"), message, check=_CHECK)
        taken.add(name)
        paths.add(path)
