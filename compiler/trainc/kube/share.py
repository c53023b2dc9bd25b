"""Folds the equal parts of a JSON schema into one ``definitions`` table.

In: a JSON schema. Out: the same schema, where a part that occurs twice stands once. The pod tree
repeats itself (three lists of containers, nine probes), so folding halves size and set-up time.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

# Below this many characters of JSON a part costs less than a reference to it.
_WORTH: Final = 100

_Node = dict[str, Any]


def share(schema: _Node) -> _Node:
    """Gives an equal schema without repetitions."""
    counts: Counter[str] = Counter()
    _count(schema, counts)
    names: dict[str, str] = {}
    definitions: dict[str, _Node] = {}

    def fold(node: _Node) -> _Node:
        text = _text(node)
        if counts[text] < 2 or len(text) < _WORTH:
            return _mapped(node, fold)
        if text not in names:
            names[text] = str(len(names))
            definitions[names[text]] = _mapped(node, fold)
        return {"$ref": f"#/definitions/{names[text]}"}

    folded = _mapped(schema, fold)
    return {**folded, "definitions": definitions} if definitions else folded


def _count(node: _Node, counts: Counter[str]) -> None:
    text = _text(node)
    counts[text] += 1
    # What lies inside a part seen before is shared with it already.
    if counts[text] == 1:
        for child in _children(node):
            _count(child, counts)


def _children(node: _Node) -> list[_Node]:
    found = [*node.get("properties", {}).values()]
    found += [node[key] for key in ("items", "additionalProperties") if node.get(key)]
    return found


def _mapped(node: _Node, change: Callable[[_Node], _Node]) -> _Node:
    out = dict(node)
    if "properties" in node:
        out["properties"] = {key: change(child) for key, child in node["properties"].items()}
    for key in ("items", "additionalProperties"):
        if node.get(key):
            out[key] = change(node[key])
    return out


def _text(node: _Node) -> str:
    return json.dumps(node, sort_keys=True)
