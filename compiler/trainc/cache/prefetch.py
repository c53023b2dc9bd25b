"""Reads ahead in a thread, so that the network works while the reader computes.

In: a layout. Out: its batches, in order. The thread holds at most a few batches ready; a worker
that says nothing for too long is given up and asked again.
"""

import contextlib
import queue
import threading
from collections.abc import Iterator
from typing import Any, Final

import pyarrow as pa

from trainc.cache.layout import Layout
from trainc.cache.security import Security
from trainc.cache.streams import Patience, Stream

_END: Final = object()
_LOOK_SECONDS: Final = 0.01


class Prefetch:
    """The batches of one epoch of one reader."""

    def __init__(
        self, layout: Layout, security: Security, patience: Patience, ahead: int, stall: float
    ) -> None:
        """Begins to read.

        Args:
            layout: What to read from where.
            security: How to speak to the workers.
            patience: How long to wait for one that fails.
            ahead: Batches held ready.
            stall: Seconds without a row after which a stream is asked for again.
        """
        self._layout = layout
        self._security = security
        self._patience = patience
        self._stall = stall
        self._ready: queue.Queue[Any] = queue.Queue(max(1, ahead))
        self._streams: dict[tuple[int, int], Stream] = {}
        self._current: Stream | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The batches, in order.

        Raises:
            CacheUnavailable: A worker could not be reached for too long.
        """
        try:
            while (item := self._take()) is not _END:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            self.close()

    def close(self) -> None:
        """Stop reading and end the thread."""
        self._closed = True
        while self._thread.is_alive():
            current = self._current
            if current is not None:
                current.close()
            # The thread may wait for room to put its last batch in.
            with contextlib.suppress(queue.Empty):
                self._ready.get_nowait()
            self._thread.join(_LOOK_SECONDS)

    def _take(self) -> Any:
        while True:
            try:
                return self._ready.get(timeout=self._stall)
            except queue.Empty:
                current = self._current
                if current is not None:
                    current.cancel()

    def _run(self) -> None:
        try:
            for turn in self._layout.turns():
                self._turn(turn.ticket, turn.worker, turn.rows)
                if self._closed:
                    break
            self._ready.put(_END)
        except BaseException as error:
            self._ready.put(error)
        finally:
            for stream in self._streams.values():
                stream.close()
                stream.release()

    def _turn(self, ticket: int, worker: int, rows: int) -> None:
        self._current = self._stream(ticket, worker)
        while rows > 0 and not self._closed:
            batch = self._current.next_batch()
            rows -= batch.num_rows
            self._ready.put(batch)
        if rows < 0:
            raise RuntimeError(f"{-rows} rows too many: a batch crossed the end of a run")

    def _stream(self, ticket: int, worker: int) -> Stream:
        key = (ticket, worker)
        if key not in self._streams:
            self._streams[key] = Stream(
                self._layout.addresses[worker],
                self._layout.tickets[ticket],
                self._security,
                self._patience,
            )
        return self._streams[key]
