"""A ticket's rows as a stream of tables.

In: a ticket and the rows a worker holds. Out: small tables, each a window of batches, which the
C++ side of Flight sends on its own; so Python runs once for many batches. No batch crosses the end
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

# The first window is one batch, so that it is on its way at once.
_WINDOW: Final = 32


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
    window: list[pa.RecordBatch] = []
    most = 1
    for batch in _batches(ticket, store):
        window.append(batch)
        if len(window) >= most:
            yield pa.Table.from_batches(window)
            window, most = [], _WINDOW
    if window:
        yield pa.Table.from_batches(window)


def _batches(ticket: Ticket, store: Store) -> Iterator[pa.RecordBatch]:
    assignment = store.assignment
    for run in runs_held(ticket, assignment.rows, assignment.range):
        yield from store.batches(run)
