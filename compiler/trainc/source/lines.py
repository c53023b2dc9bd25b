"""Which line of which template wrote a line of rendered text.

In: a text rendered twice, once with markers. Out: marks. The markers never reach the text that is
used: filters would see them.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from trainc.errors import Mark

MARKER: Final = "\x02{}:{}\x03"
_MARKED: Final = re.compile("\x02([^\x02\x03]*):([0-9]+)\x03([^\x02]*)")


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
    for row, line in _alike([row.strip() for row, _ in rows], [line.strip() for line in lines]):
        found[line] = rows[row][1]
    last = Mark(name, 1, 1)
    return tuple(last := mark or last for mark in found)


def _alike(olds: Sequence[str], news: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Pairs of places at which both have the same text, in order; takes n log n steps.

    Texts that each of them has once hold on to each other (patience diff); from there and from
    both ends it goes on as long as they are alike.
    """
    end = (len(olds), len(news))
    row, line = 0, 0
    for row_held, line_held in (*_held(olds, news), end):
        while row < row_held and line < line_held and olds[row] == news[line]:
            yield row, line
            row, line = row + 1, line + 1
        back = 0
        while back < min(row_held - row, line_held - line):
            if olds[row_held - back - 1] != news[line_held - back - 1]:
                break
            back += 1
            yield row_held - back, line_held - back
        if row_held < end[0]:
            yield row_held, line_held
        row, line = row_held + 1, line_held + 1


def _held(olds: Sequence[str], news: Sequence[str]) -> list[tuple[int, int]]:
    """The longest run of pairs of texts that each has once, rising in both."""
    once = {text: place for text, place in _once(olds).items() if place >= 0}
    pairs = [(once[text], line) for text, line in _once(news).items() if line >= 0 and text in once]
    piles: list[int] = []  # the lowest last row of a run of each length
    tops: list[int] = []  # the pair it ends with
    before: list[int] = []
    for number, (row, _) in enumerate(pairs):
        pile = bisect_left(piles, row)
        before.append(tops[pile - 1] if pile else -1)
        piles[pile : pile + 1] = [row]
        tops[pile : pile + 1] = [number]
    run: list[tuple[int, int]] = []
    number = tops[-1] if tops else -1
    while number >= 0:
        run.append(pairs[number])
        number = before[number]
    return run[::-1]


def _once(texts: Iterable[str]) -> dict[str, int]:
    """The place of each text, -1 for one that comes again; in the order of their places."""
    found: dict[str, int] = {}
    for place, text in enumerate(texts):
        found[text] = -1 if text in found else place
    return found


def _rows(marked: str, name: str) -> Iterator[tuple[str, Mark]]:
    """Each line without markers, and the place of the first text in it."""
    row, place, last = "", None, Mark(name, 1, 1)
    for match in _MARKED.finditer(marked):
        file, line, piece = match.groups()
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
