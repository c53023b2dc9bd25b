"""How far the fetch is: a bar on a terminal, a line now and then in a pod, the status endpoint.

In: bytes and files as they arrive. Out: text on stderr and, where the endpoint is set, reports.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TextIO

_LINE_SECONDS: Final = 5.0
_BAR_SECONDS: Final = 0.2
_REPORT_SECONDS: Final = 10.0
_BAR_CELLS: Final = 24
_COLUMNS: Final = 80  # of a terminal that does not tell
_CLEAR: Final = "\r\x1b[K"

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Snapshot:
    """The state at one moment.

    Attributes:
        done_bytes, total_bytes: Of the files to be fetched; what was there before counts as done.
        done_files, total_files: Alike.
        rate: Bytes a second that arrived since the start of this process.
        remaining: Seconds that are left at this rate, None where nothing arrived yet.
    """

    done_bytes: int
    total_bytes: int
    done_files: int
    total_files: int
    rate: float
    remaining: float | None

    @property
    def percentage(self) -> int:
        """Whole per cent, 100 only when every file is in place."""
        if self.done_files == self.total_files:
            return 100
        return min(99, int(100 * self.done_bytes / self.total_bytes)) if self.total_bytes else 0

    def __str__(self) -> str:
        """The state in one line."""
        eta = "" if self.remaining is None else f", ETA {_duration(self.remaining)}"
        return (
            f"{amount(self.done_bytes)} of {amount(self.total_bytes)} ({self.percentage} %), "
            f"{self.done_files} of {self.total_files} files, {amount(self.rate)}/s{eta}"
        )


class Progress:
    """Counts what arrives, from any thread; shows it when the main thread says so."""

    def __init__(
        self,
        stream: TextIO | None = None,
        report: Callable[[Snapshot], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Shows on ``stream`` (stderr), and to ``report`` where there is one."""
        self._stream = stream or sys.stderr
        self._report = report
        self._clock = clock
        self._lock = threading.Lock()
        self._counts = [0, 0, 0, 0]
        self._before = 0
        self._start = self._shown = self._reported = clock()

    def begin(self, total_bytes: int, total_files: int, done_bytes: int, done_files: int) -> None:
        """Sets what there is to do, and what an earlier process has done of it."""
        with self._lock:
            self._counts = [done_bytes, total_bytes, done_files, total_files]
            self._before = done_bytes
            self._start = self._shown = self._reported = self._clock()

    def arrived(self, count: int) -> None:
        """Counts bytes; a negative number takes bytes back that were not what was promised."""
        with self._lock:
            self._counts[0] += count

    def finished(self) -> None:
        """Counts one file that is in place."""
        with self._lock:
            self._counts[2] += 1

    def snapshot(self) -> Snapshot:
        """The state now."""
        with self._lock:
            done, total, files, all_files = self._counts
            seconds = self._clock() - self._start
            rate = (done - self._before) / seconds if seconds > 0 else 0.0
        return Snapshot(
            done, total, files, all_files, rate, (total - done) / rate if rate else None
        )

    def show(self) -> None:
        """Shows the state where it is due; cheap where it is not."""
        now = self._clock()
        if self._report and now - self._reported >= _REPORT_SECONDS:
            self._reported = now
            self._report(self.snapshot())
        watched = self._stream.isatty()
        if now - self._shown < (_BAR_SECONDS if watched else _LINE_SECONDS):
            return
        self._shown = now
        if watched:
            self._stream.write(f"{_CLEAR}{_bar(self.snapshot(), self._width())}")
            self._stream.flush()
        else:
            _logger.info("fetched %s", self.snapshot())

    def _width(self) -> int:
        """Cells of the terminal's line: a bar that went on in a second one could not be redrawn."""
        try:
            return (os.get_terminal_size(self._stream.fileno()).columns or _COLUMNS) - 1
        except OSError:
            return _COLUMNS - 1

    def clear(self) -> None:
        """Takes the bar away."""
        if self._stream.isatty():
            self._stream.write(_CLEAR)
            self._stream.flush()

    def reached(self) -> None:
        """Reports that the fetch is at its end."""
        if self._report:
            self._report(self.snapshot())


def _bar(snapshot: Snapshot, width: int) -> str:
    """The bar takes what the text leaves of the line."""
    text = str(snapshot)
    cells = max(0, min(_BAR_CELLS, width - len(text) - 3))
    full = snapshot.percentage * cells // 100
    return f"[{'#' * full}{'.' * (cells - full)}] {text}"[:width]


def amount(count: float) -> str:
    """Bytes, written for people: ``512 B``, ``1.5 GiB``."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
