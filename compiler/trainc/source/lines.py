"""Which line of which template wrote a line of rendered text.

In: a text rendered twice, once with markers. Out: marks. The markers never reach the text that is
used: filters would see them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Final

from trainc.errors import Mark

MARKER: Final = "\x02{}:{}\x03"
_MARKED: Final = re.compile("\x02([^\x03]*):([0-9]+)\x03([^\x02]*)")


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
