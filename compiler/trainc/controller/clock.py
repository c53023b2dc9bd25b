"""The API server's time, as its answers tell it.

In: the ``Date`` header of an answer, and when the request was sent and the answer was there by this
machine's clock. Out: the present time by the server's clock. Objects' times of creation are the
server's; counted against another clock, a deadline would end a job at once, or never.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# Clocks drift apart by a few milliseconds a minute: an interval is worth that much less then.
_DRIFT = 1e-4


class ServerClock:
    """Time by the server's clock; this machine's until an answer was seen.

    A ``Date`` has whole seconds, so each answer bounds the offset to an interval of a second and
    the request's time; their intersection soon is a fraction of that.
    """

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Reads this machine's clock by ``now``."""
        self._now = now
        self._lock = threading.Lock()
        self._low, self._high = float("-inf"), float("inf")
        self._learned = 0.0

    def __call__(self) -> datetime:
        """The present time of the server."""
        return self._now() + timedelta(seconds=self.offset)

    def here(self) -> float:
        """This machine's time, in seconds since 1970."""
        return self._now().timestamp()

    @property
    def offset(self) -> float:
        """Seconds by which the server's clock is ahead of this machine's."""
        with self._lock:
            if self._low == float("-inf"):
                return 0.0
            # None where the two clocks may well be the same.
            return 0.0 if self._low <= 0 <= self._high else (self._low + self._high) / 2

    def learn(self, date: str | None, sent: float, received: float) -> None:
        """Takes what an answer says.

        Args:
            date: Its ``Date`` header; None, and what is no date, is passed over.
            sent: When the request was sent, as ``here`` gives it.
            received: When the answer was there.
        """
        try:
            told = parsedate_to_datetime(date or "").timestamp()
        except (ValueError, OverflowError):
            return
        low, high = told - received, told + 1 - sent
        with self._lock:
            slack = _DRIFT * max(received - self._learned, 0.0) if self._learned else 0.0
            self._learned = received
            both = max(low, self._low - slack), min(high, self._high + slack)
            # Nothing in common: one of the clocks was set.
            self._low, self._high = both if both[0] <= both[1] else (low, high)
