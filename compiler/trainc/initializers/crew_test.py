from __future__ import annotations

import threading
from functools import partial

import pytest

from trainc.initializers.crew import Crew
from trainc.initializers.failure import IntegrityError, TransientError
from trainc.initializers.retry import Stopped


@pytest.fixture
def crew() -> Crew:
    return Crew(threading.Event())


def nothing() -> None:
    pass


def test_every_task_is_done_once(crew: Crew) -> None:
    done: list[int] = []
    for number in range(100):
        crew.add(partial(done.append, number))
    crew.work(4, nothing)
    assert sorted(done) == list(range(100))


def test_tasks_may_add_tasks_and_those_come_first(crew: Crew) -> None:
    done: list[str] = []

    def first() -> None:
        done.append("first")
        crew.add(partial(done.append, "part"))

    crew.add(partial(done.append, "last"))
    crew.add(first)
    crew.work(1, nothing)
    assert done == ["first", "part", "last"]


def test_no_task_is_no_work(crew: Crew) -> None:
    crew.work(4, nothing)


def test_the_first_failure_ends_it(crew: Crew) -> None:
    done: list[int] = []

    def fail() -> None:
        raise IntegrityError("rotten")

    for number in range(10):
        crew.add(partial(done.append, number))
    crew.add(fail)
    with pytest.raises(IntegrityError, match="rotten"):
        crew.work(1, nothing)
    assert done == []


def test_a_lasting_failure_counts_more_than_a_passing_one(crew: Crew) -> None:
    meet = threading.Barrier(2)

    def fail(error: Exception) -> None:
        meet.wait(10)
        raise error

    crew.add(partial(fail, TransientError("busy")))
    crew.add(partial(fail, IntegrityError("rotten")))
    with pytest.raises(IntegrityError):
        crew.work(2, nothing)


def test_who_was_stopped_has_not_failed(crew: Crew) -> None:
    def stopped() -> None:
        raise Stopped

    crew.add(stopped)
    crew.work(1, nothing)


def test_it_beats_while_it_works(crew: Crew) -> None:
    beats = threading.Event()
    crew.add(lambda: None if beats.wait(10) else pytest.fail("no beat"))
    crew.work(1, beats.set)


def test_ctrl_c_ends_the_others(crew: Crew) -> None:
    done: list[int] = []

    def interrupt() -> None:
        raise KeyboardInterrupt

    def linger() -> None:
        threading.Event().wait(0.5)

    for number in range(5):
        crew.add(partial(done.append, number))
    crew.add(linger)
    with pytest.raises(KeyboardInterrupt):
        crew.work(1, interrupt)
    assert done == []
