"""Takes nulls and ``1.0`` for what the API server takes them: an absent field and the integer 1.

In: a document the schema does not pass as it stands. Out: the same document put right in place.
Runs only then, so it may visit every node.
"""

from __future__ import annotations

from typing import Any

from trainc.kube.schema import Extensions, resolve, tree
from trainc.source.document import Document

_Node = dict[str, Any]


def absent_nulls(document: Document, schema_name: str, extensions: Extensions = ()) -> None:
    """Drops nulls where the schema takes none, with their marks; writes integral floats as ints.

    Nulls under a key the schema does not know stay: the key is a problem of its own. Items of
    lists stay: the API server refuses a null there.
    """
    schema = tree(schema_name, extensions)
    _clean(document, schema, schema, document.root)


def _clean(document: Document, schema: _Node, node: _Node, value: Any) -> None:
    node = resolve(schema, node)
    if type(value) is dict:
        _clean_mapping(document, schema, node, value)
    elif type(value) is list and "items" in node:
        items = resolve(schema, node["items"])
        for index, item in enumerate(value):
            value[index] = _integer(item, items)
            _clean(document, schema, items, item)


def _clean_mapping(document: Document, schema: _Node, node: _Node, value: dict[str, Any]) -> None:
    fields = node.get("properties", {})
    for key, child in list(value.items()):
        below = fields.get(key, node.get("additionalProperties"))
        if not isinstance(below, dict):
            continue
        below = resolve(schema, below)
        if child is None:
            if "default" in below:
                # Of ObjectMeta: Go reads a null label as the empty text.
                value[key] = below["default"]
            elif "null" not in below.get("type", ()):
                _drop(document, value, key)
            continue
        value[key] = _integer(child, below)
        _clean(document, schema, below, child)


def _integer(value: Any, node: _Node) -> Any:
    """Gives an integral float as the integer that YAML to JSON makes of it."""
    if type(value) is float and value.is_integer() and "integer" in node.get("type", ()):
        return int(value)
    return value


def _drop(document: Document, container: dict[str, Any], key: str) -> None:
    marks = document.marks.get(id(container))
    if marks is not None:
        position = list(container).index(key)
        if position < len(marks):
            del marks[position]
    del container[key]
