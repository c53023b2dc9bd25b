"""Comments in ``ruamel.yaml``'s round-trip data, put where they go along with what they are about.

In: data as they were loaded, where a comment hangs on the entry above it. Out: the same data, each
comment on the entry below it, those behind an entry one blank from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_PARTS = 4
_ABOVE = 1
_BEHIND = {"map": 2, "list": 0}


def settle(root: Any) -> str:
    """Hangs each comment on what it is about; gives those at the end, which are about nothing."""
    return "".join(token.value for token in _Settler().visit(root, [])).strip("\n")


def comments_of(root: Any) -> dict[str, None]:
    """The comments in round-trip data, each once, in their order."""
    found: dict[str, None] = {}
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        waiting += reversed(_children(node))
        known = getattr(node, "ca", None)
        if known is not None:
            parts = [known.comment, known.end, *known.items.values()]
            for line in (line for token in _tokens(parts) for line in token.value.split("\n")):
                found.update({line.strip(): None} if line.strip() else {})
    return found


def _children(node: Any) -> list[Any]:
    return list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else []


def _tokens(parts: Any) -> Iterator[Any]:
    if isinstance(parts, list | tuple):
        for part in parts:
            yield from _tokens(part)
    elif parts is not None:
        yield parts


class _Settler:
    """Goes through data in the order of the text."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def visit(self, node: Any, above: list[Any]) -> list[Any]:
        """Gives a node the comments above it; returns those that are about what follows."""
        comments = getattr(node, "ca", None)
        if comments is None or id(node) in self._seen:
            return above
        self._seen.add(id(node))
        kind = "map" if isinstance(node, dict) else "list"
        if comments.comment:
            behind, first = (*comments.comment, None)[:2]
            own, rest = _split(behind)
            above = [*above, *rest, *_apart(first)]
            comments.comment = [own, None] if own else None
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            above = self._entry(comments.items, key, _BEHIND[kind], node[key], above)
        end = _apart(comments.end)
        comments.end = None
        return [*above, *end]

    def _entry(self, items: Any, key: Any, behind: int, value: Any, above: list[Any]) -> list[Any]:
        parts = list(items.get(key) or []) + [None] * _PARTS
        own, rest = _split(parts[behind])
        lead = [*above, *_apart(parts[_ABOVE])]
        # What is above the first entry inside is told here, and there once more.
        inside = getattr(getattr(value, "ca", None), "comment", None)
        is_flow = inside is not None and bool(value.fa.flow_style())
        if is_flow:
            value.ca.comment = inside = None
        elif inside and inside[0] is not None:
            rest = []
        inner = [] if inside and inside[1:2] else _apart(parts[3])
        parts[behind], parts[_ABOVE], parts[3] = own, lead or None, None
        if any(parts[:_PARTS]):
            items[key] = parts[:_PARTS]
        else:
            items.pop(key, None)
        if is_flow:
            return [*self.visit(value, []), *rest, *inner]
        return self.visit(value, [*rest, *inner])


def _split(token: Any) -> tuple[Any, list[Any]]:
    """A comment behind an entry, and the lines below it, each a comment of its own."""
    if token is None:
        return None, []
    first, *lines = token.value.split("\n")
    return _token(first) if first.strip() else None, _lines(lines)


def _apart(tokens: Any) -> list[Any]:
    """Comments above an entry, each line by itself."""
    return [made for token in _tokens([tokens]) for made in _lines(token.value.split("\n"))]


def _lines(lines: list[str]) -> list[Any]:
    return [_token(line) for line in (lines if lines[-1:] != [""] else lines[:-1])]


def _token(line: str) -> Any:
    """A comment at the first column: whoever lays the text out puts it in its place."""
    from ruamel.yaml.error import CommentMark
    from ruamel.yaml.tokens import CommentToken

    return CommentToken(f"{line.strip()}\n", CommentMark(0))
