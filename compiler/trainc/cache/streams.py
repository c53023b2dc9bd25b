"""Streams that break and go on: one worker's rows of one ticket, each exactly once.

In: a ticket and the address of a worker. Out: record batches. Where the stream breaks it is asked
for again from the row after the last that came, for as long as the reader is patient.
"""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
from pyarrow import flight

from trainc.cache.security import Security
from trainc.cache.ticket import Ticket

logger = logging.getLogger(__name__)

_FIRST_PAUSE: Final = 0.05
_LAST_PAUSE: Final = 5.0
# What a new try may mend. INTERNAL is what gRPC says of a connection that was cut in a message.
TRANSIENT: Final = (
    flight.FlightUnavailableError,
    flight.FlightTimedOutError,
    flight.FlightCancelledError,
    flight.FlightInternalError,
    OSError,
)


def said(error: Exception) -> str:
    """What the other side said, without the traceback that Flight sends with it."""
    return str(error).partition(". Detail: ")[0].partition(". gRPC client debug context")[0]


class CacheUnavailable(ConnectionError):  # noqa: N818 - said as what is the case
    """The cache did not answer, or not with rows, for as long as the reader was ready to wait."""


@dataclass(frozen=True)
class Patience:
    """How long a reader waits.

    Attributes:
        seconds: From the first failure until it gives up; begins anew when a row has come.
    """

    seconds: float = 300.0

    def retry(self, act: Callable[[], Any], what: str, give_up: Callable[[], bool]) -> Any:
        """What ``act`` gives, tried again while it fails with what a new try may mend.

        Raises:
            CacheUnavailable: It failed for too long.
        """
        deadline = time.monotonic() + self.seconds
        pause = _FIRST_PAUSE
        while True:
            try:
                return act()
            except (FileNotFoundError, PermissionError):
                raise  # the CA's or the token's file
            except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
                raise type(error)(said(error)) from None
            except TRANSIENT as error:
                if give_up() or time.monotonic() + pause > deadline:
                    raise CacheUnavailable(f"{what}: {said(error)}") from error
                logger.warning("%s: %s; next try in %.2f s", what, said(error), pause)
            # Not all readers at once: they have all lost the same worker.
            time.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(_LAST_PAUSE, 2 * pause)


class Stream:
    """One worker's rows of one ticket."""

    def __init__(
        self, address: str, ticket: Ticket, security: Security, patience: Patience
    ) -> None:
        """Asks for nothing yet."""
        self._address = address
        self._ticket = ticket
        self._security = security
        self._patience = patience
        self._client: flight.FlightClient | None = None
        self._reader: Any = None
        self._received = 0
        self._closed = False

    def next_batch(self) -> pa.RecordBatch:
        """The next rows; at least one.

        Raises:
            CacheUnavailable: None came for too long.
            pa.ArrowInvalid: The worker holds another plan now.
        """
        what = f"rows from {self._address}"
        return self._patience.retry(self._next, what, lambda: self._closed)

    def cancel(self) -> None:
        """Break off what is being waited for; the next call asks again."""
        reader = self._reader
        if reader is not None:
            reader.cancel()

    def close(self) -> None:
        """Break off for good."""
        self._closed = True
        self.cancel()

    def release(self) -> None:
        """Close the connection; called by the thread that reads."""
        self._reader = None
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _next(self) -> pa.RecordBatch:
        try:
            if self._reader is None:
                self._open()
            batch = self._reader.read_chunk().data
            while not batch.num_rows:
                batch = self._reader.read_chunk().data
        except StopIteration:
            self.release()
            # The worker was told to end in mid-stream, or ended: the rest is still to come.
            raise flight.FlightUnavailableError(
                f"the stream ended after {self._received} rows"
            ) from None
        except Exception:
            self.release()
            raise
        self._received += batch.num_rows
        return batch

    def _open(self) -> None:
        self._client = self._security.connect(self._address)
        ticket = self._ticket.with_offset(self._received).encode()
        self._reader = self._client.do_get(flight.Ticket(ticket), self._security.call())
