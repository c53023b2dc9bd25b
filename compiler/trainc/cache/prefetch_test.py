import itertools
import threading
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from trainc.cache.prefetch import prefetched


class Batches:
    """Plays an assembly: ten batches, or an error after some."""

    def __init__(self, fail_after: int = 99) -> None:
        self.fail_after = fail_after
        self.given: list[str] = []  # the thread that asked for each batch
        self.closed = self.released = False

    def batches(self) -> Iterator[pa.RecordBatch]:
        for number in range(10):
            if number == self.fail_after:
                raise ConnectionError("away")
            if self.closed:
                return
            self.given.append(threading.current_thread().name)
            yield pa.record_batch({"id": [number]})

    def interrupt(self, stall: float) -> None:
        """No worker here hangs."""

    def close(self) -> None:
        self.closed = True

    def release(self) -> None:
        self.released = True


@pytest.fixture(params=[0.0, 1.0], ids=["takes", "computes"])
def computes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """A clock by which the reader takes no time with a batch, or a second."""
    ticks = itertools.count(step=request.param)
    monkeypatch.setattr("trainc.cache.prefetch.time.perf_counter", lambda: next(ticks))
    return bool(request.param)


def read(batches: Any, most: int = 99) -> list[int]:
    found: list[int] = []
    stream = prefetched(batches, ahead=2, stall=10.0)
    for batch in stream:
        found += batch["id"].to_pylist()
        if len(found) == most:
            break
    stream.close()  # type: ignore[attr-defined]
    return found


def test_only_a_reader_that_computes_is_read_ahead_for(computes: bool) -> None:
    batches = Batches()
    assert read(batches) == list(range(10))
    assert len(set(batches.given)) == (2 if computes else 1)
    assert batches.given[0] == threading.current_thread().name
    assert batches.released


@pytest.mark.parametrize("fail_after", [0, 1, 5])
def test_an_error_comes_after_the_batches_before_it(computes: bool, fail_after: int) -> None:
    batches: Any = Batches(fail_after)
    found: list[int] = []
    with pytest.raises(ConnectionError, match="away"):
        for batch in prefetched(batches, ahead=2, stall=10.0):
            found += batch["id"].to_pylist()
    assert found == list(range(fail_after))
    assert batches.released


def test_leaving_early_ends_the_thread(computes: bool) -> None:
    before = threading.active_count()
    batches = Batches()
    assert read(batches, most=5) == list(range(5))
    assert batches.released
    assert len(batches.given) <= 5 + 2 + 2  # those taken, those ready, those in hand
    assert threading.active_count() <= before + 1  # the watch ends by itself
