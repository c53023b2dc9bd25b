"""The order of keys: as the API declares them, which is the order of the build's own output.

In: a document as it was loaded. Out: its order, or None where the document is not for trainc.
Labels, annotations, quantities and whatever else has keys of the user's keep their order.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from trainc import names
from trainc.manifest.fields import fields, root_type
from trainc.source.document import Document
from trainc.source.reader import PROJECT_FILE

_KINDS = (names.TRAIN_JOB, *names.RUNTIME_KINDS)
_PATCH = ("target", "patch")
_OVERLAY = ("extends", "abstract", "patches")
_OVERLAY_FILE = "overlay.yaml"
# What every object has; the fields of a type that is not known.
_ANY = frozenset({"apiVersion", "kind", "metadata"})


@dataclass(frozen=True)
class Order:
    """The order of the keys of one map, and of what stands under them.

    Attributes:
        keys: In their order; further keys follow as they stand. Empty: all stay as they stand.
        under: The order under a key where it is no type's.
        items: Of a list whose items differ: the order of each.
        types: The Go type under a key.
    """

    keys: tuple[str, ...] = ()
    under: Mapping[str, Order] = field(default_factory=dict)
    items: tuple[Order, ...] = ()
    types: Mapping[str, str] = field(default_factory=dict)

    def rank(self, key: str | None) -> int:
        """Where a key stands among its neighbours; equal for those that stay as they are."""
        return self.keys.index(key) if key in self.keys else len(self.keys)

    def below(self, key: str | None) -> Order:
        """The order of what a key holds."""
        name = key or ""
        return self.under[name] if name in self.under else of_type(self.types.get(name, ""))

    def item(self, index: int) -> Order:
        """The order of an item of a list."""
        return self.items[index] if self.items else self


FREE = Order()


@cache
def of_type(name: str) -> Order:
    """The order of a Go type; no order where it is not known."""
    known = fields(name) if name else {}
    return FREE if known.keys() <= _ANY else Order(tuple(known), types=known)


def order_of(document: Document) -> Order | None:
    """The order of a document that is for trainc: an object of its kinds, a patch, its settings."""
    name = os.path.basename(document.file)
    if not isinstance(document.root, dict):
        return None
    if name == PROJECT_FILE:
        return Order(_project_keys())
    if name == _OVERLAY_FILE and set(document.root) <= set(_OVERLAY):
        return Order(_OVERLAY)
    return _of_object(document.root)


def _of_object(root: Any) -> Order | None:
    if not isinstance(root, dict):
        return None
    if set(root) == set(_PATCH):
        return _of_patch(root)
    kind, version, items = root.get("kind"), root.get("apiVersion"), root.get("items")
    if kind in _KINDS and str(version).startswith(f"{names.GROUP}/"):
        return of_type(root_type(str(kind)))
    if str(kind).endswith("List") and isinstance(items, list):
        orders = [_of_object(item) for item in items]
        if any(orders):
            below = Order(items=tuple(order or FREE for order in orders))
            return Order(("apiVersion", "kind", "metadata", "items"), {"items": below})
    return None


def _of_patch(root: dict[str, Any]) -> Order | None:
    """The order of ``target:`` and ``patch:``; what the target's kind is, the change is."""
    target, change = root["target"], root["patch"]
    if not isinstance(target, dict) or not isinstance(change, dict | list):
        return None
    kind = target.get("kind")
    of_kind = of_type(root_type(kind)) if kind in _KINDS and isinstance(change, dict) else FREE
    return Order(_PATCH, {"patch": of_kind})


@cache
def _project_keys() -> tuple[str, ...]:
    from trainc.project.file import SCHEMA

    return tuple(json.loads(SCHEMA.read_bytes())["properties"])
