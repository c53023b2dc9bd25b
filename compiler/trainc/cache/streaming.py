"""A ticket's rows as a stream of tables.

In: a ticket and the rows a worker holds. Out: tables of some batches each, which the C++ side of
Flight sends batch by batch; so Python runs once for many of them. No batch crosses the end
of a run of the epoch's order, because a reader puts the streams of several workers together by
runs.
"""

from collections.abc import Iterator
from typing import Final

import pyarrow as pa

from trainc.cache.order import Order
from trainc.cache.shard import Range
from trainc.cache.store import Store
from trainc.cache.ticket import Ticket

_WINDOW: Final = 8
# Blocks from which on a run is worth a whole segment's metadata.
_LONG_RUN: Final = 4


def runs_held(ticket: Ticket, rows: int, held: Range) -> Iterator[Range]:
    """The runs of a ticket's order that a worker holds, without those the reader has already.

    Args:
        ticket: What is asked for.
        rows: Rows of the table.
        held: Rows of the worker.
    """
    skip = ticket.offset
    order = Order(rows, ticket.block, ticket.seed, ticket.epoch)
    for run in order.runs(ticket.positions):
        part = run.within(held)
        if part.rows <= skip:
            skip -= part.rows
            continue
        yield Range(part.start + skip, part.stop)
        skip = 0


def tables(ticket: Ticket, store: Store) -> Iterator[pa.Table]:
    """The rows of a ticket that a worker holds, in order."""
    assignment = store.assignment
    window: list[pa.RecordBatch] = []
    for run in runs_held(ticket, assignment.rows, assignment.range):
        if run.rows > _LONG_RUN * assignment.block:
            yield from _joined(window)
            yield from store.tables(run)
            window = []
            continue
        window += store.batches(run)
        if len(window) >= _WINDOW:
            yield from _joined(window)
            window = []
    yield from _joined(window)


def _joined(window: list[pa.RecordBatch]) -> Iterator[pa.Table]:
    if window:
        yield pa.Table.from_batches(window)
