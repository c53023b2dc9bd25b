"""Anchors, aliases and merges of one document.

In come anchored nodes, out go copies of them. An alias is a copy and never the node itself,
since defaulting changes documents in place. How much may be copied is bounded as Go's YAML
bounds it ("document contains excessive aliasing"), so no bomb can go off.
"""

from __future__ import annotations

from typing import Any, Final

from trainc.source.libyaml import Event, RefusedError

MAX_DEPTH: Final = 200
"""How deep a document may nest; every later walk over it may recurse."""

# Go's bounds (decode.go, allowedAliasRatio): 99 % of what is decoded may come from aliases in
# documents of up to 400,000 nodes, falling to 10 % at 4,000,000.
_RATIO_HIGH, _RATIO_LOW = 0.99, 0.10
_SIZE_LOW, _SIZE_HIGH = 400_000, 4_000_000
_LETTERS: Final = 256


class Aliases:
    """The anchors of one document and what was copied from them."""

    __slots__ = ("copied", "marks", "nodes")

    def __init__(self, marks: dict[int, list[int]]) -> None:
        """Takes the document's places, to which those of copies are added."""
        self.marks = marks
        self.nodes: dict[str, Any] = {}
        self.copied = 0

    def copy(self, node: Any, depth: int, seen: int, event: Event) -> Any:
        """Returns a copy of a node with the places of the original.

        Args:
            node: What the alias names.
            depth: How deep the alias stands.
            seen: How many nodes of the document were written out so far.
            event: The alias.

        Raises:
            RefusedError: The document would get too deep, or too much of it is copies.
        """
        if depth > MAX_DEPTH:
            raise _refused(f"nested deeper than {MAX_DEPTH} levels", event)
        if isinstance(node, dict):
            copy: Any = {}
            self.spend("", seen, event)
            for key, value in node.items():
                self.spend(key, seen, event)
                copy[key] = self.copy(value, depth + 1, seen, event)
        elif isinstance(node, list):
            self.spend("", seen, event)
            copy = [self.copy(value, depth + 1, seen, event) for value in node]
        else:
            self.spend(node if isinstance(node, str) else "", seen, event)
            return node
        self.marks[id(copy)] = self.marks[id(node)][:]
        return copy

    def spend(self, text: str, seen: int, event: Event) -> None:
        """Counts one copied node; a long text counts as several, since it is printed each time.

        Raises:
            RefusedError: Too much of the document is copies.
        """
        self.copied += 1 + len(text) // _LETTERS
        if self.copied > 100 and self.copied > _allowed(self.copied + seen):
            raise _refused("document contains excessive aliasing", event)


def _allowed(total: int) -> float:
    """How many of so many nodes may be copies."""
    if total <= 1000:
        return total
    share = min(max((total - _SIZE_LOW) / (_SIZE_HIGH - _SIZE_LOW), 0), 1)
    return total * (_RATIO_HIGH - (_RATIO_HIGH - _RATIO_LOW) * share)


def merge(
    node: dict[Any, Any], places: list[int], key: object, marks: dict[int, list[int]]
) -> list[str]:
    """Puts the entries of the mappings that ``<<`` names into a mapping; its own entries stay.

    Args:
        node: The mapping; what ``<<`` names stands under ``key``, which is taken out.
        places: The places of the other keys; those of new entries are added.
        key: What stands for ``<<``.
        marks: The places of every container.

    Returns:
        The names that were in the mapping already when ``<<`` came.

    Raises:
        ValueError: ``<<`` names something else than mappings.
    """
    names = list(node)
    before = frozenset(names[: names.index(key)])
    value = node.pop(key)
    sources = value if isinstance(value, list) else [value]
    if not all(isinstance(source, dict) for source in sources):
        raise ValueError("<< must name a mapping or a list of mappings")
    twice = []
    for source in sources:
        for (name, item), place in zip(source.items(), marks[id(source)], strict=True):
            if name in before:
                twice.append(name)
            elif name not in node:
                node[name] = item
                places.append(place)
    return twice


def reached(root: Any, marks: dict[int, list[int]]) -> dict[int, list[int]]:
    """Returns the marks of the containers below ``root``.

    Merges and refused entries leave containers behind. Once they are gone, others may get their
    identities, and must not get their places.
    """
    found: dict[int, list[int]] = {}
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict | list):
            found[id(node)] = marks[id(node)]
            waiting += node.values() if isinstance(node, dict) else node
    return found


def _refused(message: str, event: Event) -> RefusedError:
    start = event[1]
    return RefusedError(message, start.line, start.column)
