"""Labels and annotations of a JobSet, its Jobs and its Pods."""

from __future__ import annotations

import re
from typing import Any, Final

from trainc.kube.validation.forms import label_value, qualified_name
from trainc.kube.validation.problem import Node, Path, PodProblem, Problems, shown

_TOTAL_BYTES: Final = 256 * 1024
_CHECK: Final = "metadata"
_FINALIZERS: Final = frozenset({"kubernetes", "orphan", "foregroundDeletion"})
_INT32: Final = r"0|-[0-9]+|[1-9][0-9]*"
_DELETION_COST: Final = "controller.kubernetes.io/pod-deletion-cost"


def metadata(meta: Node, at: Path) -> Problems:
    """Checks the labels and annotations of an object or template."""
    if meta.get("labels"):
        yield from labels(meta["labels"], (*at, "labels"))
    if meta.get("annotations"):
        yield from _annotations(meta["annotations"], (*at, "annotations"))


def labels(given: Node, at: Path) -> Problems:
    """Checks the keys and values of labels, or of a map that selects by them."""
    for key, value in given.items():
        if wrong := qualified_name(key):
            yield PodProblem((*at, key), f"key {shown(key)} {wrong}", check=_CHECK)
        if wrong := label_value(value):
            yield PodProblem((*at, key), f"value {shown(value)} {wrong}", check=_CHECK)


def pod_metadata(meta: Node, at: Path) -> Problems:
    """Checks what a Pod template's metadata may carry besides: finalizers and the deletion cost."""
    yield from metadata(meta, at)
    for i, name in enumerate(meta.get("finalizers") or ()):
        wrong = qualified_name(name)
        if not wrong and "/" not in name and name not in _FINALIZERS:
            wrong = "must be a standard finalizer or have a domain name before a slash"
        if wrong:
            yield PodProblem((*at, "finalizers", i), f"{shown(name)} {wrong}", check=_CHECK)
    cost: Any = (meta.get("annotations") or {}).get(_DELETION_COST)
    if cost is not None and not _is_int32(cost):
        where = (*at, "annotations", _DELETION_COST)
        yield PodProblem(where, f"must be a 32-bit integer, got {shown(cost)}", check=_CHECK)


def _annotations(given: Node, at: Path) -> Problems:
    size = 0
    for key, value in given.items():
        size += len(key.encode()) + len(value.encode())
        if wrong := qualified_name(key.lower()):
            yield PodProblem((*at, key), f"key {shown(key)} {wrong}", check=_CHECK)
    if size > _TOTAL_BYTES:
        message = f"must be at most {_TOTAL_BYTES} bytes together, are {size}"
        yield PodProblem(at, message, check=_CHECK)


def _is_int32(text: str) -> bool:
    return bool(re.fullmatch(_INT32, text)) and len(text) < 4000 and -(2**31) <= int(text) < 2**31
