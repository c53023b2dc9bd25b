"""How many ranges of large files are fetched at a time: two, and more where the network is slow.

In: turns taken, and the seconds spent in them, waiting for bytes or working on them. Out: further
turns, one by one, for as long as waiting is most of it. Where CPUs are what is short, each range
more costs switches between threads and room in caches, and brings nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_FIRST: Final = 2  # turns at the start: one waits while the other works
_WINDOW: Final = 0.4  # seconds, of all turns together, between two looks
_WAITING: Final = 0.8  # of a window: from here on the network is what is slow


class Lanes:
    """Turns, for many threads."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        """At most ``most`` turns at a time; ``clock`` tells seconds."""
        self._clock = clock
        self._spare = max(0, most - _FIRST)
        self._turns = threading.Semaphore(min(_FIRST, most))
        self._lock = threading.Lock()
        self._waited = self._worked = 0.0

    @contextmanager
    def taken(self) -> Iterator[Lane]:
        """One turn, once there is one."""
        with self._turns:
            yield Lane(self, self._clock)

    def spent(self, waited: float, worked: float) -> None:
        """Counts seconds of one turn; adds a turn where waiting is most of the last window."""
        with self._lock:
            self._waited += waited
            self._worked += worked
            total = self._waited + self._worked
            if total < _WINDOW:
                return
            slow = self._waited >= _WAITING * total
            self._waited = self._worked = 0.0
            if not slow or not self._spare:
                return
            self._spare -= 1
        self._turns.release()


class Lane:
    """One turn: of one thread, which waits whenever it does not work."""

    def __init__(self, lanes: Lanes, clock: Callable[[], float]) -> None:
        """Starts waiting."""
        self._lanes = lanes
        self._clock = clock
        self._since = clock()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Marks the time in which the thread works on what has come."""
        came = self._clock()
        yield
        done = self._clock()
        self._lanes.spent(came - self._since, done - came)
        self._since = done
