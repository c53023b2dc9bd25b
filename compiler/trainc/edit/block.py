"""One block collection, laid out: its entries in order, each at its column.

In: the block's node, its lines, the column it should have. Out: its lines. A comment belongs to the
entry below it, or, where it is indented deeper than that, to the one above; what stands at the end
of a block stays at its end. Flow collections and scalars move as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from trainc.edit.line import Line
from trainc.edit.order import Order
from trainc.edit.outline import Entry, Node

if TYPE_CHECKING:
    from trainc.edit.layout import Layout

STEP = 2  # blanks a level
MERGE = "<<"

_Part = tuple[list[Line], list[Line]]
"""An entry: the comments above it, and its own lines."""


class Block:
    """A block collection on its way from one column to another."""

    def __init__(self, layout: Layout, node: Node, column: int, order: Order) -> None:
        """Takes the node, the column of its entries to be, and the order of its keys."""
        self._layout, self._node, self._order = layout, node, order
        self._old = layout.column_of(node.start)
        self._new = column

    def lines(self, first: int, last: int) -> list[Line]:
        """The lines of the block, which has the lines from ``first`` to before ``last``."""
        parts: list[_Part] = []
        above = first  # where the comments above an entry begin
        for index, entry in enumerate(self._node.entries):
            begin = self._layout.line_of(entry.start)
            following = self._node.entries[index + 1 : index + 2]
            stop = self._layout.line_of(following[0].start) if following else last
            lead = self._settled(self._layout.lines[above:begin])
            above = self._end_of(entry, stop)
            parts.append((lead, self._body(entry, index, begin, above)))
        below = self._settled(self._layout.lines[above:last])
        return [*(line for lead, body in self._ordered(parts) for line in (*lead, *body)), *below]

    def _settled(self, comments: Sequence[Line]) -> list[Line]:
        return [line if line.is_blank else line.at(self._new) for line in comments]

    def _end_of(self, entry: Entry, stop: int) -> int:
        """The line behind an entry and the comments that belong to it."""
        lines = self._layout.lines
        end = self._layout.line_of(max(entry.value.end, entry.colon) - 1) + 1
        end = min(end, stop)
        aside = next((n for n in range(end, stop) if self._is_ours(lines[n])), stop)
        while aside > end and lines[aside - 1].is_blank:
            aside -= 1
        return aside

    def _is_ours(self, line: Line) -> bool:
        """Whether a comment belongs to this block, and not to what is deeper."""
        return not line.is_blank and line.column <= self._old

    def _body(self, entry: Entry, index: int, first: int, last: int) -> list[Line]:
        """The lines of an entry, at their columns."""
        if self._node.kind == "list":
            return self._item(entry, index, first, last)
        line = self._layout.lines[first]
        head = line.saying(" " * self._new + line.text[self._layout.column_of(entry.start) :])
        return [head, *self._value(entry, self._order.below(entry.key), first, last)]

    def _item(self, entry: Entry, index: int, first: int, last: int) -> list[Line]:
        order = self._order.item(index)
        if entry.value.kind in ("map", "list") and self._begins(entry.value) == first:
            inner = Block(self._layout, entry.value, self._new + STEP, order)
            return self._dashed(inner.lines(first, last))
        line = self._layout.lines[first]
        rest = line.text[self._layout.column_of(entry.start) + 1 :].lstrip(" ")
        head = line.saying(" " * self._new + (f"- {rest}" if rest else "-"))
        return [head, *self._value(entry, order, first, last)]

    def _begins(self, node: Node) -> int:
        return self._layout.line_of(node.start)

    def _dashed(self, lines: list[Line]) -> list[Line]:
        """The lines of an item with its dash; comments above its first key go above the dash."""
        begin = next(n for n, line in enumerate(lines) if not line.is_aside)
        first = lines[begin]
        text = f"{' ' * self._new}- {first.text[self._new + STEP :]}"
        return [*self._settled(lines[:begin]), first.saying(text), *lines[begin + 1 :]]

    def _value(self, entry: Entry, order: Order, first: int, last: int) -> list[Line]:
        """The lines below an entry's first one."""
        node = entry.value
        if node.kind in ("map", "list") and not self._is_odd(entry, first):
            return Block(self._layout, node, self._new + STEP, order).lines(first + 1, last)
        by = self._new - self._old
        return [line.shifted(by) for line in self._layout.lines[first + 1 : last]]

    def _is_odd(self, entry: Entry, first: int) -> bool:
        """Whether a block is written as nobody does, and moves as a whole."""
        properties = entry.value.behind_properties
        return entry.explicit or (properties > 0 and self._layout.line_of(properties - 1) != first)

    def _ordered(self, parts: list[_Part]) -> list[_Part]:
        """The entries in their order; the first one has no blank lines above it."""
        order = self._permutation()
        ordered = [parts[index] for index in order]
        if order[0] == 0:
            return ordered
        lead, body = ordered[0]
        blanks = next((n for n, line in enumerate(lead) if not line.is_blank), len(lead))
        moved, ordered[0] = lead[:blanks], (lead[blanks:], body)
        old = order.index(0)
        if not any(line.is_blank for line in ordered[old][0][:1]):
            ordered[old] = ([*moved, *ordered[old][0]], ordered[old][1])
        return ordered

    def _permutation(self) -> list[int]:
        """Which entry stands where; an anchor stays above its aliases."""
        entries = self._node.entries
        every = list(range(len(entries)))
        if any(entry.explicit or entry.key in (None, MERGE) for entry in entries):
            return every
        ranks = [self._order.rank(entry.key) for entry in entries]
        if ranks == sorted(ranks):
            return every
        waits = [_needed(entries, index) for index in every]
        ready = [(ranks[index], index) for index in every if not waits[index]]
        heapify(ready)
        out: list[int] = []
        while ready:
            _, done = heappop(ready)
            out.append(done)
            for index in every:
                if done in waits[index]:
                    waits[index].remove(done)
                    if not waits[index]:
                        heappush(ready, (ranks[index], index))
        return out


def _needed(entries: Sequence[Entry], index: int) -> set[int]:
    """The entries whose anchors an entry uses."""
    aliases = set(entries[index].value.aliases)
    if not aliases:
        return set()
    return {n for n in range(index) if aliases & set(entries[n].value.anchors)}
