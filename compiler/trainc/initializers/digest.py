"""What a file's bytes must hash to, and the computing of it while the file grows.

In: ranges of a file, as they are written, in any order. Out: its digest. The file is read back from
the page cache: what is verified is what the disk will hold, not what passed through memory. A
digest may be one of parts (S3's multipart etags and composite checksums); parts are then computed
side by side.
"""

from __future__ import annotations

import hashlib
import math
import os
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

# A thread that computes does not read its connection meanwhile: after so many bytes another may.
_TURN: Final = 16 * 1024 * 1024
_WINDOW: Final = 256 * 1024  # bytes read back at a time: small enough to stay in the CPU's cache


@dataclass(frozen=True, slots=True)
class Digest:
    """An algorithm and a value.

    Attributes:
        algorithm: ``md5``, ``sha256``, ``sha1``, ``sha1-git`` (a git blob's name), ``crc32``,
            ``crc32c``, ``crc64nvme``.
        value: Lower-case hexadecimal; ``-N`` follows for one of N parts.
        part_size: Bytes of each part but the last; 0 for a digest of the whole.
    """

    algorithm: str
    value: str
    part_size: int = 0

    def __str__(self) -> str:
        """As the manifest holds it; parts are told by their size."""
        parts = f":{self.part_size}" if self.part_size else ""
        return f"{self.algorithm}:{self.value}{parts}"

    @classmethod
    def parse(cls, text: str) -> Digest:
        """The digest that ``str`` wrote."""
        algorithm, value, *size = text.split(":")
        return cls(algorithm, value, int(size[0]) if size else 0)


# For files whose remote promises nothing: then the manifest says at least what was fetched.
RECORDED: Final = Digest("sha256", "")


class Hash(Protocol):
    """What ``hashlib`` makes."""

    def update(self, data: bytes | bytearray | memoryview, /) -> None:
        """Takes more bytes."""
        ...

    def digest(self) -> bytes:
        """The hash of all bytes taken."""
        ...


class _Checksum:
    """A checksum with the manners of a hash."""

    def __init__(self, function: Callable[..., int], width: int) -> None:
        self._function = function
        self._width = width
        self._value = 0

    def update(self, data: bytes | bytearray | memoryview, /) -> None:
        self._value = self._function(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._width, "big")


def new_hash(algorithm: str, size: int = 0) -> Hash:
    """An empty hash; ``size`` is the file's, which a git blob's name includes."""
    if algorithm == "crc32":
        return _Checksum(zlib.crc32, 4)
    if algorithm in ("crc32c", "crc64nvme"):
        from awscrt import checksums  # of the extra: not everybody fetches from S3

        return _Checksum(getattr(checksums, algorithm), 4 if algorithm == "crc32c" else 8)
    if algorithm == "sha1-git":
        return hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    return hashlib.new(algorithm, usedforsecurity=False)


def digest_of_file(fd: int, size: int, wanted: Digest) -> Digest:
    """The digest of a whole file, of the same make as ``wanted``."""
    growing = GrowingDigest(fd, size, wanted)
    growing.written(0, size)
    return growing.result()


class GrowingDigest:
    """The digest of a file that is being written, from many threads, at many places."""

    def __init__(self, fd: int, size: int, wanted: Digest) -> None:
        """Reads back from ``fd``; ``wanted`` says how to compute, not what must come out."""
        self._size = size
        self._wanted = wanted
        self._step = wanted.part_size or max(size, 1)
        count = max(1, math.ceil(size / self._step))
        self._parts = [_Part(fd, index * self._step, self._hash()) for index in range(count)]

    def written(self, start: int, end: int) -> None:
        """Takes note that these bytes are in the file; computes what can be computed now."""
        while start < end:
            index = start // self._step
            stop = min(end, (index + 1) * self._step)
            self._parts[index].written(start, stop)
            start = stop

    def result(self) -> Digest:
        """The digest, once every byte has been written."""
        for part in self._parts:
            part.compute(self._size)
        values = [part.value() for part in self._parts]
        if not self._wanted.part_size:
            return Digest(self._wanted.algorithm, values[0].hex())
        whole = self._hash()
        whole.update(b"".join(values))
        text = f"{whole.digest().hex()}-{len(values)}"
        return Digest(self._wanted.algorithm, text, self._wanted.part_size)

    def _hash(self) -> Hash:
        return new_hash(self._wanted.algorithm, self._size)


class _Part:
    """One hash: takes its bytes in order, whenever they are there."""

    def __init__(self, fd: int, start: int, computed: Hash) -> None:
        self._fd = fd
        self._reached = start
        self._hash = computed
        self._waiting: dict[int, int] = {}
        self._busy = False
        self._lock = threading.Lock()

    def written(self, start: int, end: int) -> None:
        """Takes note, and computes on for a turn."""
        with self._lock:
            self._waiting[start] = end
        self.compute(_TURN)

    def compute(self, most: int) -> None:
        """Hashes what follows, about ``most`` bytes, unless another thread is at it."""
        with self._lock:
            if self._busy:
                return
            self._busy = True
        until = self._reached + most
        while (stop := self._next(until)) is not None:
            for chunk in _read_back(self._fd, self._reached, stop):
                self._hash.update(chunk)
            self._reached = stop

    def _next(self, until: int) -> int | None:
        """The end of the bytes to hash next; None, and idle, where there are none in this turn."""
        with self._lock:
            stop = self._waiting.pop(self._reached, None) if self._reached < until else None
            self._busy = stop is not None
            return stop

    def value(self) -> bytes:
        with self._lock:
            return self._hash.digest()


def _read_back(fd: int, start: int, end: int) -> Iterator[memoryview]:
    buffer = memoryview(bytearray(min(_WINDOW, end - start)))
    while start < end:
        count = os.preadv(fd, [buffer[: end - start]], start)
        if count == 0:
            raise OSError(f"the file being written ends at {start}, not at {end}")
        yield buffer[:count]
        start += count
