from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from trainc.initializers.gate import Gate


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    most: int
    passes: Sequence[tuple[float, float]]  # seconds, and those of CPU
    want: int  # threads there is room for in the end


LOCAL = (0.5, 0.45)
REMOTE = (0.5, 0.01)


@pytest.mark.parametrize(
    "case",
    [
        TestCase("one at first", most=8, passes=[], want=1),
        TestCase("a local disk", most=8, passes=[LOCAL] * 50, want=1),
        TestCase("a network's", most=8, passes=[REMOTE] * 50, want=8),
        TestCase("never more than are allowed", most=1, passes=[REMOTE] * 50, want=1),
        TestCase("too early to tell", most=8, passes=[(0.1, 0.0)] * 3, want=1),
        TestCase("short passes add up", most=8, passes=[(0.1, 0.0)] * 4, want=2),
        TestCase("enough to keep a third of a CPU busy", most=8, passes=[(0.5, 0.06)] * 50, want=3),
        TestCase("a local disk that stalled", most=8, passes=[REMOTE] * 3 + [LOCAL] * 9, want=1),
        # Eight that take turns wait for seven eighths of the time: that is no slow disk.
        TestCase("waiting for each other", most=8, passes=[REMOTE] * 7 + [(0.5, 0.09)] * 9, want=4),
    ],
    ids=lambda case: case.name,
)
def test_room(case: TestCase) -> None:
    clock, cpu, grown = Clock(), Clock(), list[int]()
    gate = Gate(case.most, lambda: grown.append(1), clock, cpu)
    for seconds, worked in case.passes:
        with gate.passed():
            clock.now += seconds
            cpu.now += worked
    assert gate._room == case.want
    assert len(grown) >= case.want - 1


def test_no_more_are_inside_than_there_is_room_for() -> None:
    gate = Gate(8)
    inside, most = [0], [0]

    def work() -> None:
        for _ in range(200):
            with gate.passed():
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]


def test_one_that_fails_leaves_room() -> None:
    gate = Gate(1)
    with pytest.raises(OSError, match="full"), gate.passed():
        raise OSError("full")
    with gate.passed():
        pass


def test_room_that_grew_is_taken_by_those_who_wait() -> None:
    clock = Clock()
    gate = Gate(2, clock=clock, cpu=Clock())
    both = threading.Barrier(2, timeout=30)

    def enter() -> None:
        with gate.passed():
            both.wait()

    with gate.passed():
        threads = [threading.Thread(target=enter) for _ in range(2)]
        for thread in threads:
            thread.start()
        clock.now += 1.0
    for thread in threads:
        thread.join(30)
    assert not both.broken
