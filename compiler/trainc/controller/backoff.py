"""Waiting longer after each failure: exponential, with jitter, up to a bound."""

from __future__ import annotations

import random


class Backoff:
    """The waits of one thing that may fail again and again."""

    def __init__(self, first: float, most: float) -> None:
        """``first`` and ``most`` seconds; each wait is about twice the one before."""
        self._first = first
        self._most = most
        self._failures = 0

    def next(self) -> float:
        """Seconds to wait now; between half and all of the full wait, so that many do not meet."""
        full = wait(self._failures, self._first, self._most)
        self._failures += 1
        return full * (0.5 + random.random() / 2)

    def reset(self) -> None:
        """It went well: the next wait is the first again."""
        self._failures = 0


def wait(failures: int, first: float, most: float) -> float:
    """The full wait in seconds after that many failures."""
    return min(most, first * 2.0 ** min(failures, 60))
