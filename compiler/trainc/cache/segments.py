"""How a worker's range is divided into files.

In: an ``Assignment``. Out: segments, each some tens of megabytes of consecutive rows, which are
read and written independently of one another. They end where a file or a row group ends, so that
nothing is decoded twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trainc.cache.plan import Assignment, Part
from trainc.cache.shard import Range
from trainc.cache.sources.source import Reader

SEGMENT_BYTES: Final = 48_000_000
# Every one is an open file of the worker.
MOST_SEGMENTS: Final = 256
_LARGE: Final = 4


@dataclass(frozen=True)
class Segment:
    """Consecutive rows of the table in one Arrow IPC file."""

    range: Range
    parts: tuple[Part, ...]

    @property
    def file(self) -> str:
        """Name of the file; it ends in its rows, so that a later start finds it again."""
        return f"{self.range.start}-{self.range.stop}.arrow"


def folder(spill: Path, assignment: Assignment) -> Path:
    """Where the segments of an assignment lie."""
    return spill / assignment.cache


def segments(assignment: Assignment, reader: Reader) -> Iterator[Segment]:
    """Divide an assignment."""
    size = max(SEGMENT_BYTES, assignment.range.rows * assignment.row_bytes / MOST_SEGMENTS)
    most = max(1, int(size / assignment.row_bytes))
    start = stop = assignment.range.start
    held: list[Part] = []
    for whole in assignment.parts:
        for part in _divided(whole, reader, most):
            held.append(part)
            stop += part.take
            if stop - start >= most:
                yield Segment(Range(start, stop), tuple(held))
                start, held = stop, []
    if held:
        yield Segment(Range(start, stop), tuple(held))


def _divided(part: Part, reader: Reader, most: int) -> list[Part]:
    """A part, cut at row groups where it is several segments long."""
    if part.take < _LARGE * most:
        return [part]
    end = part.skip + part.take
    inner = [cut for cut in reader.cuts(part.piece) if part.skip < cut < end]
    starts = [part.skip, *inner]
    return [
        Part(part.piece, start, stop - start)
        for start, stop in zip(starts, [*inner, end], strict=True)
        if stop > start
    ]
