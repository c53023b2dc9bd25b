"""The end of a run in the API server's time, whatever JobSet's clock says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from trainc.controller.decide import decide
from trainc.controller.decide_test import BORN, NOW, _is, a_jobset, a_trainjob
from trainc.controller.decision import Observed
from trainc.controller.finish import Verdict, verdict_of
from trainc.controller.foreigntime import ended_at, is_of_older_run
from trainc.controller.times import moment_of, written
from trainc.controller.view import Json

JOBS: tuple[Json, ...] = ({"name": "node", "active": 1},)
BEFORE = "2026-11-22T11:59:58Z"  # both are applied together, the JobSet first
YESTERDAY, EVENING = "2026-11-21T09:00:00Z", "2026-11-21T18:00:00Z"


@dataclass(frozen=True)
class TestCase:
    """A JobSet that ended, by its own controller's word.

    Attributes:
        created: When the JobSet was made, by the API server.
        theirs: When it ended, by JobSet's clock.
        followed: Whether the TrainJob's status has counts of it.
        want: The TrainJob's end.
        older: Whether it is an older run's.
    """

    __test__ = False
    name: str
    created: str
    theirs: str
    followed: bool
    want: str
    older: bool = False


CASES = [
    TestCase("one clock", BORN, "2026-11-22T12:40:00Z", True, "2026-11-22T12:40:00Z"),
    TestCase("five minutes behind", BEFORE, "2026-11-22T11:56:00Z", True, written(NOW)),
    TestCase("behind, never followed", BORN, "2026-11-22T11:56:00Z", False, written(NOW)),
    TestCase("behind, before the TrainJob", BEFORE, "2026-11-22T11:59:59Z", True, written(NOW)),
    TestCase("five minutes ahead", BORN, "2026-11-22T13:05:00Z", True, written(NOW)),
    TestCase("a second ahead", BORN, "2026-11-22T13:00:01Z", True, "2026-11-22T13:00:01Z"),
    TestCase("no time", BORN, "soon", True, written(NOW)),
    TestCase("an older run", YESTERDAY, EVENING, False, EVENING, older=True),
    TestCase("an older JobSet that went on", YESTERDAY, "2026-11-22T12:10:00Z", False,
             "2026-11-22T12:10:00Z"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_end_of_a_run(case: TestCase) -> None:
    trainjob = a_trainjob(jobs=JOBS if case.followed else ())
    jobset = a_jobset(created=case.created, conditions=(_is("Completed", when=case.theirs),))
    assert ended_at(jobset, trainjob, NOW) == case.want
    assert is_of_older_run(jobset, trainjob) is case.older


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_ended_stays_ended_when_it_is_made_again(case: TestCase) -> None:
    """Complete is not withdrawn, and the new JobSet is held; an older run's end counts no more."""
    trainjob = a_trainjob(jobs=JOBS if case.followed else ())
    jobset = a_jobset(created=case.created, conditions=(_is("Completed", when=case.theirs),))
    status = decide(Observed(trainjob, jobset), NOW).status
    assert status is not None
    after = a_trainjob(conditions=status.conditions, jobs=status.jobs)
    again = a_jobset(created="2026-11-22T13:00:03Z", uid="another")
    want = Verdict.WITHDRAW if case.older else Verdict.HOLD
    assert verdict_of(after, again) is want


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_ended_and_went_is_not_missed(case: TestCase) -> None:
    trainjob = a_trainjob(jobs=JOBS if case.followed else ())
    went = a_jobset(created=case.created, conditions=(_is("Completed", when=case.theirs),))
    status = decide(Observed(trainjob, None, went=went), NOW).status
    assert status is not None or not case.followed
    types = {each["type"] for each in status.conditions} if status else set()
    assert ("Complete" in types) is not case.older
    assert case.older or "Stalled" not in types


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-12-31T23:59:60Z", ""]
)
def test_times_at_the_edge_are_none(text: str) -> None:
    assert moment_of(text) is None


def test_times_are_read_in_utc() -> None:
    assert moment_of("2026-11-22T13:00:00+01:00") == datetime(2026, 11, 22, 12, tzinfo=UTC)
