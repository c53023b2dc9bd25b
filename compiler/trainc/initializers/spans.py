"""Spans of a file: what is there, what is missing, what one request asks for.

In: pairs of places, the second not included. Out: the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def merged(spans: Sequence[tuple[int, int]], size: int) -> Iterator[tuple[int, int]]:
    """The spans in order, those that touch made one; what lies beyond ``size`` is left out."""
    held: tuple[int, int] | None = None
    for start, end in sorted(spans):
        if end > size:
            continue
        if held is not None and start <= held[1]:
            held = (held[0], max(held[1], end))
            continue
        if held is not None:
            yield held
        held = (start, end)
    if held is not None:
        yield held


def gaps(held: Sequence[tuple[int, int]], size: int) -> Iterator[tuple[int, int]]:
    """What is missing between spans in order."""
    reached = 0
    for start, end in held:
        if start > reached:
            yield reached, start
        reached = end
    if reached < size:
        yield reached, size


def split(start: int, end: int, step: int) -> Iterator[tuple[int, int]]:
    """A span, cut into spans of ``step`` bytes."""
    for each in range(start, end, step):
        yield each, min(each + step, end)
