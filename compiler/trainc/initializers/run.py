"""What stands around a fetch in a pod: log, signals, exit code, the reason for the kubelet.

In: ``dataset`` or ``model``, and the environment. Out: the exit code of ``trainc.names``; where it
is not 0, one line in ``/dev/termination-log``.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Final

from trainc.initializers.allocator import tune
from trainc.initializers.config import Ancestor, load_config
from trainc.initializers.failure import FetchError, printable
from trainc.initializers.fetch import fetch
from trainc.initializers.progress import Progress
from trainc.initializers.redact import REDACTOR, guard_streams
from trainc.initializers.status import reporter
from trainc.names import EXIT_SOFTWARE

_TERMINATION_LOG: Final = "/dev/termination-log"
_MOST: Final = 4096  # bytes of a termination message that the kubelet keeps
_TERMINATED: Final = 128 + signal.SIGTERM
_INTERRUPTED: Final = 128 + signal.SIGINT

_logger = logging.getLogger("trainc.initializers")


def run(ancestor: Ancestor, environ: Mapping[str, str]) -> int:
    """Fetches what the environment describes; returns the exit code, never raises."""
    guard_streams(environ)
    start_logging(environ.get("LOG_LEVEL", ""))
    signal.signal(signal.SIGTERM, _terminated)
    tune()
    progress = Progress(report=reporter(environ, f"{ancestor}-initializer"))
    try:
        fetch(load_config(ancestor, environ), progress)
        progress.reached()
        return 0
    except FetchError as error:
        _logger.debug("the failure's origin", exc_info=True)
        return _failed(error.code, str(error), environ)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BaseException as bug:  # what a library in Rust panics with is no Exception
        _logger.error("%s", traceback.format_exc())
        text = f"bug: {type(bug).__name__}: {bug}"
        return _failed(EXIT_SOFTWARE, " ".join(text.split()), environ)


def start_logging(level: str) -> None:
    """Logs to stderr, in UTC; of libraries warnings, or from a lower level that is asked for."""
    known = logging.getLevelNamesMapping()
    chosen = known.get(level.upper(), logging.INFO)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter("%(asctime)s %(levelname)-8s %(message)s"))
    logging.basicConfig(level=max(chosen, logging.WARNING), handlers=[handler], force=True)
    if chosen < logging.INFO:
        logging.getLogger().setLevel(chosen)
    else:  # it prints a traceback of what it raises as well, and what is told once is enough
        logging.getLogger("botocore.credentials").setLevel(logging.CRITICAL)
    logging.getLogger("trainc").setLevel(chosen)
    logging.captureWarnings(True)
    threading.excepthook = lambda args: _logger.error("a thread ended: %s", args.exc_value)


class _Formatter(logging.Formatter):
    """Time in UTC, secrets out: the streams redact too, but a record has other ways out."""

    def formatTime(  # noqa: N802 - logging's name
        self, record: logging.LogRecord, datefmt: str | None = None
    ) -> str:
        """The time as RFC 3339 has it."""
        from datetime import UTC, datetime

        return datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def format(self, record: logging.LogRecord) -> str:
        """The line, redacted; what a server says begins no line of its own."""
        text = printable(REDACTOR.redact(super().format(record)))
        return text.replace("\n", "\n  ")


def _failed(code: int, reason: str, environ: Mapping[str, str]) -> int:
    """Says why, to people and to the kubelet."""
    _logger.error("%s", reason)
    given = environ.get("TRAINC_TERMINATION_LOG")
    path = Path(given or _TERMINATION_LOG)
    # The kubelet makes the file; elsewhere nobody wants one in /dev.
    if given or path.is_file():
        line = REDACTOR.redact(reason).encode(errors="replace")[:_MOST].decode(errors="ignore")
        try:
            path.write_text(line, encoding="utf-8")
        except OSError as error:
            _logger.warning("%s: %s", path, error.strerror)
    return code


def _terminated(number: int, frame: FrameType | None) -> None:
    """Ends at once: the journal is always up to date. As process 1 nobody would do it for us."""
    os._exit(_TERMINATED)
