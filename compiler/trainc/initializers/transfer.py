"""The moving of bytes: many files, and many ranges of one file, at a time and in bounded memory.

In: the files to be fetched, and what an earlier process has left of them. Out: every file verified
and in place, or the first failure. A chunk of a large file goes from the socket to the disk and is
forgotten: how large a file is does not matter. A small one is kept until all of it is there, and is
then put on the disk at once.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Final

from trainc.initializers.batch import SMALL, Batch
from trainc.initializers.crew import Crew
from trainc.initializers.digest import RECORDED, Digest, GrowingDigest
from trainc.initializers.extents import has_hole, reserve
from trainc.initializers.failure import FetchError, IntegrityError, TransientError
from trainc.initializers.gate import Gate
from trainc.initializers.lanes import Lane, Lanes
from trainc.initializers.manifest import Finished
from trainc.initializers.provider import Chunk, ManyRemote, RemoteFile
from trainc.initializers.retry import Retry
from trainc.initializers.settle import Part, Settler
from trainc.initializers.sink import Content, Sink, write_all
from trainc.initializers.site import Site
from trainc.initializers.spans import gaps, merged, split
from trainc.initializers.stream import stream
from trainc.initializers.target import WRITTEN_IN_ORDER, disk_error

# Bytes asked for in one request: few large ones cost least, several share the work of one file.
_LEAST: Final = 8 * 1024 * 1024
_MOST: Final = 64 * 1024 * 1024
_REQUESTS: Final = 16
# Ranges fetched at a time at most; half the connections, where that is more.
_LANES: Final = 4
_STEP: Final = 4 * 1024 * 1024  # bytes: what a killed fetch loses of each connection
_ATTEMPTS: Final = 2  # of a file whose bytes are not the ones promised

_logger = logging.getLogger(__name__)


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
        self._settler = Settler(site)
        self._takers = Gate(concurrency, self._one_more)  # of small files that come many at a time
        self._writers = Gate(concurrency)  # of those that come alone
        self._batch: Batch | None = None

    def run(self, files: Sequence[RemoteFile]) -> list[Finished]:
        remote = self._site.remote
        small: list[RemoteFile] = []
        if isinstance(remote, ManyRemote):
            small = [file for file in files if file.digest and 0 < (file.size or 0) <= SMALL]
            if small:
                most = self._concurrency
                self._batch = Batch(remote, small, most, self._others, self._site.patience)
                self._one_more()
        among = {file.path for file in small}
        # The last in is the first out: large files first, and few open at a time.
        for file in sorted(files, key=lambda file: file.size or 0):
            if file.path not in among:
                self._crew.add(partial(self._start, file))
        self._crew.work(self._concurrency, self._site.progress.show)
        return self._settler.done

    def _others(self) -> int:
        """Tasks that have connections of their own, or will."""
        return self._crew.left - (self._batch.takers if self._batch else 0)

    def _one_more(self) -> None:
        """Lets one more thread take what comes of the small files."""
        if self._batch is not None:
            self._crew.add(self._many)

    def _many(self) -> None:
        """Takes small files as they come, until there are no more."""
        assert self._batch is not None
        for file, content in self._batch.arrivals():
            if isinstance(content, TransientError):
                for each in self._batch.given_up():
                    self._crew.add(partial(self._start, each))
                self._crew.add(partial(self._later, file, content))
            elif isinstance(content, IntegrityError):
                self._again(file, 0, 1)
            elif isinstance(content, FetchError):
                raise content
            else:
                self._site.progress.arrived(len(content))
                with self._takers.passed():
                    self._settle(file, content, 1, nullcontext())

    def _later(self, file: RemoteFile, error: TransientError) -> None:
        """Fetches a file alone, after a failure among many."""
        Retry(self._site.patience).failed(error)
        self._start(file)

    def _start(self, file: RemoteFile, attempt: int = 1) -> None:
        large = file.ranges and file.size is not None and file.size > WRITTEN_IN_ORDER
        if file.digest is None or large:
            known = file
            file = self._site.patience.persist(lambda: self._site.remote.inspect(known))
        try:
            if large:
                self._split(file, attempt)
            elif file.size is not None and file.size <= SMALL:
                self._small(file, attempt)
            else:
                self._in_order(file, attempt)
        except OSError as error:
            raise disk_error(error, f"writing {file.path!r}") from error

    def _small(self, file: RemoteFile, attempt: int) -> None:
        """Fetches a file into memory, over one connection."""
        content = Content(self._site.progress)
        span = (0, file.size)
        stream(self._site.remote, file, span, self._site.patience, content.take)
        self._settle(file, content.whole, attempt, self._writers.passed())

    def _settle(
        self, file: RemoteFile, content: bytearray, attempt: int, turn: AbstractContextManager[None]
    ) -> None:
        verified = self._settler.verified(file, content)
        if verified is None:
            self._again(file, len(content), attempt)
            return
        with turn:
            self._settler.write(file, content, verified)

    def _in_order(self, file: RemoteFile, attempt: int) -> None:
        """Fetches a file over one connection, hashing what passes."""
        name = self._site.target.part_name(file)
        fd = self._site.target.open_part(name, keep=False)
        try:
            sink = Sink(fd, file, self._site.progress)
            size = stream(self._site.remote, file, (0, file.size), self._site.patience, sink.take)
            self._finish(Part(file, name, fd, size, attempt), sink.result(size))
        finally:
            os.close(fd)

    def _split(self, file: RemoteFile, attempt: int) -> None:
        """Fetches a large file over many connections; what is there already is only hashed."""
        assert file.size is not None
        name = self._site.target.part_name(file)
        kept = list(self._site.ranges.get(name, ())) if attempt == 1 and file.version else []
        fd = self._site.target.open_part(name, keep=bool(kept))
        part = Part(file, name, fd, file.size, attempt)
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

    def _finish(self, part: Part, computed: Digest) -> None:
        """Verifies a file whose bytes are all there, and puts it in place."""
        if not self._settler.part(part, computed):
            self._site.journal.dropped(part.name)
            self._again(part.file, part.size, part.attempt)

    def _again(self, file: RemoteFile, size: int, attempt: int) -> None:
        """Fetches a file once more whose bytes are not the ones promised; then it is no accident.

        Raises:
            IntegrityError: after the last attempt.
        """
        text = f"{file.key!r} is not what it should be: {file.digest} was promised"
        if attempt >= _ATTEMPTS:
            raise IntegrityError(f"{text}, {attempt} attempts brought something else")
        _logger.warning("%s; fetching it once more", text)
        self._site.progress.arrived(-size)
        self._crew.add(partial(self._start, file, attempt + 1))


class _Spans:
    """The ranges of a large file that are still to come."""

    def __init__(self, site: Site, part: Part, growing: GrowingDigest, left: int) -> None:
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
