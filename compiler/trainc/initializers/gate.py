"""How many threads do at a time what a local disk does one by one: one, and more where it is slow.

In: passes, and the seconds of CPU and of the clock that each takes. Out: room for one more while
all inside together leave the CPU alone, which is what a network's file system does; and for one
less when they do not. The kernel makes and renames the files of a folder one after the other: of
several threads all but one burn CPU, which is several times the work.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_WINDOW: Final = 0.4  # seconds, of all passes together, between two looks
# CPUs that all inside keep busy: below the first one more comes in, above the second one less.
_IDLE: Final = 0.3
_BUSY: Final = 0.8


class Gate:
    """Lets threads in, one at first."""

    def __init__(
        self,
        most: int,
        grown: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        cpu: Callable[[], float] = time.thread_time,
    ) -> None:
        """At most ``most`` at a time; ``grown`` is told of each one more.

        ``clock`` and ``cpu`` tell seconds, the latter of the thread that calls it.
        """
        self._most = most
        self._grown = grown
        self._clock = clock
        self._cpu = cpu
        self._free = threading.Condition()
        self._inside = 0
        self._room = 1
        self._seconds = self._worked = 0.0

    @contextmanager
    def passed(self) -> Iterator[None]:
        """A pass, once there is room."""
        with self._free:
            while self._inside >= self._room:
                self._free.wait()
            self._inside += 1
        came, before = self._clock(), self._cpu()
        try:
            yield
        finally:
            self._left(self._clock() - came, self._cpu() - before)

    def _left(self, seconds: float, worked: float) -> None:
        with self._free:
            self._inside -= 1
            self._seconds += seconds
            self._worked += worked
            change = self._change() if self._seconds >= _WINDOW else 0
            self._room += change
            self._free.notify(1 + max(0, change))
        if change > 0:
            self._grown()

    def _change(self) -> int:
        """How many more there is room for, after this window."""
        busy = self._room * self._worked / self._seconds
        self._seconds = self._worked = 0.0
        if busy < _IDLE and self._room < self._most:
            return 1
        return -1 if busy > _BUSY and self._room > 1 else 0
