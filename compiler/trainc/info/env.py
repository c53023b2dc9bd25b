"""Env variables of a TrainJob as they reach a container."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trainc.kube.gotypes import normalise
from trainc.kube.quantity import canonical
from trainc.spec.compat import Compat


def printed(item: Mapping[str, Any], compat: Compat) -> Mapping[str, Any]:
    """One variable as it is printed; a valueFrom wins over a value."""
    source = item.get("valueFrom")
    if source is None:
        if compat.keeps("env-zeroes"):
            return {"name": item["name"], "value": item.get("value", "")}
        if item.get("value") and len(item) == 2:
            return item  # as most are: name and value, printed as they stand
        out: dict[str, Any] = normalise(item, "EnvVar")
        return out
    if not compat.keeps("file-key-ref"):
        return {"name": item["name"], "valueFrom": normalise(source, "EnvVarSource")}
    return {"name": item["name"], "valueFrom": _converted(source)}


def _converted(source: Mapping[str, Any]) -> dict[str, Any]:
    """A source after v2.3.0's own conversion (``pkg/util/apply``): four kinds, some fields lost."""
    out: dict[str, Any] = {}
    if source.get("fieldRef") is not None:
        out["fieldRef"] = {"fieldPath": source["fieldRef"]["fieldPath"]}
    ref = source.get("resourceFieldRef")
    if ref is not None:
        out["resourceFieldRef"] = {
            "containerName": ref.get("containerName", ""),
            "resource": ref["resource"],
            "divisor": canonical(str(ref.get("divisor", "0"))),
        }
    for kind in ("configMapKeyRef", "secretKeyRef"):
        ref = source.get(kind)
        if ref is not None:
            out[kind] = {"name": ref.get("name", ""), "key": ref["key"]}
            if ref.get("optional") is not None:
                out[kind]["optional"] = ref["optional"]
    return out
