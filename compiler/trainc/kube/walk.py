"""Extracts from a CRD what JSON schema cannot say: list keys and defaults, as tables to walk.

In: the root of a CRD schema. Out: two lists of nodes, the last one the root. A node names only
the fields below which there is something to do, so a walk of a document visits nothing else.
A list and its items are one node: whoever walks goes through the items.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

_Crd = dict[str, Any]
_Own = Callable[[_Crd], Any]


def lists(crd: _Crd) -> list[list[Any]]:
    """Gives nodes ``[keys, children]``.

    ``keys`` tells how items of the list are told apart: ``{key: its default or null}`` for a list
    that is a map, ``true`` for one that is a set, null otherwise; ``children`` gives the number of
    the node of each field.
    """
    return _nodes(crd, _keys) or [[None, {}]]


def defaults(crd: _Crd) -> list[list[Any]]:
    """Gives nodes ``[values, children]``: the default of each field that has one."""
    return _nodes(crd, _values) or [[{}, {}]]


def atomics(crd: _Crd) -> list[list[Any]]:
    """Gives nodes ``[whole, children]``: whether an object is replaced as a whole when applied."""
    return _nodes(crd, _is_atomic) or [[False, {}]]


def _nodes(crd: _Crd, own: _Own) -> list[list[Any]]:
    numbers: dict[str, int] = {}
    nodes: list[list[Any]] = []

    def number(part: _Crd) -> int | None:
        item = part.get("items", part)
        children = {}
        for key, child in item.get("properties", {}).items():
            below = number(child)
            if below is not None:
                children[key] = below
        _refuse_maps(item, own)
        node = [own(part), children]
        if not any(node):
            return None
        text = json.dumps(node, sort_keys=True)
        if text not in numbers:
            numbers[text] = len(nodes)
            nodes.append(node)
        return numbers[text]

    number(crd)
    return nodes


def _refuse_maps(item: _Crd, own: _Own) -> None:
    """Fails on maps of objects: no CRD so far has them, and the walks do not enter them."""
    values = item.get("additionalProperties")
    if isinstance(values, dict) and _nodes(values, own):
        raise ValueError(f"a map whose values need a walk: {sorted(values)}")


def _keys(crd: _Crd) -> dict[str, Any] | bool | None:
    kind = crd.get("x-kubernetes-list-type")
    if kind == "map":
        fields = crd["items"]["properties"]
        return {key: fields[key].get("default") for key in crd["x-kubernetes-list-map-keys"]}
    return True if kind == "set" else None


def _values(crd: _Crd) -> dict[str, Any]:
    fields = crd.get("items", crd).get("properties", {})
    return {key: child["default"] for key, child in fields.items() if "default" in child}


def _is_atomic(crd: _Crd) -> bool:
    return bool(crd.get("items", crd).get("x-kubernetes-map-type") == "atomic")
