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
from collections.abc import Mapping
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
# The rank in its pod (node) and in the job, as launchers set them: torchrun, Accelerate and
# DeepSpeed, Open MPI, MPICH and Intel MPI, MVAPICH, Slurm, Flux.
_LOCAL_RANKS: Final = (
    "LOCAL_RANK",
    "OMPI_COMM_WORLD_LOCAL_RANK",
    "MPI_LOCALRANKID",
    "MV2_COMM_WORLD_LOCAL_RANK",
    "SLURM_LOCALID",
    "FLUX_TASK_LOCAL_ID",
)
_RANKS: Final = (
    "RANK",
    "OMPI_COMM_WORLD_RANK",
    "PMI_RANK",
    "PMIX_RANK",
    "MV2_COMM_WORLD_RANK",
    "SLURM_PROCID",
    "FLUX_TASK_RANK",
)


def report(
    percent: float | None = None, *, remaining: float | None = None, **metrics: object
) -> None:
    """Tells how far training is; returns at once and never raises.

    Every process may call it: local rank 0 of the pod with index 0 posts, the others do nothing.

    Args:
        percent: 0 to 100; what is no finite number is left out, the rest is reported.
        remaining: Seconds until the end, where that is known; as ``percent``.
        metrics: Anything that can be written in 64 characters: ``loss=0.3``. One without a name
            is left out, with a warning.
    """
    with contextlib.suppress(Exception):
        url = os.environ.get(STATUS_URL_ENV, "")
        if url and _is_first(os.environ):
            status = _status(percent, remaining, metrics)
            empty = len(status) == 1 and not percent is remaining is None
            if not empty:  # it would wipe out what was reported before
                _REPORTER.offer(url, status)


def _is_first(environ: Mapping[str, str]) -> bool:
    """Whether this is local rank 0 of the pod with index 0: all of a pod bear the same token.

    The global rank counts only where nothing else tells processes apart: an elastic rendezvous
    may give rank 0 to any pod.
    """
    index = environ.get(JOB_COMPLETION_INDEX, "")
    local = [environ[name] for name in _LOCAL_RANKS if environ.get(name)]
    ranks = [environ[name] for name in _RANKS if environ.get(name)]
    if not index or not local:
        local += ranks
    return all(rank.strip() == "0" for rank in (index or "0", *local))


def _status(
    percent: float | None, remaining: float | None, metrics: dict[str, object]
) -> dict[str, Any]:
    """The ``trainerStatus``, within the bounds of its CRD."""
    status: dict[str, Any] = {"lastUpdatedTime": datetime.now(UTC).isoformat()}
    if (whole := _whole(percent, 100)) is not None:
        status["progressPercentage"] = whole
    if (whole := _whole(remaining, _MOST_REMAINING)) is not None:
        status["estimatedRemainingSeconds"] = whole
    if "" in metrics:
        logger.warning("a metric without a name is not reported: %s", _text(metrics[""]))
    named = [(name, value) for name, value in metrics.items() if name]
    told = [
        {"name": name[:_LONGEST], "value": _text(value)} for name, value in named[:_MOST_METRICS]
    ]
    return status | ({"metrics": told} if told else {})


def _whole(value: float | None, most: int) -> int | None:
    """The number within 0 and ``most``; None for what is none: NaN, infinity, no number."""
    try:
        return None if value is None else max(0, min(most, int(value)))
    except (TypeError, ValueError, OverflowError):
        return None


def _text(value: object) -> str:
    try:
        text = f"{value:.6g}" if isinstance(value, float) else str(value)
    except Exception:  # of the user's own class: the other metrics are fine
        text = ""
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
