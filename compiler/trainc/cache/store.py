"""A worker's rows: Arrow IPC files mapped into memory.

In: the segments the loader has finished. Out: batches of any range of rows, without a copy. The
files are mapped, so that what serving costs in anonymous memory does not grow with the table.
"""

import threading
from array import array
from bisect import bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from trainc.cache.plan import Assignment
from trainc.cache.segments import Segment, folder
from trainc.cache.shard import Range


@dataclass(order=True, frozen=True)
class _Mapped:
    start: int
    stop: int
    reader: pa.ipc.RecordBatchFileReader = field(compare=False)
    # Number of the first row of each batch, in the table.
    firsts: "array[int]" = field(compare=False)
    size: int = field(compare=False)


class Store:
    """The rows of one assignment, as far as they are loaded."""

    def __init__(self, assignment: Assignment, spill: Path) -> None:
        """Holds no rows yet.

        Args:
            assignment: What is to be held.
            spill: The folder that the loader was given.
        """
        self.assignment = assignment
        self.folder = folder(spill, assignment)
        self._lock = threading.Lock()
        self._segments: list[_Mapped] = []

    def add(self, rows: Range) -> None:
        """Map the segment of these rows.

        Raises:
            OSError: Its file is not there.
            ValueError: Its file does not hold these rows.
        """
        path = self.folder / Segment(rows, ()).file
        reader = pa.ipc.open_file(pa.memory_map(str(path)))
        firsts, row = array("q"), rows.start
        for index in range(reader.num_record_batches):
            firsts.append(row)
            row += reader.get_batch(index).num_rows
        if row != rows.stop or not reader.schema.equals(self.assignment.schema):
            raise ValueError(f"{path}: not the rows {rows.start} to {rows.stop} of this table")
        mapped = _Mapped(rows.start, rows.stop, reader, firsts, path.stat().st_size)
        with self._lock:
            insort(self._segments, mapped)

    @property
    def size(self) -> int:
        """Bytes of the files."""
        return sum(segment.size for segment in self._segments)

    def missing(self) -> list[Range]:
        """Rows of the assignment that are not loaded."""
        gaps, row = [], self.assignment.range.start
        for segment in list(self._segments):
            if segment.start > row:
                gaps.append(Range(row, segment.start))
            row = segment.stop
        if row < self.assignment.range.stop:
            gaps.append(Range(row, self.assignment.range.stop))
        return gaps

    def batches(self, rows: Range) -> Iterator[pa.RecordBatch]:
        """The rows asked for, which must be loaded, in batches on the table's grid."""
        for segment, part in self._parts(rows):
            yield from _within(segment, part)

    def tables(self, rows: Range) -> Iterator[pa.Table]:
        """The same rows and batches, a table for each segment, made without Python per batch."""
        for segment, part in self._parts(rows):
            yield segment.reader.read_all().slice(part.start - segment.start, part.rows)

    def _parts(self, rows: Range) -> Iterator[tuple[_Mapped, Range]]:
        segments = self._segments
        at = bisect_right(segments, rows.start, key=lambda segment: segment.start) - 1
        while rows.rows:
            part = rows.within(Range(segments[at].start, segments[at].stop))
            yield segments[at], part
            rows = Range(part.stop, rows.stop)
            at += 1


def _within(segment: _Mapped, rows: Range) -> Iterator[pa.RecordBatch]:
    index = bisect_right(segment.firsts, rows.start) - 1
    while index < len(segment.firsts) and rows.rows:
        skip = rows.start - segment.firsts[index]
        batch = segment.reader.get_batch(index)
        if skip or batch.num_rows > rows.rows:
            batch = batch.slice(skip, rows.rows)
        yield batch
        rows = Range(rows.start + batch.num_rows, rows.stop)
        index += 1
