"""Resource requirements: merging them, and the numbers policies derive from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from trainc.kube.quantity import Quantity, canonical, parse

Requirements = Mapping[str, Any]


def merged(base: Requirements, wanted: Requirements, *, claims: bool) -> dict[str, Any]:
    """``wanted`` over ``base``: limits and requests key by key, claims of both sides by name.

    Args:
        base: The container's own requirements.
        wanted: What the job asks for.
        claims: False drops the claims of both, as v2.3.0 does.
    """
    out: dict[str, Any] = {}
    for part in ("limits", "requests"):
        values = {**(base.get(part) or {})}
        for name, value in (wanted.get(part) or {}).items():
            values[name] = canonical(str(value))
        if values:
            out[part] = values
    if claims:
        both = {c.get("name"): c for c in (*base.get("claims", ()), *wanted.get("claims", ()))}
        if both:
            out["claims"] = list(both.values())
    return out


def gpus(resources: Requirements) -> int:
    """GPUs asked for: the first resource by name that has ``gpu`` in it; requests, then limits.

    MIG slices and TPUs have other names and do not count (v2.3.0 ``pkg/util/...``, facts 3.4).
    """
    for part in ("requests", "limits"):
        values = resources.get(part) or {}
        for name in sorted(values):
            if "gpu" in name.lower():
                count = parse(str(values[name])).whole
                if count:
                    return count
                break
    return 0


def cpus(resources: Requirements) -> int:
    """CPUs asked for, rounded up: requests, or limits where those are zero; 0 for neither."""
    for part in ("requests", "limits"):
        value = (resources.get(part) or {}).get("cpu")
        if value is not None:
            count = parse(str(value)).whole
            if count:
                return count
    return 0


def pod_requests(
    containers: Iterable[Requirements],
    init_containers: Iterable[tuple[Requirements, bool]],
    pod: Requirements,
    overhead: Mapping[str, Any],
) -> dict[str, Quantity]:
    """What one pod requests, by the rule of the scheduler (KEP-753 and KEP-2837).

    Args:
        containers: Requirements of each container.
        init_containers: Requirements of each init container and whether it is a sidecar
            (``restartPolicy: Always``).
        pod: The pod-level requirements; those of cpu, memory and hugepages replace the sum.
        overhead: The pod's overhead, added last.
    """
    total: dict[str, Quantity] = {}
    for resources in containers:
        _add(total, _amounts(resources.get("requests")))
    sidecars: dict[str, Quantity] = {}
    peak: dict[str, Quantity] = {}
    for resources, sidecar in init_containers:
        asked = _amounts(resources.get("requests"))
        if sidecar:
            _add(total, asked)
            _add(sidecars, asked)
            asked = dict(sidecars)
        else:
            _add(asked, sidecars)
        _raise(peak, asked)
    _raise(total, peak)
    for name, amount in _amounts(pod.get("requests")).items():
        if name in ("cpu", "memory") or name.startswith("hugepages-"):
            total[name] = amount
    _add(total, _amounts(overhead))
    return total


def _amounts(values: Mapping[str, Any] | None) -> dict[str, Quantity]:
    return {name: parse(str(value)) for name, value in (values or {}).items()}


def _add(total: dict[str, Quantity], more: Mapping[str, Quantity]) -> None:
    for name, amount in more.items():
        total[name] = total[name] + amount if name in total else amount


def _raise(total: dict[str, Quantity], other: Mapping[str, Quantity]) -> None:
    for name, amount in other.items():
        if name not in total or amount.nanos > total[name].nanos:
            total[name] = amount
