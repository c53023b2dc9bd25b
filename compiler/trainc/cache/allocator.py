"""Keeps the memory of received batches instead of giving it back after each.

In: nothing. Out: glibc's malloc, told to keep. gRPC receives into it, and by its defaults a buffer
of 1 to 2 MB is mapped, faulted in page by page, and unmapped again, which can halve a client's
speed. Elsewhere than on glibc nothing is done; ``TRAINC_CACHE_MALLOPT=0`` leaves a process alone.
"""

import ctypes
import os
import platform
from typing import Final

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_ARENA_MAX: Final = -8
_SETTINGS: Final = ((_MMAP_THRESHOLD, 32 << 20), (_TRIM_THRESHOLD, 512 << 20), (_ARENA_MAX, 1))


def keep_buffers() -> bool:
    """Set malloc's thresholds; whether that was possible and wanted."""
    if os.environ.get("TRAINC_CACHE_MALLOPT") == "0" or platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    done = [mallopt(name, value) == 1 for name, value in _SETTINGS]
    return all(done)
