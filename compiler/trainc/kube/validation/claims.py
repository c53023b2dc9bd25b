"""PersistentVolumeClaims: those of the JobSet's volumeClaimPolicies and of ephemeral volumes."""

from __future__ import annotations

from typing import Any, Final

from trainc.kube.validation.forms import dns_subdomain
from trainc.kube.validation.problem import Node, Path, PodProblem, Problems, one_of, shown
from trainc.kube.validation.resources import amount
from trainc.kube.validation.selectors import label_selector

_CHECK: Final = "claim"
_MODES: Final = ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod")
_VOLUME_MODES: Final = ("Filesystem", "Block")


def claim_spec(spec: Node, at: Path) -> Problems:
    """Checks the spec of a claim."""
    yield from _access_modes(spec.get("accessModes") or (), (*at, "accessModes"))
    requests = (spec.get("resources") or {}).get("requests") or {}
    if amount(requests.get("storage", 0)).nanos <= 0:
        where = (*at, "resources", "requests", "storage")
        yield PodProblem(where, "must be set and above 0", check=_CHECK)
    for key in ("storageClassName", "volumeAttributesClassName"):
        if spec.get(key) and (wrong := dns_subdomain(spec[key])):
            yield PodProblem((*at, key), f"{wrong}, got {shown(spec[key])}", check=_CHECK)
    mode = spec.get("volumeMode")
    if mode is not None and mode not in _VOLUME_MODES:
        yield PodProblem((*at, "volumeMode"), one_of(mode, _VOLUME_MODES), check=_CHECK)
    if spec.get("selector"):
        for wrong_selector in label_selector(spec["selector"], (*at, "selector")):
            yield wrong_selector._replace(check=_CHECK)
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    for key in ("dataSource", "dataSourceRef"):
        if spec.get(key) is not None:
            yield from _source(spec[key], (*at, key))
    if source is not None and reference is not None and dict(source) != dict(reference):
        yield PodProblem((*at, "dataSource"), "must equal dataSourceRef", check=_CHECK)


def _access_modes(modes: Any, at: Path) -> Problems:
    if not modes:
        yield PodProblem(at, f"must be set: one of {', '.join(_MODES)}", check=_CHECK)
    for i, mode in enumerate(modes):
        if mode not in _MODES:
            yield PodProblem((*at, i), one_of(mode, _MODES), check=_CHECK)
    if "ReadWriteOncePod" in modes and any(mode in _MODES[:3] for mode in modes):
        yield PodProblem(at, "must hold nothing beside ReadWriteOncePod", check=_CHECK)


def _source(source: Node, at: Path) -> Problems:
    for key in ("name", "kind"):
        if not source.get(key):
            yield PodProblem((*at, key), "must be set", check=_CHECK)
    group = source.get("apiGroup") or ""
    if group and (wrong := dns_subdomain(group)):
        yield PodProblem((*at, "apiGroup"), f"{wrong}, got {shown(group)}", check=_CHECK)
    if not group and source.get("kind") not in ("PersistentVolumeClaim", "", None):
        message = "must be PersistentVolumeClaim where apiGroup is empty"
        yield PodProblem((*at, "kind"), message, check=_CHECK)
