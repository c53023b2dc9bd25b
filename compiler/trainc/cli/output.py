"""Text to standard output: UTF-8 whatever the locale, line breaks as they are, errors at once."""

import errno
import os
import sys
from collections.abc import Iterable
from typing import Final

_CHUNK: Final = 1 << 18  # bytes written at once: few calls, and little held back from a reader


def write_out(texts: Iterable[str]) -> None:
    """Writes everything and makes sure that it arrived.

    Raises:
        OSError: The reader left (``EPIPE``), the disk is full, standard output is closed.
    """
    if sys.stdout is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    sys.stdout.flush()
    out = sys.stdout.buffer
    held: list[bytes] = []
    size = 0
    for text in texts:
        data = text.encode()
        held.append(data)
        size += len(data)
        if size >= _CHUNK:
            out.write(b"".join(held))
            held, size = [], 0
    out.write(b"".join(held))
    out.flush()
