"""Batches of 1 to 2 MB, cut on one grid of rows for the whole table.

In: batches of any size, as readers give them, and the number of their first row. Out: the same rows
in batches none of which crosses a multiple of the block, so that a shuffled block is a whole batch,
and none of which is over 2 MB unless one row is.
"""

from collections.abc import Iterator
from typing import Final

import pyarrow as pa

MOST_BYTES: Final = 2_000_000


def on_grid(
    batches: Iterator[pa.RecordBatch], first: int, block: int, most: int = MOST_BYTES
) -> Iterator[pa.RecordBatch]:
    """Cut and join batches.

    Args:
        batches: Rows in order.
        first: Number of the first row in the table.
        block: Rows of the grid.
        most: Bytes of a batch, unless one row is larger.
    """
    held: list[pa.RecordBatch] = []
    room = block - first % block
    for batch in batches:
        while batch.num_rows:
            part = batch.slice(0, room)
            batch = batch.slice(part.num_rows)
            held.append(part)
            room -= part.num_rows
            if not room:
                yield from _sized(_joined(held), most)
                held, room = [], block
    if held:
        yield from _sized(_joined(held), most)


def _joined(held: list[pa.RecordBatch]) -> pa.RecordBatch:
    return held[0] if len(held) == 1 else pa.concat_batches(held)


def _sized(batch: pa.RecordBatch, most: int) -> Iterator[pa.RecordBatch]:
    if batch.num_rows <= 1 or batch.nbytes <= most:
        yield batch
        return
    half = batch.num_rows // 2
    yield from _sized(batch.slice(0, half), most)
    yield from _sized(batch.slice(half), most)
