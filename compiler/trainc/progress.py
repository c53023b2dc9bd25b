"""Progress from training code to the TrainJob's status, in three lines that cannot hurt.

In: how far training is. Out: posts by the status protocol (KEP-2779), from a thread of their own,
the newest at most every 5 seconds. Nothing here raises into training, blocks it, or needs more than
Python; outside a job that reports it does nothing.

    from trainc.progress import report

    for step in range(steps):
        report(100 * step / steps, loss=train(step))
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from trainc.endpoint import post
from trainc.names import JOB_COMPLETION_INDEX, STATUS_CA_ENV, STATUS_TOKEN_ENV, STATUS_URL_ENV

logger = logging.getLogger(__name__)

EVERY_SECONDS: Final = 5.0
_LAST_SECONDS: Final = 3.0  # seconds the end of the program waits for the last post
_MOST_METRICS: Final = 256
_LONGEST: Final = 64  # characters of a metric's name and value
_MOST_REMAINING: Final = 2**31 - 1


def report(
    percent: float | None = None, *, remaining: float | None = None, **metrics: object
) -> None:
    """Tells how far training is; returns at once and never raises.

    Args:
        percent: 0 to 100.
        remaining: Seconds until the end, where that is known.
        metrics: Anything that can be written in 64 characters: ``loss=0.3``.
    """
    with contextlib.suppress(Exception):
        url = os.environ.get(STATUS_URL_ENV, "")
        # Other ranks would be answered and not written.
        if url and os.environ.get(JOB_COMPLETION_INDEX, "0") == "0":
            _REPORTER.offer(url, _status(percent, remaining, metrics))


def _status(
    percent: float | None, remaining: float | None, metrics: dict[str, object]
) -> dict[str, Any]:
    """The ``trainerStatus``, within the bounds of its CRD."""
    status: dict[str, Any] = {"lastUpdatedTime": datetime.now(UTC).isoformat()}
    if percent is not None:
        status["progressPercentage"] = max(0, min(100, int(percent)))
    if remaining is not None:
        status["estimatedRemainingSeconds"] = max(0, min(_MOST_REMAINING, int(remaining)))
    told = [
        {"name": name[:_LONGEST], "value": _text(value)}
        for name, value in list(metrics.items())[:_MOST_METRICS]
    ]
    return status | ({"metrics": told} if told else {})


def _text(value: object) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text[:_LONGEST] or "-"


class _Reporter:
    """Posts the newest status, from a thread that is started by the first one."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._url = ""
        self._pending: dict[str, Any] | None = None
        self._posted_at = float("-inf")
        self._ends = False
        self._thread: threading.Thread | None = None
        self._process = 0

    def offer(self, url: str, status: dict[str, Any]) -> None:
        """Takes a status; one that was not posted so far is dropped for it."""
        if self._process != os.getpid():  # a child of fork has no threads
            self.__init__()  # type: ignore[misc]
            self._process = os.getpid()
        with self._change:
            self._url, self._pending = url, status
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="progress", daemon=True)
                self._thread.start()
                atexit.register(self.finish)
            self._change.notify()

    def finish(self) -> None:
        """Posts what is pending, at once, and ends."""
        with self._change:
            self._ends = True
            self._change.notify()
        if self._thread is not None and self._process == os.getpid():
            self._thread.join(_LAST_SECONDS)

    def _run(self) -> None:
        while (status := self._next()) is not None:
            try:
                _post(self._url, status)
            except Exception as error:
                logger.warning("progress was not taken: %s", error)

    def _next(self) -> dict[str, Any] | None:
        """Waits for a status whose time has come; None at the end."""
        with self._change:
            while True:
                due = self._posted_at + EVERY_SECONDS - time.monotonic()
                if self._pending is not None and (due <= 0 or self._ends):
                    status, self._pending = self._pending, None
                    self._posted_at = time.monotonic()
                    return status
                if self._ends:
                    return None
                self._change.wait(due if self._pending is not None else None)


def _post(url: str, status: dict[str, Any]) -> None:
    token = Path(os.environ[STATUS_TOKEN_ENV]).read_text().strip()  # read anew: it rotates
    post(url, {"trainerStatus": status}, token, os.environ.get(STATUS_CA_ENV, ""))


_REPORTER: Final = _Reporter()
