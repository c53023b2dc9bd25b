"""Which line of which template wrote a line of rendered text, and which values it took.

In: a text rendered twice, once with markers; the tree of a template. Out: marks and names. The
markers never reach the text that is used: filters would see them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any, Final

from trainc.errors import Mark

MARKER: Final = "\x02{}:{}\x03"
_MARKED: Final = re.compile("\x02([^\x03]*):([0-9]+)\x03([^\x02]*)")

Use = tuple[str, ...]
"""The path of a value: ``values.a.b`` is ``("a", "b")``."""


def line_marks(text: str, marked: str, name: str) -> tuple[Mark, ...]:
    """Returns for each line of ``text`` where it was written.

    Args:
        text: As it was rendered.
        marked: The same, each piece after a marker.
        name: The template; holds for lines that no marker tells of.
    """
    rows = list(_rows(marked, name))
    lines = text.split("\n")
    if [row for row, _ in rows] == lines:
        return tuple(mark for _, mark in rows)
    # A filter over a block (indent, replace) has seen the markers: go by what is alike.
    found: list[Mark | None] = [None] * len(lines)
    matcher = SequenceMatcher(None, [row.strip() for row, _ in rows], [x.strip() for x in lines])
    for start, other, size in matcher.get_matching_blocks():
        found[other : other + size] = [mark for _, mark in rows[start : start + size]]
    last = Mark(name, 1, 1)
    return tuple(last := mark or last for mark in found)


def _rows(marked: str, name: str) -> Iterator[tuple[str, Mark]]:
    """Each line without markers, and the place of the first text in it."""
    row, place, last = "", None, Mark(name, 1, 1)
    for file, line, piece in _MARKED.findall(marked):
        last = Mark(file, int(line), 1)
        first, *others = piece.split("\n")
        for number, part in enumerate((first, *others)):
            if number:
                yield row, place or last
                row, place = "", None
            if part.strip() and (place is None):
                place = last._replace(column=len(part) - len(part.lstrip()) + 1 if not row else 1)
            row += part
    yield row, place or last


def uses(tree: Any, name: str) -> dict[tuple[str, int], tuple[Use, ...]]:
    """Returns the values that each line of a template takes, by file and line.

    A name that a loop or ``set`` gave to a value counts as that value.

    Args:
        tree: The template as Jinja2 has parsed it.
        name: The template's printed name.
    """
    aliases: dict[str, Use] = {"values": ()}
    found: dict[tuple[str, int], tuple[Use, ...]] = {}
    for node in _walk(tree):
        kind = type(node).__name__
        if kind in ("For", "Assign") and type(node.target).__name__ == "Name":
            path = _path(node.iter if kind == "For" else node.node, aliases)
            if path is not None:
                aliases[node.target.name] = path
        path = _path(node, aliases)
        if path:
            key = (name, node.lineno)
            longer = [use for use in found.get(key, ()) if use[: len(path)] != path]
            if len(longer) == len(found.get(key, ())):
                found[key] = (*longer, path)
    return found


def _walk(node: Any) -> Iterator[Any]:
    yield node
    for child in node.iter_child_nodes():
        yield from _walk(child)


def _path(node: Any, aliases: dict[str, Use]) -> Use | None:
    """The value that an expression names, None where it is no plain name."""
    kind = type(node).__name__
    if kind == "Name":
        return aliases.get(node.name) if node.ctx == "load" else None
    if kind == "Filter" and node.node is not None:
        return _path(node.node, aliases)
    if kind == "Getattr":
        above, step = _path(node.node, aliases), node.attr
    elif kind == "Getitem" and type(node.arg).__name__ == "Const":
        above, step = _path(node.node, aliases), node.arg.value
    else:
        return None
    if above is None:
        return None
    return (*above, step) if isinstance(step, str) else above
