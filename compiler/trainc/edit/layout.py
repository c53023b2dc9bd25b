"""The lines of a text anew: each entry at its column, comments where they belong.

In: a text, a document's outline, and the order its keys should have. Out: the document's lines. A
line keeps its letters; only its indentation and its place change.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import replace

from trainc.edit.block import Block
from trainc.edit.line import Line
from trainc.edit.order import FREE, Order
from trainc.edit.outline import Node, Outline

_LINES = r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+"


class Layout:
    """Lays one text out."""

    def __init__(self, text: str) -> None:
        """Takes the text into lines; the last one gets an end."""
        self.lines: list[Line] = []
        self._starts: list[int] = []
        for found in re.finditer(_LINES, text):
            body = found[0].rstrip("\r\n")
            end = found[0][len(body) :] or (self.lines[0].end if self.lines else "\n")
            self.lines.append(Line(body, end))
            self._starts.append(found.start())
        self._size = len(text)

    def text(self, documents: list[tuple[Outline, Order | None]]) -> str:
        """The whole text, with these documents laid out; those without an order stay."""
        out: list[Line] = []
        position = 0
        for outline, order in documents:
            lines = None if order is None else self._document(outline, order)
            if lines is not None:
                first, last = self._span(outline)
                out += [*self.lines[position:first], *lines]
                position = last
        return "".join(line.text + line.end for line in [*out, *self.lines[position:]])

    def line_of(self, offset: int) -> int:
        """The number of the line an offset stands on, from 0."""
        return bisect_right(self._starts, offset) - 1

    def column_of(self, offset: int) -> int:
        """The column of an offset, from 0."""
        return offset - self._starts[self.line_of(offset)]

    def _document(self, outline: Outline, order: Order) -> list[Line] | None:
        """The lines of a document; None where it is no block, and stays as it is."""
        first, last = self._span(outline)
        root = outline.root
        if root.kind not in ("map", "list") or root.has_properties:
            return None
        head = self.line_of(root.start)
        if head < first:
            return None
        # An anchor set twice means another thing above and below: then nothing changes places.
        order = order if len(set(root.anchors)) == len(root.anchors) else FREE
        self._mark(root)
        lines = [*self._at_top(first, head), *Block(self, root, 0, order).lines(head, last)]
        return list(_without_strays(lines))

    def _mark(self, node: Node) -> None:
        """Marks the last line of each block scalar below ``node`` that keeps blank lines."""
        for entry in node.entries:
            self._mark(entry.value)
        if node.style in ("|", ">"):
            line = self.lines[self.line_of(node.start)]
            header = line.text[self.column_of(node.start) :].split()[0]
            last = self.line_of(node.end - 1)
            self.lines[last] = replace(self.lines[last], keeps="+" in header)

    def _at_top(self, first: int, head: int) -> Iterator[Line]:
        """What stands before the first key stays there, whichever key that is."""
        for line in self.lines[first:head]:
            yield line if line.is_blank else line.at(0)

    def _span(self, outline: Outline) -> tuple[int, int]:
        """The lines of a document: its first, and the one behind its last."""
        first = self.line_of(outline.begin) + (self.column_of(outline.begin) > 0)
        return first, len(self.lines) if outline.end >= self._size else self.line_of(outline.end)


def _without_strays(lines: Iterable[Line]) -> Iterator[Line]:
    """Without blank lines that came behind a scalar they would become part of."""
    keeps = False
    for line in lines:
        if not (keeps and line.is_blank and not line.keeps):
            keeps = line.keeps
            yield line
