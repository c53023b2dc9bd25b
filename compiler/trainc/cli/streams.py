"""Standard streams that whoever started us has closed.

In: the process's streams. Out: three descriptors that are taken, so that no file that is opened
later becomes 0, 1 or 2 and is written to by mistake. Loaded only where a stream is closed.
"""

from __future__ import annotations

import os
import sys


def reopen() -> None:
    """Opens each closed stream.

    Standard input is empty then, and what is written to standard error is dropped: it is not the
    product. Standard output stays closed (``sys.stdout`` is None), since the product would be lost.
    """
    if sys.stdin is None:
        sys.stdin = os.fdopen(os.open(os.devnull, os.O_RDONLY), encoding="utf-8")
    if sys.stdout is None:
        os.open(os.devnull, os.O_RDONLY)  # holds the number; what writes to it fails (EBADF)
    if sys.stderr is None:
        sys.stderr = os.fdopen(
            os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8", closefd=False
        )
