"""A sign of life on a terminal, for a build that takes longer than a second.

In: the log of the compiler, which says what it is at. Out: one line on stderr, rewritten in place,
gone when the build has ended. Nothing of it reaches a file or a pipe.
"""

import logging
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_PATIENCE: Final = 1.0  # seconds
_BEAT: Final = 0.2  # seconds
_WIDTH: Final = 76  # columns
_CLEAR: Final = "\r\x1b[K"


@contextmanager
def progress(shown: bool) -> Iterator[None]:
    """Shows what is going on while the block runs, if somebody watches."""
    if not shown or not sys.stderr.isatty():
        yield
        return
    ended = threading.Event()
    last = _Last()
    logger = logging.getLogger("trainc")
    level = logger.level
    logger.addHandler(last)
    logger.setLevel(logging.INFO)
    thread = threading.Thread(target=_show, args=(ended, last), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        logger.removeHandler(last)
        logger.setLevel(level)


class _Last(logging.Handler):
    """Keeps the last thing that was logged."""

    text = "building"

    def emit(self, record: logging.LogRecord) -> None:
        """Takes one record."""
        self.text = record.getMessage()


def _show(ended: threading.Event, last: _Last) -> None:
    """Rewrites the line until the build has ended, then clears it."""
    start = time.monotonic()
    if ended.wait(_PATIENCE):
        return
    while not ended.wait(_BEAT):
        line = f"trainc: {time.monotonic() - start:.0f} s: {last.text}"
        sys.stderr.write(_CLEAR + line[:_WIDTH])
        sys.stderr.flush()
    sys.stderr.write(_CLEAR)
    sys.stderr.flush()
