"""The batches of a share in the epoch's order, put together from the workers' streams.

In: a layout. Out: one batch after another. One thread at a time may ask; another may interrupt it.
"""

import threading
import time
from collections.abc import Iterator

import pyarrow as pa

from trainc.cache.layout import Layout, Turn
from trainc.cache.security import Security
from trainc.cache.streams import Patience, Stream


class Assembly:
    """The share of one reader in one epoch."""

    def __init__(self, layout: Layout, security: Security, patience: Patience) -> None:
        """Connects to nothing yet.

        Args:
            layout: What to read from where.
            security: How to speak to the workers.
            patience: How long to wait for one that fails.
        """
        self._layout = layout
        self._security = security
        self._patience = patience
        self._streams: dict[tuple[int, int], Stream] = {}
        self._current: Stream | None = None
        self._waiting: float | None = None
        self._closed = False

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The batches, in order; ends early once it is closed.

        Raises:
            CacheUnavailable: A worker could not be reached for too long.
        """
        for turn in self._layout.turns():
            rows, stream = turn.rows, self._stream(turn)
            while rows > 0 and not self._closed:
                self._waiting = time.monotonic()
                batch = stream.next_batch()
                self._waiting = None
                rows -= batch.num_rows
                yield batch
            if rows < 0:
                raise RuntimeError(f"{-rows} rows too many: a batch crossed the end of a run")

    def interrupt(self, stall: float) -> None:
        """Have the stream asked for again that has given no row for ``stall`` seconds."""
        waiting, current = self._waiting, self._current
        if waiting is not None and current is not None and time.monotonic() - waiting > stall:
            self._waiting = time.monotonic()
            current.cancel()

    def close(self) -> None:
        """Have whoever waits for a batch give up; from any thread."""
        self._closed = True
        current = self._current
        if current is not None:
            current.close()

    def release(self) -> None:
        """Close the connections; when nobody asks any more."""
        for stream in self._streams.values():
            stream.close()
            stream.release()

    def _stream(self, turn: Turn) -> Stream:
        key = (turn.ticket, turn.worker)
        if key not in self._streams:
            address = self._layout.addresses[turn.worker]
            ticket = self._layout.tickets[turn.ticket]
            self._streams[key] = Stream(address, ticket, self._security, self._patience)
        self._current = self._streams[key]
        return self._current


class Watch:
    """A thread that interrupts an assembly whose worker says nothing."""

    def __init__(self, assembly: Assembly, stall: float) -> None:
        """Begins to watch."""
        self._assembly = assembly
        self._stall = stall
        self._ended = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def end(self) -> None:
        """Cease to watch."""
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.wait(self._stall / 4):
            self._assembly.interrupt(self._stall)
