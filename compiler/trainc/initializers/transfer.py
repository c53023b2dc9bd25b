"""The moving of bytes: many files, and many ranges of one file, at a time and in bounded memory.

In: the files to be fetched, and what an earlier process has left of them. Out: every file verified
and in place, or the first failure. A chunk goes from the socket to the file and is forgotten: how
large a file is does not matter.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from trainc.initializers.crew import Crew
from trainc.initializers.digest import (
    RECORDED,
    Digest,
    GrowingDigest,
    digest_of_file,
)
from trainc.initializers.extents import has_hole, reserve
from trainc.initializers.failure import IntegrityError
from trainc.initializers.journal import Journal
from trainc.initializers.lanes import Lane, Lanes
from trainc.initializers.manifest import Finished
from trainc.initializers.progress import Progress
from trainc.initializers.provider import Chunk, Remote, RemoteFile
from trainc.initializers.retry import Patience
from trainc.initializers.sink import Sink, write_all
from trainc.initializers.spans import gaps, merged, split
from trainc.initializers.stream import stream
from trainc.initializers.target import WRITTEN_IN_ORDER, Target, disk_error

# Bytes asked for in one request: few large ones cost least, several share the work of one file.
_LEAST: Final = 8 * 1024 * 1024
_MOST: Final = 64 * 1024 * 1024
_REQUESTS: Final = 16
# Ranges fetched at a time at most; half the connections, where that is more.
_LANES: Final = 4
_STEP: Final = 4 * 1024 * 1024  # bytes: what a killed fetch loses of each connection
_ATTEMPTS: Final = 2  # of a file whose bytes are not the ones promised
_SECOND: Final = 10**9  # nanoseconds

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Site:
    """What the transfer works with.

    Attributes:
        remote: Where the bytes come from.
        target: Where they go to.
        journal: Takes note of what is done.
        progress: Is told what arrives.
        patience: Of every single operation.
        ranges: What temporary files hold already, by name.
    """

    remote: Remote
    target: Target
    journal: Journal
    progress: Progress
    patience: Patience
    ranges: Mapping[str, Sequence[tuple[int, int]]]


def transfer(site: Site, files: Sequence[RemoteFile], concurrency: int) -> list[Finished]:
    """Fetches the files over ``concurrency`` connections; returns them as they are in place.

    Raises:
        FetchError: the first failure; it ends the transfer.
    """
    return _Transfer(site, concurrency).run(files)


class _Transfer:
    """One call of ``transfer``."""

    def __init__(self, site: Site, concurrency: int) -> None:
        self._site = site
        self._concurrency = concurrency
        self._crew = Crew(site.patience.stop)
        self._lanes = Lanes(max(_LANES, concurrency // 2))
        self._done: list[Finished] = []

    def run(self, files: Sequence[RemoteFile]) -> list[Finished]:
        # The last in is the first out: large files first, and few open at a time.
        for file in sorted(files, key=lambda file: file.size or 0):
            self._crew.add(partial(self._start, file))
        self._crew.work(self._concurrency, self._site.progress.show)
        return self._done

    def _start(self, file: RemoteFile, attempt: int = 1) -> None:
        large = file.ranges and file.size is not None and file.size > WRITTEN_IN_ORDER
        if file.digest is None or large:
            known = file
            file = self._site.patience.persist(lambda: self._site.remote.inspect(known))
        name = self._site.target.part_name(file)
        try:
            if large:
                self._split(file, name, attempt)
            else:
                self._in_order(file, name, attempt)
        except OSError as error:
            raise disk_error(error, f"writing {file.path!r}") from error

    def _in_order(self, file: RemoteFile, name: str, attempt: int) -> None:
        """Fetches a file over one connection, hashing what passes."""
        fd = self._site.target.open_part(name, keep=False)
        try:
            sink = Sink(fd, file, self._site.progress)
            size = stream(self._site.remote, file, (0, file.size), self._site.patience, sink.take)
            self._finish(_Part(file, name, fd, size, attempt), sink.result(size))
        finally:
            os.close(fd)

    def _split(self, file: RemoteFile, name: str, attempt: int) -> None:
        """Fetches a large file over many connections; what is there already is only hashed."""
        assert file.size is not None
        kept = list(self._site.ranges.get(name, ())) if attempt == 1 and file.version else []
        fd = self._site.target.open_part(name, keep=bool(kept))
        part = _Part(file, name, fd, file.size, attempt)
        growing = GrowingDigest(fd, file.size, file.digest or RECORDED)
        held = [span for span in merged(kept, file.size) if not has_hole(fd, *span)]
        reserve(fd, file.size)
        spans = [span for gap in gaps(held, file.size) for span in split(*gap, _range(file.size))]
        work = _Spans(self._site, part, growing, len(spans) + 1)
        # From the end: the last one added is the first one fetched.
        for span in reversed(spans):
            self._crew.add(partial(self._span, work, span))
        for start, end in held:
            growing.held(start, end)
        self._one_less(work)

    def _span(self, work: _Spans, span: tuple[int, int]) -> None:
        try:
            with self._lanes.taken() as lane:
                work.fetch(span, lane)
            self._one_less(work)
        except OSError as error:
            raise disk_error(error, f"writing {work.part.file.path!r}") from error

    def _one_less(self, work: _Spans) -> None:
        if work.one_less():
            try:
                self._finish(work.part, work.growing.result())
            finally:
                os.close(work.part.fd)

    def _finish(self, part: _Part, computed: Digest) -> None:
        """Verifies a file whose bytes are all there, and puts it in place."""
        verified = self._verified(part, computed)
        if verified is None:
            self._again(part)
            return
        # Whole seconds: a finer time may not survive the file system that comes back.
        seconds = os.fstat(part.fd).st_mtime_ns // _SECOND * _SECOND
        os.utime(part.fd, ns=(seconds, seconds))
        file = part.file
        found = os.fstat(part.fd)
        done = Finished(file.path, part.size, file.version, str(verified), found.st_mtime_ns)
        self._site.journal.finished(done)
        self._site.target.place(part.name, file.path)
        self._done.append(done)
        self._site.progress.finished()

    def _verified(self, part: _Part, computed: Digest) -> Digest | None:
        """The digest that holds; None where there is one and it does not."""
        file = part.file
        if file.digest is None or computed == file.digest:
            return computed
        # An etag that looks like a digest may be none (encrypted objects): the remote knows.
        again = self._site.patience.persist(lambda: self._site.remote.inspect(file))
        if again.digest == file.digest:
            return None
        computed = digest_of_file(part.fd, part.size, again.digest or RECORDED)
        return computed if again.digest in (None, computed) else None

    def _again(self, part: _Part) -> None:
        """Fetches a file once more whose bytes are not the ones promised; then it is no accident.

        Raises:
            IntegrityError: after the last attempt.
        """
        assert part.file.digest is not None
        text = f"{part.file.key!r} is not what it should be: {part.file.digest} was promised"
        if part.attempt >= _ATTEMPTS:
            raise IntegrityError(f"{text}, {part.attempt} attempts brought something else")
        _logger.warning("%s; fetching it once more", text)
        self._site.journal.dropped(part.name)
        self._site.progress.arrived(-part.size)
        self._crew.add(partial(self._start, part.file, part.attempt + 1))


@dataclass(frozen=True)
class _Part:
    """A temporary file that grows."""

    file: RemoteFile
    name: str
    fd: int
    size: int
    attempt: int


class _Spans:
    """The ranges of a large file that are still to come."""

    def __init__(self, site: Site, part: _Part, growing: GrowingDigest, left: int) -> None:
        self._site = site
        self.part = part
        self.growing = growing
        self._left = left
        self._lock = threading.Lock()
        # The kernel lets one thread at a time write to a file, and the others burn CPU until then.
        self._writing = threading.Lock()

    def fetch(self, span: tuple[int, int], lane: Lane) -> None:
        """Fetches one range; takes note of it step by step."""
        noted = span[0]

        def take(position: int, chunk: Chunk) -> None:
            nonlocal noted
            with lane.working():
                self._keep(position, chunk)
            reached = position + len(chunk)
            if reached - noted >= _STEP:
                self._note(noted, reached)
                noted = reached

        stream(self._site.remote, self.part.file, span, self._site.patience, take)
        if noted < span[1]:
            self._note(noted, span[1])

    def one_less(self) -> bool:
        """Counts a range that is there; tells whether it was the last."""
        with self._lock:
            self._left -= 1
            return self._left == 0

    def _keep(self, position: int, chunk: Chunk) -> None:
        with self._writing:
            write_all(self.part.fd, chunk, position)
        self.growing.take(position, chunk)
        self._site.progress.arrived(len(chunk))

    def _note(self, start: int, end: int) -> None:
        if self.part.file.version:
            self._site.journal.range(self.part.name, start, end)


def _range(size: int) -> int:
    """Bytes of a file of that size to ask for at once."""
    return max(_LEAST, min(_MOST, size // _REQUESTS // _LEAST * _LEAST))
