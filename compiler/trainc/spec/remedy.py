"""Finds the likely remedy for a field that the schema refuses.

In: the refused key or value. Out: a hint, empty where there is no one way. Runs on errors only,
so it may search the whole schema and import what a clean build never needs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from trainc.kube.schema import resolve

_Node = dict[str, Any]
_SHOWN: Final = 12  # names in a hint
_VARIABLE: Final = re.compile(
    r"\$(?:\{\w+[^}]*\}|\(\w+\)|\w+)|\{\{"
)  # of shells, Flux, Katib, Helm


def unknown_hint(schema: _Node, path: Sequence[str | int]) -> str:
    """Names the field that was meant: one with a similar name, or the same name elsewhere."""
    import difflib  # 8 ms, and only a refused build needs it

    *above, key = path
    known = list(_descend(schema, above).get("properties", ()))
    close = difflib.get_close_matches(str(key), known, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    elsewhere = next((place for place in _places(schema) if place.endswith(f".{key}")), None)
    if elsewhere:
        return f"did you mean {elsewhere}?"
    return f"known: {', '.join(known)}" if 0 < len(known) <= 10 else ""


def meant(name: str, known: Iterable[str]) -> str:
    """Names what exists: the most similar of the known names first; empty where there is none."""
    import difflib  # 8 ms, and only a refused build needs it

    names = sorted(known)
    if not names:
        return ""
    close = difflib.get_close_matches(name, names, n=1)
    there = f"there are: {', '.join(names[:_SHOWN])}{', ...' if len(names) > _SHOWN else ''}"
    return f"did you mean {close[0]}? {there}" if close else there


def type_hint(value: object, types: Sequence[str]) -> str:
    """Says how to write a value of the wrong type."""
    if "string" in types:
        return _as_text(value, quantity="integer" in types)
    if types == ["array"] and not isinstance(value, dict):
        return f"write it as a list: [{json.dumps(value, ensure_ascii=False)}]"
    if types == ["integer"] and isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
        return f"write it without quotes: {int(value)}"
    if isinstance(value, str) and _VARIABLE.search(value):
        return (
            "trainc replaces no variables: use templates/*.yaml.j2 and --set, or envsubst before it"
        )
    if types == ["boolean"] and isinstance(value, str) and value.lower() in ("true", "false"):
        return f"write it without quotes: {value.lower()}"
    return ""


def text_hint(value: object, pattern: str) -> str:
    """Says how to write a text that does not have the wanted form."""
    number = re.fullmatch(r"([0-9.]+) *([kKMGTPE])(?:i?[bB]|I)?", str(value))
    if number is None or "[KMGTPE]i" not in pattern:
        return ""
    size, unit = number.groups()
    return f"write {size}{unit.upper()}i (powers of 1024) or {size}{unit.replace('K', 'k')}"


def _as_text(value: object, *, quantity: bool) -> str:
    if isinstance(value, bool):
        if quantity:
            return ""
        return "put it in quotes; without, YAML reads y, yes, on, n, no and off as booleans"
    if isinstance(value, int | float):
        return f'put it in quotes: "{value}"'
    return ""


def _descend(root: _Node, path: Sequence[str | int]) -> _Node:
    """Gives the schema of the field at a path that the schema knows."""
    node = root
    for key in path:
        if isinstance(key, int):
            below = node.get("items", {})
        else:
            below = node.get("properties", {}).get(key) or node.get("additionalProperties") or {}
        node = resolve(root, below)
    return node


def _places(root: _Node, depth: int = 4) -> Iterator[str]:
    """Yields the fields of the schema, the uppermost first, to a depth a person would look."""
    level = [("", root)]
    for _ in range(depth):
        below = []
        for place, node in level:
            for key, child in node.get("properties", {}).items():
                yield f"{place}.{key}".removeprefix(".")
                below.append((f"{place}.{key}", resolve(root, child)))
        level = below
