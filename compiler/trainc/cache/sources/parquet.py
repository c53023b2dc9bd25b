"""The rows of one Parquet file, row group by row group, in little memory.

In: an open file, the rows wanted, the rows deleted. Out: batches as the file holds them. Read here
rather than by a dataset scanner because the scanner decodes several row groups ahead (600 MB for
files of 24 MB) and cannot start in the middle of a file.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq


def row_group_batches(
    file: pq.ParquetFile, columns: Sequence[str], size: int, skip: int, dead: Sequence[int]
) -> Iterator[pa.RecordBatch]:
    """Live rows of a file after the first ``skip`` live ones.

    Args:
        file: The open file.
        columns: Columns to decode, by the file's names.
        size: Rows decoded at a time.
        skip: Live rows to leave out; whole row groups are skipped unread.
        dead: Positions of deleted rows, ascending.
    """
    first = 0
    for group in range(file.num_row_groups):
        rows = file.metadata.row_group(group).num_rows
        live = rows - (bisect_left(dead, first + rows) - bisect_left(dead, first))
        if skip >= live:
            skip -= live
        else:
            yield from _group(file, group, columns, size, skip, first, dead)
            skip = 0
        first += rows


def row_group_starts(file: pq.ParquetFile, dead: Sequence[int]) -> list[int]:
    """The number of live rows before each row group."""
    starts, first, live = [], 0, 0
    for group in range(file.num_row_groups):
        starts.append(live)
        rows = file.metadata.row_group(group).num_rows
        live += rows - (bisect_left(dead, first + rows) - bisect_left(dead, first))
        first += rows
    return starts


def _group(
    file: pq.ParquetFile,
    group: int,
    columns: Sequence[str],
    size: int,
    skip: int,
    first: int,
    dead: Sequence[int],
) -> Iterator[pa.RecordBatch]:
    batches = file.iter_batches(size, row_groups=[group], columns=columns, use_threads=False)
    for batch in batches:
        live = _live(batch, first, dead)
        first += batch.num_rows
        if skip >= live.num_rows:
            skip -= live.num_rows
            continue
        yield live.slice(skip)
        skip = 0


def _live(batch: pa.RecordBatch, first: int, dead: Sequence[int]) -> pa.RecordBatch:
    """The batch, whose first row is row ``first`` of the file, without its deleted rows."""
    start = bisect_left(dead, first)
    stop = bisect_left(dead, first + batch.num_rows)
    if start == stop:
        return batch
    mask = bytearray(b"\x01") * batch.num_rows
    for position in dead[start:stop]:
        mask[position - first] = 0
    keep = pa.Array.from_buffers(pa.uint8(), len(mask), [None, pa.py_buffer(mask)])
    return batch.filter(keep.cast(pa.bool_()))
