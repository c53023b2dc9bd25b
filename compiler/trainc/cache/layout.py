"""Which worker a reader takes its next rows from.

In: what the head says of tickets and workers. Out: (ticket, worker, rows) in the order of the
epoch. The reader computes the same order as the workers, so it can put their streams together
without being told row by row.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from trainc.cache.order import Order
from trainc.cache.shard import Range
from trainc.cache.ticket import Ticket, decode, versioned


class Turn(NamedTuple):
    """The next ``rows`` rows come from ``worker``'s stream of ticket ``ticket``."""

    ticket: int
    worker: int
    rows: int


@dataclass(frozen=True)
class Layout:
    """A reader's share and who holds it.

    Attributes:
        rows: Rows of the table.
        addresses: The workers.
        ranges: Rows each of them holds.
        tickets: The share, in reading order.
    """

    rows: int
    addresses: tuple[str, ...]
    ranges: tuple[Range, ...]
    tickets: tuple[Ticket, ...]

    @classmethod
    def decode(cls, data: bytes) -> "Layout":
        """The layout in the head's ``app_metadata``.

        Raises:
            ValueError: It is of another version.
        """
        fields = versioned(data, "layout")
        return cls(
            rows=fields["rows"],
            addresses=tuple(worker[0] for worker in fields["workers"]),
            ranges=tuple(Range(*worker[1:]) for worker in fields["workers"]),
            tickets=tuple(decode(ticket.encode()) for ticket in fields["tickets"]),
        )

    @property
    def share(self) -> int:
        """Rows of the reader."""
        return sum(ticket.positions.rows for ticket in self.tickets)

    def turns(self) -> Iterator[Turn]:
        """The order in which the streams are read."""
        for index, ticket in enumerate(self.tickets):
            order = Order(self.rows, ticket.block, ticket.seed, ticket.epoch)
            for run in order.runs(ticket.positions):
                for worker, held in enumerate(self.ranges):
                    part = run.within(held)
                    if part.rows:
                        yield Turn(index, worker, part.rows)
