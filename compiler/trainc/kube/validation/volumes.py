"""Volumes of a Pod: their names, one source each, and what the common sources must hold.

A volume without any source is an emptyDir: the API server makes it one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from trainc.kube.validation.claims import claim_spec
from trainc.kube.validation.env import field_ref, resource_field_ref
from trainc.kube.validation.forms import dns_label, dns_subdomain, file_path, no_backsteps
from trainc.kube.validation.metadata import metadata
from trainc.kube.validation.problem import Node, Path, PodProblem, Problems, one_of, shown
from trainc.kube.validation.resources import amount
from trainc.kube.validation.sources import REQUIRED, required

_CHECK: Final = "volume"
_HOST_PATH_TYPES: Final = (
    "",
    "DirectoryOrCreate",
    "Directory",
    "FileOrCreate",
    "File",
    "Socket",
    "CharDevice",
    "BlockDevice",
)
_PULL: Final = ("Always", "IfNotPresent", "Never")
VOLUME_FIELDS: Final = (
    "metadata.name",
    "metadata.namespace",
    "metadata.labels",
    "metadata.annotations",
    "metadata.uid",
)


def volumes(given: Sequence[Node], at: Path) -> Problems:
    """Checks a Pod's ``volumes``."""
    seen: set[str] = set()
    for i, volume in enumerate(given):
        name = volume.get("name", "")
        if wrong := dns_label(name):
            yield PodProblem((*at, i, "name"), f"{wrong}, got {shown(name)}", check="name")
        if name in seen:
            message = f"{shown(name)} is the name of another volume too"
            yield PodProblem((*at, i, "name"), message, check=_CHECK)
        seen.add(name)
        yield from _source(volume, (*at, i))


def _source(volume: Node, at: Path) -> Problems:
    kinds = [kind for kind, source in volume.items() if kind != "name" and source is not None]
    if len(kinds) > 1:
        hint = "keep one of them"
        message = f"must have one source, has {' and '.join(kinds)}"
        yield PodProblem(at, message, hint, _CHECK)
    for kind in kinds:
        check = _SOURCES.get(kind)
        if check is not None:
            yield from check(volume[kind], (*at, kind))
        elif kind in REQUIRED:
            yield from required(kind, volume[kind], (*at, kind))


def _empty_dir(source: Node, at: Path) -> Problems:
    if "sizeLimit" in source and amount(source["sizeLimit"]).nanos < 0:
        yield PodProblem((*at, "sizeLimit"), "must not be negative", check=_CHECK)


def _host_path(source: Node, at: Path) -> Problems:
    path = source.get("path", "")
    wrong = no_backsteps(path) if path else "must be set"
    if wrong:
        yield PodProblem((*at, "path"), f"{wrong}, got {shown(path)}", check=_CHECK)
    kind = source.get("type", "")
    if kind not in _HOST_PATH_TYPES:
        yield PodProblem((*at, "type"), one_of(kind, _HOST_PATH_TYPES), check=_CHECK)


def _secret(source: Node, at: Path) -> Problems:
    if not source.get("secretName"):
        yield PodProblem((*at, "secretName"), "must be set", check=_CHECK)
    yield from _mode(source, "defaultMode", at)
    yield from _items(source, at)


def _config_map(source: Node, at: Path) -> Problems:
    if not source.get("name"):
        yield PodProblem((*at, "name"), "must be set", check=_CHECK)
    yield from _mode(source, "defaultMode", at)
    yield from _items(source, at)


def _claim(source: Node, at: Path) -> Problems:
    if not source.get("claimName"):
        yield PodProblem((*at, "claimName"), "must be set", check=_CHECK)


def _ephemeral(source: Node, at: Path) -> Problems:
    template = source.get("volumeClaimTemplate")
    if template is None:
        yield PodProblem((*at, "volumeClaimTemplate"), "must be set", check=_CHECK)
        return
    meta = template.get("metadata") or {}
    yield from metadata(meta, (*at, "volumeClaimTemplate", "metadata"))
    for key, value in meta.items():
        if value and key not in ("labels", "annotations"):
            where = (*at, "volumeClaimTemplate", "metadata", key)
            yield PodProblem(where, "must not be set here", check=_CHECK)
    yield from claim_spec(template.get("spec") or {}, (*at, "volumeClaimTemplate", "spec"))


def _downward(source: Node, at: Path) -> Problems:
    yield from _mode(source, "defaultMode", at)
    for i, item in enumerate(source.get("items") or ()):
        yield from _downward_file(item, (*at, "items", i))


