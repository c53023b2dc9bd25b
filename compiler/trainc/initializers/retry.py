"""When to try again: exponential back-off with full jitter, bounded in time.

In: the transient failures of one operation. Out: a pause, or the failure itself once the time that
``RETRY_MAX_SECONDS`` grants has passed without progress. Full jitter, because many pods and threads
that fail together must not come back together.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from trainc.initializers.failure import TransientError

_FIRST: Final = 0.5  # seconds, the bound of the first pause
_LONGEST: Final = 30.0  # seconds
_DOUBLINGS: Final = 10

_T = TypeVar("_T")
_logger = logging.getLogger(__name__)


class Stopped(Exception):  # noqa: N818 - it is no error: another worker's failure ends this one
    """The fetch is over; this worker need not go on."""


@dataclass(frozen=True)
class Patience:
    """How long retries go on, and what ends them early."""

    max_seconds: float
    stop: threading.Event = field(default_factory=threading.Event)

    def persist(self, operation: Callable[[], _T]) -> _T:
        """What the operation returns, once it does.

        Raises:
            TransientError: the operation's own, when time is up.
        """
        retry = Retry(self)
        while True:
            try:
                return operation()
            except TransientError as error:
                retry.failed(error)


class Retry:
    """The failures in a row of one operation."""

    def __init__(self, patience: Patience) -> None:
        """Starts without any."""
        self._patience = patience
        self._count = 0
        self._since = 0.0

    def progressed(self) -> None:
        """Forgets earlier failures: something arrived since."""
        self._count = 0

    def failed(self, error: TransientError) -> None:
        """Waits until the next attempt is due.

        Raises:
            TransientError: ``error``, where no attempt is left.
            Stopped: where the fetch has ended meanwhile.
        """
        now = time.monotonic()
        if self._count == 0:
            self._since = now
        left = self._since + self._patience.max_seconds - now
        self._count += 1
        if not error.again or left <= 0 or error.retry_after > left:
            raise error
        pause = min(self._pause(error), left)
        _logger.info("trying again in %.1f s: %s", pause, error)
        if self._patience.stop.wait(pause):
            raise Stopped

    def _pause(self, error: TransientError) -> float:
        bound = min(_LONGEST, _FIRST * 2 ** min(self._count - 1, _DOUBLINGS))
        # A server's wish is a lower bound; the jitter then keeps the crowd apart.
        return error.retry_after + random.uniform(0, bound)
