"""The server's time from its answers, whatever this machine's clock says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from trainc.controller.clock import ServerClock

START = datetime(2026, 12, 1, 12, 0, 0, 300_000, UTC)


class World:
    """Real time, and a clock of this machine that is off."""

    def __init__(self, off: float) -> None:
        self.real = START
        self.off = timedelta(seconds=off)

    def here(self) -> datetime:
        return self.real + self.off

    def answer(self, clock: ServerClock, seconds: float = 0.02) -> None:
        """A request that takes so long; the server answers in the middle of it."""
        sent = clock.here()
        self.real += timedelta(seconds=seconds / 2)
        date = format_datetime(self.real.replace(microsecond=0), usegmt=True)
        self.real += timedelta(seconds=seconds / 2)
        clock.learn(date, sent, clock.here())


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    off: float
    gaps: tuple[float, ...]
    within: float


CASES = [
    TestCase("the same clock", 0, (0.0, 0.4, 3.1), 0.0),
    TestCase("one answer", 300, (0.0,), 1.1),
    TestCase("five minutes ahead", 300, (0.1, 0.35, 0.61, 2.9, 5.55), 0.5),
    TestCase("five minutes behind", -300, (0.1, 0.35, 0.61, 2.9, 5.55), 0.5),
    TestCase("a day", 86400, (0.1, 0.35, 0.61, 2.9), 0.5),
    TestCase("slow answers", -300, (0.5, 7.0, 60.0), 3.0),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_the_servers_time(case: TestCase) -> None:
    world = World(case.off)
    clock = ServerClock(world.here)
    for gap in case.gaps:
        world.real += timedelta(seconds=gap)
        world.answer(clock, 2.0 if case.name == "slow answers" else 0.02)
    assert abs((clock() - world.real).total_seconds()) <= case.within


def test_before_any_answer_it_is_this_machines() -> None:
    world = World(300)
    assert ServerClock(world.here)() == world.here()


@pytest.mark.parametrize("date", [None, "", "soon", "Mon, 99 Foo 2026 00:00:00 GMT"])
def test_what_is_no_date_is_passed_over(date: str | None) -> None:
    world = World(300)
    clock = ServerClock(world.here)
    clock.learn(date, clock.here(), clock.here())
    assert clock.offset == 0


def test_a_clock_that_is_set_is_followed() -> None:
    world = World(0)
    clock = ServerClock(world.here)
    world.answer(clock)
    world.off = timedelta(seconds=-300)
    world.answer(clock)
    assert abs((clock() - world.real).total_seconds()) <= 1.1
