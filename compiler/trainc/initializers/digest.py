"""What a file's bytes must hash to, and the computing of it while the file grows.

In: chunks of a file, as they are written, in any order. Out: its digest. A chunk whose turn it is
is hashed while the CPU's cache still has it; one that came early is read back from the file. A
digest may be one of parts (S3's multipart etags, composite checksums), computed side by side.
"""

from __future__ import annotations

import hashlib
import os
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Protocol

from trainc.initializers.spans import split

# A thread that computes does not read its connection meanwhile: after so many bytes another may.
_TURN: Final = 16 * 1024 * 1024
_PIECE: Final = 8 * 1024 * 1024
# Checksums: bytes of their values. Those of two neighbours give that of both.
_CRC_BYTES: Final = {"crc32": 4, "crc32c": 4, "crc64nvme": 8}
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
    if algorithm in _CRC_BYTES:
        return _Checksum(_checksum_function(algorithm), _CRC_BYTES[algorithm])
    if algorithm == "sha1-git":
        return hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    return hashlib.new(algorithm, usedforsecurity=False)


def _checksum_function(algorithm: str) -> Callable[..., int]:
    """The fastest there is: of the extra, since not everybody fetches from object stores."""
    if algorithm == "crc32":
        from isal import isal_zlib  # 20 times as fast as zlib's

        return isal_zlib.crc32
    from awscrt import checksums

    function: Callable[..., int] = getattr(checksums, algorithm)
    return function


def digest_of(content: bytes | bytearray, wanted: Digest) -> Digest:
    """The digest of a whole file in memory, of the same make as ``wanted``."""
    if not wanted.part_size:
        computed = new_hash(wanted.algorithm, len(content))
        computed.update(content)
        return Digest(wanted.algorithm, computed.digest().hex())
    growing = GrowingDigest(-1, len(content), wanted)  # in order: nothing is read back
    growing.take(0, content)
    return growing.result()


def digest_of_file(fd: int, size: int, wanted: Digest) -> Digest:
    """The digest of a whole file, of the same make as ``wanted``."""
    growing = GrowingDigest(fd, size, wanted)
    growing.held(0, size)
    return growing.result()


class GrowingDigest:
    """The digest of a file that is being written, from many threads, at many places."""

    def __init__(self, fd: int, size: int, wanted: Digest) -> None:
        """Reads back from ``fd``; ``wanted`` says how to compute, not what must come out."""
        self._size = size
        self._wanted = wanted
        self._part_size = wanted.part_size or max(size, 1)
        # What can be combined is computed in pieces, side by side, within each part.
        step = _PIECE if wanted.algorithm in _CRC_BYTES else self._part_size
        self._pieces = [
            _Piece(fd, start, end, self._hash())
            for part in split(0, max(size, 1), self._part_size)
            for start, end in split(*part, step)
        ]
        self._starts = [piece.start for piece in self._pieces]

    def take(self, position: int, chunk: bytes | bytearray | memoryview) -> None:
        """Takes bytes that have just been written at ``position``."""
        view = memoryview(chunk)
        for piece, start, end in self._touched(position, position + len(view)):
            piece.take(start, view[start - position : end - position])

    def held(self, start: int, end: int) -> None:
        """Takes bytes that are in the file already."""
        for piece, begin, stop in self._touched(start, end):
            piece.held(begin, stop)

    def result(self) -> Digest:
        """The digest, once every byte has been taken."""
        values = list(self._values())
        if not self._wanted.part_size:
            return Digest(self._wanted.algorithm, values[0].hex())
        whole = self._hash()
        whole.update(b"".join(values))
        text = f"{whole.digest().hex()}-{len(values)}"
        return Digest(self._wanted.algorithm, text, self._wanted.part_size)

    def _touched(self, start: int, end: int) -> Iterator[tuple[_Piece, int, int]]:
        """The pieces that a span lies in, each with its share."""
        index = bisect_right(self._starts, start) - 1
        while start < end:
            piece = self._pieces[index]
            stop = min(end, piece.end)
            yield piece, start, stop
            start, index = stop, index + 1

    def _values(self) -> Iterator[bytes]:
        """The digest of each part."""
        if self._wanted.algorithm not in _CRC_BYTES:
            yield from (piece.value() for piece in self._pieces)
            return
        for _, pieces in groupby(self._pieces, lambda piece: piece.start // self._part_size):
            yield _combined(self._wanted.algorithm, list(pieces))

    def _hash(self) -> Hash:
        return new_hash(self._wanted.algorithm, self._size)


def _combined(algorithm: str, pieces: Sequence[_Piece]) -> bytes:
    """The checksum of pieces that follow each other."""
    value = pieces[0].value()
    if len(pieces) == 1:
        return value
    from awscrt import checksums

    combine = getattr(checksums, f"combine_{algorithm}")
    number = int.from_bytes(value, "big")
    for piece in pieces[1:]:
        number = combine(number, int.from_bytes(piece.value(), "big"), piece.end - piece.start)
    return int(number).to_bytes(_CRC_BYTES[algorithm], "big")


class _Piece:
    """One hash: takes its bytes in order, as they pass or, where they came too early, later."""

    def __init__(self, fd: int, start: int, end: int, computed: Hash) -> None:
        self.start = start
        self.end = end
        self._fd = fd
        self._reached = start
        self._hash = computed
        self._early: dict[int, int] = {}
        self._busy = False
        self._lock = threading.Lock()

    def take(self, start: int, data: memoryview) -> None:
        with self._lock:
            if self._busy or start != self._reached:
                self._early[start] = start + len(data)
                return
            self._busy = True
        self._hash.update(data)
        self._reached = start + len(data)
        self._go_on(_TURN)

    def held(self, start: int, end: int) -> None:
        with self._lock:
            self._early[start] = end
            if self._busy:
                return
            self._busy = True
        self._go_on(_TURN)

    def value(self) -> bytes:
        with self._lock:
            self._busy = True
        self._go_on(self.end - self.start + 1)
        return self._hash.digest()

    def _go_on(self, most: int) -> None:
        """Hashes what follows, about ``most`` bytes of it, from the file."""
        until = self._reached + most
        while (stop := self._next(until)) is not None:
            for chunk in _read_back(self._fd, self._reached, stop):
                self._hash.update(chunk)
            self._reached = stop

    def _next(self, until: int) -> int | None:
        """The end of the bytes to hash next; None, and idle, where there are none in this turn."""
        with self._lock:
            stop = self._early.pop(self._reached, None) if self._reached < until else None
            self._busy = stop is not None
            return stop


def _read_back(fd: int, start: int, end: int) -> Iterator[memoryview]:
    buffer = memoryview(bytearray(min(_WINDOW, end - start)))
    while start < end:
        count = os.preadv(fd, [buffer[: end - start]], start)
        if count == 0:
            raise OSError(f"the file being written ends at {start}, not at {end}")
        yield buffer[:count]
        start += count
