from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from trainc.initializers.lanes import Lanes


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
    steps: int
    waited: float  # seconds, before each step of work
    worked: float
    want: int  # turns there are in the end


@pytest.mark.parametrize(
    "case",
    [
        TestCase("two at the start", most=8, steps=0, waited=0, worked=0, want=2),
        TestCase("never more than are allowed", most=1, steps=50, waited=0.9, worked=0.1, want=1),
        TestCase("CPUs are what is short", most=8, steps=50, waited=0.5, worked=0.5, want=2),
        TestCase("the network is what is slow", most=8, steps=3, waited=0.9, worked=0.1, want=5),
        TestCase("up to the most", most=8, steps=50, waited=0.9, worked=0.1, want=8),
        TestCase("too early to tell", most=8, steps=3, waited=0.09, worked=0.01, want=2),
        TestCase("short waits add up", most=8, steps=10, waited=0.09, worked=0.01, want=4),
    ],
    ids=lambda case: case.name,
)
def test_turns(case: TestCase) -> None:
    clock = Clock()
    lanes = Lanes(case.most, clock)
    with lanes.taken() as lane:
        for _ in range(case.steps):
            clock.now += case.waited
            with lane.working():
                clock.now += case.worked
    assert turns(lanes) == case.want


def test_what_a_turn_that_has_ended_left_over_counts_too() -> None:
    clock = Clock()
    lanes = Lanes(8, clock)
    for _ in range(4):
        with lanes.taken() as lane:
            clock.now += 0.1
            with lane.working():
                pass
    assert turns(lanes) == 3


def test_work_that_fails_gives_its_turn_back() -> None:
    lanes = Lanes(2)
    with pytest.raises(OSError, match="full"), lanes.taken() as lane, lane.working():
        raise OSError("full")
    assert turns(lanes) == 2


def turns(lanes: Lanes) -> int:
    """How many can be taken at once."""
    free: Callable[..., bool] = lanes._turns.acquire
    return sum(1 for _ in range(100) if free(blocking=False))
