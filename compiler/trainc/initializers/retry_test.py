from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from trainc.initializers.failure import NotFoundError, TransientError
from trainc.initializers.retry import Patience, Retry, Stopped


class Clock:
    """A clock that only pauses move, and an event that never is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, share: float = 1.0) -> None:
        self.now = 0.0
        self.pauses: list[float] = []
        self.bounds: list[float] = []
        self._share = share
        monkeypatch.setattr("trainc.initializers.retry.time.monotonic", lambda: self.now)
        monkeypatch.setattr("trainc.initializers.retry.random.uniform", self._uniform)

    def _uniform(self, least: float, most: float) -> float:
        self.bounds.append(most)
        return least + self._share * (most - least)

    def patience(self, seconds: float) -> Patience:
        stop = threading.Event()
        stop.wait = self._wait  # type: ignore[method-assign]
        return Patience(seconds, stop)

    def _wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.pauses.append(timeout)
        self.now += timeout
        return False


def failing(count: int, error: Exception) -> Callable[[], str]:
    left = [count]

    def operation() -> str:
        if left[0]:
            left[0] -= 1
            raise error
        return "done"

    return operation


def test_pauses_double_up_to_the_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    operation = failing(9, TransientError("busy"))
    assert clock.patience(1000).persist(operation) == "done"
    assert clock.pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_the_jitter_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, share=0.0)
    clock.patience(10).persist(failing(3, TransientError("busy")))
    assert clock.pauses == [0, 0, 0]
    assert clock.bounds == [0.5, 1, 2]


def test_what_does_not_pass_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    with pytest.raises(NotFoundError):
        clock.patience(1000).persist(failing(1, NotFoundError("gone")))
    assert clock.pauses == []


def test_what_asks_for_a_new_process_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    with pytest.raises(TransientError):
        clock.patience(1000).persist(failing(1, TransientError("changed", again=False)))
    assert clock.pauses == []


@pytest.mark.parametrize("seconds", [0, 1, 10, 100])
def test_time_runs_out_and_is_used_to_its_end(
    monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    clock = Clock(monkeypatch)
    with pytest.raises(TransientError, match="busy"):
        clock.patience(seconds).persist(failing(10**6, TransientError("busy")))
    assert clock.now == pytest.approx(seconds)


def test_a_servers_wish_is_the_least(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    clock.patience(100).persist(failing(2, TransientError("busy", retry_after=7)))
    assert clock.pauses == [7.5, 8]


def test_a_wish_that_is_too_long_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    with pytest.raises(TransientError):
        clock.patience(100).persist(failing(1, TransientError("busy", retry_after=101)))
    assert clock.pauses == []


def test_progress_makes_the_time_begin_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    each = Retry(clock.patience(5))
    for _ in range(20):  # far more than 5 seconds in all
        each.failed(TransientError("cut"))
        each.progressed()
    assert clock.pauses == [0.5] * 20


def test_the_end_of_the_fetch_ends_the_pause() -> None:
    patience = Patience(1000)
    patience.stop.set()
    with pytest.raises(Stopped):
        patience.persist(failing(1, TransientError("busy")))
