from __future__ import annotations

from collections.abc import Iterator

import pytest

from trainc.initializers.failure import IntegrityError, TransientError
from trainc.initializers.provider import Chunk, Listing, RemoteFile
from trainc.initializers.retry import Patience, Stopped
from trainc.initializers.stream import stream

BODY = bytes(range(100))


class Remote:
    """Breaks off after so many bytes of each answer, or fails."""

    def __init__(self, *ends: int | Exception, ranges: bool = True) -> None:
        self.ends = [*ends]
        self.ranges = ranges
        self.asked: list[tuple[int, int | None]] = []

    def listing(self) -> Listing:
        raise NotImplementedError

    def inspect(self, file: RemoteFile) -> RemoteFile:
        return file

    def read(self, file: RemoteFile, start: int, end: int | None) -> Iterator[Chunk]:
        self.asked.append((start, end))
        stop: int | Exception = self.ends.pop(0) if self.ends else len(BODY)
        if isinstance(stop, Exception):
            raise stop
        body = BODY[start if self.ranges else 0 : end][:stop]
        yield from (body[at : at + 10] for at in range(0, len(body), 10))


def taken(remote: Remote, span: tuple[int, int | None], patience: Patience) -> bytes:
    held = bytearray(len(BODY))
    file = RemoteFile("a", "a", len(BODY), ranges=remote.ranges)

    def take(position: int, chunk: Chunk) -> None:
        held[position : position + len(chunk)] = chunk

    stop = stream(remote, file, span, patience, take)
    return bytes(held[span[0] : stop])


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> Patience:
    monkeypatch.setattr("trainc.initializers.retry.random.uniform", lambda *_: 0.0)
    return Patience(10)


def test_a_range_arrives(patience: Patience) -> None:
    assert taken(Remote(), (20, 70), patience) == BODY[20:70]


def test_what_breaks_off_goes_on_where_it_was(patience: Patience) -> None:
    remote = Remote(30, TransientError("cut"), 15)
    assert taken(remote, (0, 100), patience) == BODY
    assert remote.asked == [(0, 100), (30, 100), (30, 100), (45, 100)]


def test_without_ranges_it_begins_anew(patience: Patience) -> None:
    remote = Remote(30, ranges=False)
    assert taken(remote, (0, 100), patience) == BODY
    assert remote.asked == [(0, 100), (0, 100)]


def test_without_a_size_the_end_is_where_the_server_stops(patience: Patience) -> None:
    assert taken(Remote(40), (0, None), patience) == BODY[:40]


def test_more_than_was_asked_for_is_refused(patience: Patience) -> None:
    class Long(Remote):
        def read(self, file: RemoteFile, start: int, end: int | None) -> Iterator[Chunk]:
            yield BODY

    with pytest.raises(IntegrityError, match="longer than the 100 bytes listed"):
        taken(Long(), (0, 50), patience)


def test_a_break_after_the_last_byte_is_none(patience: Patience) -> None:
    class Late(Remote):
        def read(self, file: RemoteFile, start: int, end: int | None) -> Iterator[Chunk]:
            yield BODY[start:end]
            raise TransientError("reset")

    assert taken(Late(), (0, 100), patience) == BODY


def test_a_change_that_shows_after_the_last_byte_is_one(patience: Patience) -> None:
    class Changed(Remote):
        def read(self, file: RemoteFile, start: int, end: int | None) -> Iterator[Chunk]:
            yield BODY[start:end]
            raise TransientError("changed", again=False)

    with pytest.raises(TransientError, match="changed"):
        taken(Changed(), (0, 100), patience)


def test_a_server_that_never_sends_is_given_up() -> None:
    with pytest.raises(TransientError, match="broke off at byte 0 of 100"):
        taken(Remote(0, 0, 0), (0, 100), Patience(0))


def test_the_end_of_the_fetch_ends_it(patience: Patience) -> None:
    patience.stop.set()
    with pytest.raises(Stopped):
        taken(Remote(), (0, 100), patience)
