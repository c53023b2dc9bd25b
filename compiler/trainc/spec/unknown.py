"""Finds the fields that the schema does not know, as the API server's pruning does.

In: a document the schema refuses. Out: a violation for each field that pruning would drop without
a word; strict decoding refuses it. Pruning comes before validation, so what it leaves counts
where an object must hold something, and it enters values of the wrong type as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from trainc.kube.schema import Extensions, resolve, tree
from trainc.spec.remedy import unknown_hint
from trainc.spec.violation import Path, Violation, too_few_fields

_Node = dict[str, Any]

_ANY: Final[_Node] = {}
_NONE: Final[_Node] = {"additionalProperties": False}


def unknown(root: Any, kind: str, extensions: Extensions) -> Iterator[Violation]:
    """Yields the fields that nobody knows."""
    schema = tree(kind, extensions)
    for path in _unknown(schema, schema, root, ()):
        yield Violation(path, "unknown field", unknown_hint(schema, path))
    yield from _emptied(schema, schema, root, ())


def _unknown(schema: _Node, node: _Node, value: Any, path: Path) -> Iterator[Path]:
    if node == _ANY:
        return
    if isinstance(value, list):
        items = resolve(schema, node.get("items", _NONE))
        for index, item in enumerate(value):
            yield from _unknown(schema, items, item, (*path, index))
    elif isinstance(value, dict):
        for key, child in value.items():
            below = _field(node, key)
            if below is None:
                yield (*path, key)
            else:
                yield from _unknown(schema, resolve(schema, below), child, (*path, key))


def _emptied(schema: _Node, node: _Node, value: Any, path: Path) -> Iterator[Violation]:
    """Yields the objects that hold too little once unknown fields are gone."""
    if node == _ANY or not isinstance(value, dict):
        return  # no list of these kinds holds an object that may not be empty
    known = {key: child for key, child in value.items() if _field(node, key) is not None}
    least = node.get("minProperties", 0)
    if len(known) < least <= len(value):
        yield too_few_fields(path, known, {"limit": least})
    for key, child in known.items():
        yield from _emptied(
            schema, resolve(schema, _field(node, key) or _NONE), child, (*path, key)
        )


def _field(node: _Node, key: str) -> _Node | None:
    """Gives the schema of a field, None where there is none."""
    known: _Node | None = node.get("properties", {}).get(key)
    if known is not None:
        return known
    # Metadata alone says nothing of further fields: ObjectMeta drops them without a word.
    others: _Node | bool = node.get("additionalProperties", node.get("type") == "object")
    return _ANY if others is True else others or None
