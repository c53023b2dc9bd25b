"""What the file system holds of a file: room asked for at once, holes found again.

In: a descriptor. Out: reserved blocks, so that a full disk shows before the first byte and writing
costs half the time; or whether bytes that were written are lost, as after the crash of a node.
"""

from __future__ import annotations

import ctypes
import errno
import os
from typing import Final

_NOT_HERE: Final = (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)


def reserve(fd: int, size: int) -> None:
    """Reserves room for ``size`` bytes, where the file system can.

    Not ``os.posix_fallocate``: where the file system cannot, that one writes every block.

    Raises:
        OSError: if there is no room.
    """
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        fallocate = libc.fallocate64 if hasattr(libc, "fallocate64") else libc.fallocate
    except (OSError, AttributeError):  # not Linux
        return
    fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    if fallocate(fd, 0, 0, size):
        code = ctypes.get_errno()
        if code not in _NOT_HERE:
            raise OSError(code, os.strerror(code))


def has_hole(fd: int, start: int, end: int) -> bool:
    """Whether bytes between the two places were never written, or were lost."""
    try:
        return os.lseek(fd, start, os.SEEK_HOLE) < end
    except OSError:  # the file system cannot tell, or ends before
        return os.fstat(fd).st_size < end
