from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from trainc.initializers.batch import Batch
from trainc.initializers.failure import TransientError
from trainc.initializers.provider import Arrivals, Chunk, Listing, RemoteFile
from trainc.initializers.retry import Patience, Stopped

FILES = [RemoteFile(str(number), str(number), 1) for number in range(10)]


class Many:
    """A remote that says what each file has come to: ``x`` for its bytes, ``-`` for a failure."""

    def __init__(self, text: str) -> None:
        self.closed = False
        self._text = text

    def read_many(self, files: Iterator[RemoteFile], connections: Callable[[], int]) -> Arrivals:
        self.connections = connections
        try:
            for file, sign in zip(files, self._text, strict=False):
                yield None
                yield file, bytearray(b"x") if sign == "x" else TransientError("down")
        finally:
            self.closed = True

    def listing(self) -> Listing:
        raise NotImplementedError

    def inspect(self, file: RemoteFile) -> RemoteFile:
        raise NotImplementedError

    def read(self, file: RemoteFile, start: int, end: int | None) -> Iterator[Chunk]:
        raise NotImplementedError


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    text: str
    left: int  # files that are given up


@pytest.mark.parametrize(
    "case",
    [
        TestCase("all come", "xxxxxxxxxx", left=0),
        TestCase("some fail", "x--x--xx-x", left=0),
        TestCase("too many fail in a row", "x---", left=6),
        TestCase("all fail", "---", left=7),
    ],
    ids=lambda case: case.name,
)
def test_every_file_comes_once_or_is_given_up(case: TestCase) -> None:
    batch = Batch(Many(case.text), FILES, 2, lambda: 0, Patience(1))
    seen, given_up = [], []
    for file, content in batch.arrivals():
        seen.append(file)
        if isinstance(content, TransientError):
            given_up += batch.given_up()
    assert len(given_up) == case.left
    assert [*seen, *given_up] == FILES


def test_the_end_of_the_fetch_ends_it_and_closes_its_connections() -> None:
    stop = threading.Event()
    remote = Many("xxxxxxxxxx")
    arrivals = Batch(remote, FILES, 2, lambda: 0, Patience(1, stop)).arrivals()
    next(arrivals)
    stop.set()
    with pytest.raises(Stopped):
        next(arrivals)
    assert remote.closed


@pytest.mark.parametrize(("others", "want"), [(0, 4), (3, 1), (4, 1), (9, 1)])
def test_connections_that_others_have_are_not_used_twice(others: int, want: int) -> None:
    remote = Many("xxxxxxxxxx")
    batch = Batch(remote, FILES, 4, lambda: others, Patience(1))
    for _ in batch.arrivals():
        assert batch.takers == 1
        assert remote.connections() == want
    assert batch.takers == 0