def _downward_file(item: Node, at: Path) -> Problems:
    if wrong := file_path(item.get("path", "")):
        yield PodProblem((*at, "path"), f"{wrong}, got {shown(item.get('path'))}", check=_CHECK)
    yield from _mode(item, "mode", at)
    field, resource = item.get("fieldRef"), item.get("resourceFieldRef")
    if (field is None) == (resource is None):
        message = "must have exactly one of fieldRef and resourceFieldRef"
        yield PodProblem(at, message, check=_CHECK)
    if field is not None:
        yield from field_ref(field, VOLUME_FIELDS, (*at, "fieldRef"))
    elif resource is not None:
        where = (*at, "resourceFieldRef")
        if not resource.get("containerName"):
            yield PodProblem((*where, "containerName"), "must be set", check=_CHECK)
        yield from resource_field_ref(resource, where)


def _projected(source: Node, at: Path) -> Problems:
    yield from _mode(source, "defaultMode", at)
    paths: set[str] = set()
    for i, projection in enumerate(source.get("sources") or ()):
        where = (*at, "sources", i)
        kinds = [kind for kind in _PROJECTIONS if projection.get(kind) is not None]
        if len(kinds) > 1:
            message = f"must have one source, has {' and '.join(kinds)}"
            yield PodProblem(where, message, check=_CHECK)
        for kind in kinds:
            yield from _PROJECTIONS[kind](projection[kind], (*where, kind))
            for item in projection[kind].get("items") or ():
                path = item.get("path")
                if path and path in paths:
                    message = f"{shown(path)} is the path of two sources"
                    yield PodProblem(where, message, check=_CHECK)
                paths.add(path)


def _named(source: Node, at: Path) -> Problems:
    if not source.get("name"):
        yield PodProblem((*at, "name"), "must be set", check=_CHECK)
    yield from _items(source, at)


def _token(source: Node, at: Path) -> Problems:
    seconds = source.get("expirationSeconds", 3600)
    if not 600 <= seconds <= 2**32:
        message = f"must be between 600 and {2**32}, got {seconds}"
        yield PodProblem((*at, "expirationSeconds"), message, check=_CHECK)
    if wrong := file_path(source.get("path", "")):
        yield PodProblem((*at, "path"), f"{wrong}, got {shown(source.get('path'))}", check=_CHECK)


def _csi(source: Node, at: Path) -> Problems:
    driver = source.get("driver", "")
    if len(driver) > 63 or dns_subdomain(driver.lower()):
        message = f"must be a domain name of at most 63 characters, got {shown(driver)}"
        yield PodProblem((*at, "driver"), message, check=_CHECK)
    secret = source.get("nodePublishSecretRef")
    if secret is not None and (wrong := dns_subdomain(secret.get("name", ""))):
        yield PodProblem((*at, "nodePublishSecretRef", "name"), wrong, check=_CHECK)


def _image(source: Node, at: Path) -> Problems:
    policy = source.get("pullPolicy") or "Always"
    if policy not in _PULL:
        yield PodProblem((*at, "pullPolicy"), one_of(policy, _PULL), check=_CHECK)


def _items(source: Node, at: Path) -> Problems:
    for i, item in enumerate(source.get("items") or ()):
        if not item.get("key"):
            yield PodProblem((*at, "items", i, "key"), "must be set", check=_CHECK)
        if wrong := file_path(item.get("path", "")):
            where = (*at, "items", i, "path")
            yield PodProblem(where, f"{wrong}, got {shown(item.get('path'))}", check=_CHECK)
        yield from _mode(item, "mode", (*at, "items", i))


def _mode(source: Node, key: str, at: Path) -> Problems:
    mode: Any = source.get(key)
    if mode is not None and not 0 <= mode <= 0o777:
        hint = "write the octal number with a leading 0 (0644), or its decimal value (420)"
        message = f"must be between 0 and 0777 (511), got {mode}"
        yield PodProblem((*at, key), message, hint, _CHECK)


_Check = Callable[[Node, Path], Problems]
_SOURCES: Final[Mapping[str, _Check]] = {
    "configMap": _config_map,
    "csi": _csi,
    "downwardAPI": _downward,
    "emptyDir": _empty_dir,
    "ephemeral": _ephemeral,
    "hostPath": _host_path,
    "image": _image,
    "persistentVolumeClaim": _claim,
    "projected": _projected,
    "secret": _secret,
}
# clusterTrustBundle and podCertificate hang on feature gates, and are dropped where those are off.
_PROJECTIONS: Final[Mapping[str, _Check]] = {
    "configMap": _named,
    "downwardAPI": _downward,
    "secret": _named,
    "serviceAccountToken": _token,
}
