"""Reads ahead while the reader computes.

In: an assembly of batches. Out: the same batches, in order. A reader that does nothing with a batch
but take the next is given them directly: a second thread would only cost it. One that computes gets
a thread, which holds a few batches ready.
"""

import contextlib
import queue
import threading
import time
from collections.abc import Generator, Iterator
from typing import Any, Final

import pyarrow as pa

from trainc.cache.assembly import Assembly, Watch

_END: Final = object()
_LOOK_SECONDS: Final = 0.01
# Mean time between two batches from which on the reader is held to compute, and batches it takes to
# find out.
_COMPUTES_SECONDS: Final = 0.0005
_LEAST: Final = 2


def prefetched(assembly: Assembly, ahead: int, stall: float) -> Iterator[pa.RecordBatch]:
    """The batches of an assembly, read ahead where that pays.

    Args:
        assembly: What to read; is released at the end.
        ahead: Batches held ready.
        stall: Seconds without a row after which a stream is asked for again.

    Raises:
        CacheUnavailable: A worker could not be reached for too long.
    """
    watch = Watch(assembly, stall)
    batches = assembly.batches()
    try:
        if (yield from _until_it_computes(batches)):
            yield from _Ahead(assembly, batches, ahead).batches()
    finally:
        watch.end()
        assembly.release()


def _until_it_computes(
    batches: Iterator[pa.RecordBatch],
) -> Generator[pa.RecordBatch, None, bool]:
    """Give batches directly; whether the reader was found to compute before they ended."""
    away = 0.0
    for count, batch in enumerate(batches, start=1):
        left = time.perf_counter()
        yield batch
        away += time.perf_counter() - left
        if count >= _LEAST and away > count * _COMPUTES_SECONDS:
            return True
    return False


class _Ahead:
    """A thread that reads, and the batches it has ready."""

    def __init__(self, assembly: Assembly, batches: Iterator[pa.RecordBatch], ahead: int) -> None:
        self._assembly = assembly
        self._ready: queue.Queue[Any] = queue.Queue(max(1, ahead))
        self._closed = False
        self._thread = threading.Thread(target=self._run, args=(batches,), daemon=True)

    def batches(self) -> Iterator[pa.RecordBatch]:
        self._thread.start()
        try:
            while (item := self._ready.get()) is not _END:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            self._close()

    def _close(self) -> None:
        self._closed = True
        while self._thread.is_alive():
            self._assembly.close()
            # The thread may wait for room to put its last batch in.
            with contextlib.suppress(queue.Empty):
                self._ready.get_nowait()
            self._thread.join(_LOOK_SECONDS)

    def _run(self, batches: Iterator[pa.RecordBatch]) -> None:
        try:
            for batch in batches:
                self._ready.put(batch)
                if self._closed:
                    break
            self._ready.put(_END)
        except BaseException as error:
            self._ready.put(error)
