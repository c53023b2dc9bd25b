"""A file that comes over one connection: kept in memory, or written in order, hashed on the way.

In: chunks with their places. Out: the bytes, or the temporary file and its digest.
"""

from __future__ import annotations

import os
from typing import Final

from trainc.initializers.digest import RECORDED, Digest, digest_of_file, new_hash
from trainc.initializers.progress import Progress
from trainc.initializers.provider import Chunk, RemoteFile

# Bytes of one write. A large one is cached in large pages, which the kernel takes from memory that
# nobody used lately; on a virtual machine the first touch of that costs more than all else: three
# times the CPU in writes of 512 KiB. Small ones cost calls.
_WRITE: Final = 64 * 1024


class Content:
    """Keeps a small file in memory."""

    def __init__(self, progress: Progress) -> None:
        """Starts empty."""
        self.whole = bytearray()
        self._progress = progress

    def take(self, position: int, chunk: Chunk) -> None:
        """Takes one chunk; a place before the last one begins the file anew."""
        before = len(self.whole)
        if position < before:  # the remote knows no ranges and started again
            del self.whole[position:]
        self.whole += chunk
        self._progress.arrived(len(self.whole) - before)


class Sink:
    """Writes a file in order and hashes it on the way."""

    def __init__(self, fd: int, file: RemoteFile, progress: Progress) -> None:
        """Writes to ``fd``."""
        self._fd = fd
        self._file = file
        self._progress = progress
        self._wanted = file.digest or RECORDED
        self._reached = 0
        self._begin()

    def _begin(self) -> None:
        # A digest of parts is computed afterwards, from the file.
        whole = not self._wanted.part_size
        self._hash = new_hash(self._wanted.algorithm, self._file.size or 0) if whole else None

    def take(self, position: int, chunk: Chunk) -> None:
        """Writes one chunk; a place before the last one begins the file anew."""
        if position < self._reached:  # the remote knows no ranges and started again
            os.ftruncate(self._fd, 0)
            self._progress.arrived(-self._reached)
            self._begin()
        write_all(self._fd, chunk, position)
        if self._hash is not None:
            self._hash.update(chunk)
        self._reached = position + len(chunk)
        self._progress.arrived(len(chunk))

    def result(self, size: int) -> Digest:
        """The digest of all ``size`` bytes."""
        if self._hash is None:
            return digest_of_file(self._fd, size, self._wanted)
        return Digest(self._wanted.algorithm, self._hash.digest().hex())


def write_all(fd: int, chunk: Chunk, position: int) -> None:
    """Writes every byte at its place; a disk that fills up takes only some of them at first."""
    view = memoryview(chunk)
    while view:
        count = os.pwrite(fd, view[:_WRITE], position)
        view = view[count:]
        position += count
