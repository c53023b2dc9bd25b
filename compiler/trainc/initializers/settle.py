"""The end of a file's way: its bytes are verified, and it is put in place.

In: files whose bytes are all there, in memory or under a temporary name. Out: each in place, noted
before its rename, or the finding that it is not what was promised.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from trainc.initializers.digest import RECORDED, Digest, digest_of, digest_of_file
from trainc.initializers.manifest import Finished
from trainc.initializers.provider import RemoteFile
from trainc.initializers.sink import write_all
from trainc.initializers.site import Site
from trainc.initializers.target import disk_error

_SECOND: Final = 10**9  # nanoseconds


@dataclass(frozen=True)
class Part:
    """A temporary file that grows.

    Attributes:
        file: What it will be.
        name: For now.
        fd: Open for reading and writing.
        size: Bytes.
        attempt: 1 is the first.
    """

    file: RemoteFile
    name: str
    fd: int
    size: int
    attempt: int


class Settler:
    """Verifies files and puts them in place; many threads may."""

    def __init__(self, site: Site) -> None:
        """``done`` holds what is in place."""
        self._site = site
        self.done: list[Finished] = []

    def part(self, part: Part, computed: Digest) -> bool:
        """Puts a temporary file in place; False where it is not what was promised."""

        def digest(wanted: Digest) -> Digest:
            alike = (wanted.algorithm, wanted.part_size) == (computed.algorithm, computed.part_size)
            return computed if alike else digest_of_file(part.fd, part.size, wanted)

        verified = self._verified(part.file, digest)
        if verified is not None:
            self._place(part, verified)
        return verified is not None

    def verified(self, file: RemoteFile, content: bytearray) -> Digest | None:
        """The digest that holds of a file in memory; None where it is not what was promised."""
        return self._verified(file, partial(digest_of, content))

    def write(self, file: RemoteFile, content: bytearray, verified: Digest) -> None:
        """Writes a file that was verified in memory, and puts it in place."""
        name = self._site.target.part_name(file)
        try:
            fd = self._site.target.open_part(name, keep=False)
            try:
                write_all(fd, content, 0)
                self._place(Part(file, name, fd, len(content), 1), verified)
            finally:
                os.close(fd)
        except OSError as error:
            raise disk_error(error, f"writing {file.path!r}") from error

    def _verified(self, file: RemoteFile, digest: Callable[[Digest], Digest]) -> Digest | None:
        """The digest that holds; None where there is one and it does not.

        ``digest`` computes one of the same make as its argument.
        """
        computed = digest(file.digest or RECORDED)
        if file.digest is None or computed == file.digest:
            return computed
        # An etag that looks like a digest may be none (encrypted objects): the remote knows.
        again = self._site.patience.persist(lambda: self._site.remote.inspect(file))
        if again.digest == file.digest:
            return None
        computed = digest(again.digest or RECORDED)
        return computed if again.digest in (None, computed) else None

    def _place(self, part: Part, verified: Digest) -> None:
        # Whole seconds: a finer time may not survive the file system that comes back.
        seconds = time.time_ns() // _SECOND * _SECOND
        os.utime(part.fd, ns=(seconds, seconds))
        changed = os.fstat(part.fd).st_mtime_ns  # as the file system holds it
        file = part.file
        done = Finished(file.path, part.size, file.version, str(verified), changed)
        self._site.journal.finished(done)
        self._site.target.place(part.name, file.path)
        self.done.append(done)
        self._site.progress.finished()
