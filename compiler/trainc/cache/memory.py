"""The memory limit of a load.

In: bytes allowed, and what Arrow has allocated. Out: threads that wait. The limit is on Arrow's own
account (``pyarrow.total_allocated_bytes``), which is nearly all that a load holds; files mapped
into memory are not in it, since the kernel takes them back at will.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import pyarrow as pa

_POLL_SECONDS: Final = 0.005
_PARTS: Final = 8


class Gate:
    """Lets threads read while memory is left, and always one of them."""

    def __init__(self, limit: int, allocated: Callable[[], int] = pa.total_allocated_bytes) -> None:
        """Bounds memory.

        Args:
            limit: Bytes.
            allocated: Bytes allocated now.
        """
        self.limit = limit
        self.waited = 0
        self._allocated = allocated
        self._lock = threading.Lock()
        self._going: list[Turn] = []

    def rows(self, wanted: int, row_bytes: float) -> int:
        """Rows to decode at a time: as many as wanted, less where the limit is small."""
        return max(1, min(wanted, int(self.limit / _PARTS / row_bytes)))

    @contextmanager
    def reading(self) -> Iterator["Turn"]:
        """A thread's time of reading."""
        turn = Turn(self)
        with self._lock:
            self._going.append(turn)
        try:
            yield turn
        finally:
            with self._lock:
                self._going.remove(turn)

    def full(self) -> bool:
        """Whether the limit is reached."""
        return self._allocated() >= self.limit

    def eldest(self, turn: "Turn") -> bool:
        """Whether a thread has been reading longest; it may always go on, so that all get done."""
        with self._lock:
            return self._going[0] is turn


class Turn:
    """One thread's place at the gate."""

    def __init__(self, gate: Gate) -> None:
        """Stands at ``gate``."""
        self._gate = gate

    def wait(self) -> None:
        """Return when the thread may read its next batch."""
        while self._gate.full() and not self._gate.eldest(self):
            self._gate.waited += 1
            time.sleep(_POLL_SECONDS)
