"""Who reads which rows: even splits by row range.

In: a number of rows and of readers. Out: half-open ranges. Pure arithmetic, imported by head and
client alike, because both must come to the same answer without asking each other.
"""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple, get_args

Policy = Literal["even", "pad", "drop"]
POLICIES: Final = get_args(Policy)


class Range(NamedTuple):
    """Rows ``start`` up to, not including, ``stop``."""

    start: int
    stop: int

    @property
    def rows(self) -> int:
        """Number of rows, 0 where the range is empty."""
        return max(0, self.stop - self.start)

    def within(self, other: "Range") -> "Range":
        """The rows that both ranges hold; an empty range where there are none."""
        start = max(self.start, other.start)
        return Range(start, max(start, min(self.stop, other.stop)))


def even(rows: int, index: int, parts: int) -> Range:
    """The ``index``-th of ``parts`` ranges of ``rows`` rows, whose lengths differ by at most one.

    Raises:
        ValueError: ``index`` is not in ``[0, parts)``.
    """
    if not 0 <= index < parts:
        raise ValueError(f"part {index} of {parts}: must be at least 0 and below {parts}")
    length, longer = divmod(rows, parts)
    start = index * length + min(index, longer)
    return Range(start, start + length + (index < longer))


def share(rows: int, rank: int, world: int, policy: Policy = "even") -> tuple[Range, ...]:
    """The positions that rank ``rank`` of ``world`` reads, in the order it reads them.

    Args:
        rows: Rows of the table.
        rank: This reader, from 0.
        world: Number of readers.
        policy: ``even``: every row once, ranks differ by at most one row. ``drop``: all ranks
            alike, the last ``rows % world`` positions are read by none. ``pad``: all ranks alike,
            the ranks at the end read the first positions again.

    Returns:
        No range where the rank has no row, two or more where padding wraps round.
    """
    if not 0 <= rank < world:
        raise ValueError(f"rank {rank} of {world}: must be at least 0 and below {world}")
    if policy == "even":
        return _some(even(rows, rank, world))
    if policy == "drop":
        return _some(even(rows - rows % world, rank, world))
    length = -(-rows // world)
    return _wrapped(rows, Range(rank * length, (rank + 1) * length))


def portion(ranges: Sequence[Range], index: int, parts: int) -> tuple[Range, ...]:
    """The ``index``-th of ``parts`` even parts of ``ranges`` laid end to end.

    So the DataLoader workers of a rank divide the rank's own rows; the rank's total stays as it is.
    """
    wanted = even(sum(r.rows for r in ranges), index, parts)
    out: list[Range] = []
    offset = 0
    for r in ranges:
        part = Range(r.start + wanted.start - offset, r.start + wanted.stop - offset).within(r)
        out.extend(_some(part))
        offset += r.rows
    return tuple(out)


def _some(r: Range) -> tuple[Range, ...]:
    return (r,) if r.rows else ()


def _wrapped(rows: int, wanted: Range) -> tuple[Range, ...]:
    out: list[Range] = []
    start = wanted.start
    while rows and start < wanted.stop:
        place = start % rows
        length = min(rows - place, wanted.stop - start)
        out.append(Range(place, place + length))
        start += length
    return tuple(out)
