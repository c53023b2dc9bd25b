"""Requests, limits and claims: of a container, of a whole Pod, and a Pod's overhead."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import Final

from trainc.kube.quantity import NANO, Quantity, QuantityError, is_too_long, parse
from trainc.kube.validation.forms import dns_label, qualified_name
from trainc.kube.validation.problem import Node, Path, PodProblem, Problems, shown

_CHECK: Final = "resources"
_STANDARD: Final = ("cpu", "memory", "ephemeral-storage")
_HUGE: Final = "hugepages-"
_MILLI: Final = NANO // 1000
# A part of a name that is no resource -> what it is called.
_MEANT: Final = {
    "amd": "amd.com/gpu",
    "gpu": "nvidia.com/gpu, or the name that your device plugin registers",
    "tpu": "google.com/tpu",
    "gaudi": "habana.ai/gaudi",
    "efa": "vpc.amazonaws.com/efa",
    "cpu": "cpu",
    "core": "cpu",
    "mem": "memory",
    "ram": "memory",
    "disk": "ephemeral-storage",
    "stor": "ephemeral-storage",
}


def container_resources(given: Node, claims: Collection[str], at: Path) -> Problems:
    """Checks a container's ``resources``; ``claims`` are the names in the Pod's resourceClaims."""
    yield from _requirements(given, _container_name, at)
    if given.get("claims"):
        yield from _claims(given["claims"], claims, (*at, "claims"))


def overhead(given: Node, at: Path) -> Problems:
    """Checks a Pod's ``overhead``: quantities such as limits have."""
    for wrong in _requirements({"limits": given}, _container_name, at):
        yield wrong._replace(path=(*at, *wrong.path[len(at) + 1 :]))


def pod_resources(given: Node, at: Path) -> Problems:
    """Checks a Pod's own ``resources``: cpu, memory and huge pages, and no claims."""
    yield from _requirements(given, _pod_name, at)
    if given.get("claims"):
        message = "must not be set on the Pod; claims belong to its containers"
        yield PodProblem((*at, "claims"), message, check=_CHECK)


def amount(value: object) -> Quantity:
    """A quantity as the API server stores it: rounded up to a thousandth; 0 for what is none."""
    try:
        quantity = parse(str(value))
    except QuantityError:  # the schema has refused it already
        return Quantity(0, "DecimalSI")
    return quantity._replace(nanos=-(-quantity.nanos // _MILLI) * _MILLI)


def _requirements(given: Node, named: Callable[[str], str], at: Path) -> Problems:
    limits, requests = given.get("limits") or {}, given.get("requests") or {}
    for side, amounts in (("limits", limits), ("requests", requests)):
        for name, value in amounts.items():
            if wrong := named(name):
                message = f"resource {shown(name)} {wrong}"
                yield PodProblem((*at, side, name), message, _remedy(name), _CHECK)
            if wrong := _value(name, str(value)):
                yield PodProblem((*at, side, name), f"{wrong}, got {value}", check=_CHECK)
    for name, value in requests.items():
        yield from _against_limit(name, value, limits, at)
    huge = any(name.startswith(_HUGE) for name in (*limits, *requests))
    if huge and not any(name in ("cpu", "memory") for name in (*limits, *requests)):
        yield PodProblem(at, "huge pages need cpu or memory beside them", check=_CHECK)


def _remedy(name: str) -> str:
    """What a name without a domain may have been meant for; empty where nobody knows."""
    word = name.lower()
    if "/" in name:
        return ""
    for part, meant in _MEANT.items():
        if part in word:
            return f"write {meant}"
    return ""


def _against_limit(name: str, value: object, limits: Node, at: Path) -> Problems:
    if name not in limits:
        if not _overcommit(name):
            hint = f"write limits.{name}; a request alone is not enough for an extended resource"
            message = f"{name} must be in limits too: it cannot be overcommitted"
            yield PodProblem((*at, "requests", name), message, hint, _CHECK)
        return
    asked, limit = amount(value), amount(limits[name])
    if asked.nanos != limit.nanos and not _overcommit(name):
        message = f"must equal the limit of {limits[name]}, got {value}"
        yield PodProblem((*at, "requests", name), message, check=_CHECK)
    elif asked.nanos > limit.nanos:
        message = f"must be at most the limit of {limits[name]}, got {value}"
        yield PodProblem((*at, "requests", name), message, check=_CHECK)


@lru_cache(4096)
def _value(name: str, text: str) -> str:
    if is_too_long(text):
        return "must be shorter than 1000 characters"
    quantity = amount(text)
    if quantity.nanos < 0:
        return "must not be negative"
    if _extended(name) and quantity.nanos % NANO:
        return "must be a whole number"
    if name.startswith(_HUGE):
        try:
            page = parse(name.removeprefix(_HUGE)).whole
        except QuantityError:
            page = 0
        if page <= 0 or quantity.whole % page:
            return f"must be a whole multiple of the page size of {name}"
    return ""


@lru_cache(1024)
def _container_name(name: str) -> str:
    if wrong := qualified_name(name):
        return wrong
    if "/" not in name:
        known = name in _STANDARD or name.startswith(_HUGE)
        return (
            "" if known else f"must be one of {', '.join(_STANDARD)}, {_HUGE}SIZE or have a domain"
        )
    if "kubernetes.io/" in name or _extended(name):
        return ""
    return "is not the name of an extended resource (example.com/name)"


@lru_cache(1024)
def _pod_name(name: str) -> str:
    if name in ("cpu", "memory") or name.startswith(_HUGE):
        return ""
    return "must be cpu, memory or hugepages-SIZE on a Pod"


@lru_cache(1024)
def _extended(name: str) -> bool:
    if "/" not in name or "kubernetes.io/" in name or name.startswith("requests."):
        return False
    return not qualified_name(f"requests.{name}")


@lru_cache(1024)
def _overcommit(name: str) -> bool:
    return ("/" not in name or "kubernetes.io/" in name) and not name.startswith(_HUGE)


def _claims(given: Sequence[Node], claims: Collection[str], at: Path) -> Problems:
    seen: set[str] = set()
    for i, claim in enumerate(given):
        name, request = claim.get("name", ""), claim.get("request", "")
        if request and (wrong := dns_label(request)):
            yield PodProblem((*at, i, "request"), f"{wrong}, got {shown(request)}", check=_CHECK)
        if name in seen:
            yield PodProblem((*at, i), f"{shown(name)} is there twice", check=_CHECK)
        seen.add(name)
        if name not in claims:
            known = f" ({', '.join(sorted(claims))})" if claims else ", which is empty"
            message = f"{shown(name)} must be one of the Pod's resourceClaims{known}"
            yield PodProblem((*at, i, "name"), message, check=_CHECK)
