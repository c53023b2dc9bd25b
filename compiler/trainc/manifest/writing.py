"""Writes one file whole or not at all: a reader sees the old content or the new one.

In: a path and bytes. Out: the file; its mode stays, and a link stays a link to the file that is
written. What is no regular file (a pipe that nobody reads, a socket, a folder) is refused.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress

from trainc.source.reader import Reader


def write_whole(path: str, data: bytes) -> None:
    """Replaces the content of a regular file, or makes the file.

    Args:
        path: Where to write. A link is followed.
        data: The new content.

    Raises:
        OSError: It cannot be written, or it is no regular file.
    """
    place = os.path.realpath(path)
    mode = _mode(place)
    if mode is not None and not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "no regular file, not written")
    folder, name = os.path.split(place)
    partial = os.path.join(folder, f".{name}.{os.getpid()}.tmp")
    # Made anew, so that nothing that lies there is written through: no link, no pipe.
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
        if mode is not None:
            os.chmod(partial, stat.S_IMODE(mode))
        os.replace(partial, place)
    except BaseException:
        with suppress(OSError):
            os.unlink(partial)
        raise


def write_inside(path: str, data: bytes) -> None:
    """Writes as ``write_whole``, but through no link that leads out of the repository.

    Raises:
        OSError: As ``write_whole``, or a link leads out.
    """
    reader = Reader()
    if reader.link(path) and not reader.boundary(path).holds(os.path.realpath(path)):
        raise OSError(errno.ELOOP, "a link leads out of the repository, not written")
    write_whole(path, data)


def write_stream(path: str, data: bytes) -> None:
    """Writes to a device, or to a pipe that a program reads, which stay what they are.

    Raises:
        OSError: It cannot be written, or nobody reads the pipe: waiting could take for ever.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        raise OSError(errno.ENXIO, "a pipe or device that nobody reads, not written") from error
    os.set_blocking(descriptor, True)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)


def _mode(place: str) -> int | None:
    """The mode of what is there, None where there is nothing."""
    try:
        return os.stat(place).st_mode
    except FileNotFoundError:
        return None
