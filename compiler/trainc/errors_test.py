"""One finding for one place: its jobs and environments, and how they read."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from trainc.errors import Mark, Problem, merged

SHARED = Problem("x is lost", "TRC010", Mark("overlays/base/a.yaml", 4, 3), "TrainJob/a", "spec.x")
OWN = Problem("no deadline", "TRC404", Mark("jobs/a.yaml", 6, 1), "TrainJob/a", jobs=("team/a",))


def of(job: str, *environments: str) -> Problem:
    """The shared finding as one job has it."""
    name = f"TrainJob/{job.rpartition('/')[2]}"
    return SHARED._replace(object=name, jobs=(job,), environments=environments)


@dataclass(frozen=True)
class Case:
    __test__ = False
    name: str
    problems: tuple[Problem, ...]
    want: tuple[Problem, ...]


CASES = [
    Case(
        "jobs of one place",
        (of("a"), of("b"), of("a")),
        (of("a")._replace(jobs=("a", "b")),),
    ),
    Case("environments of one place", (of("a", "dev"), of("a", "prod")), (of("a", "dev", "prod"),)),
    Case(
        "the same name in two namespaces",
        (of("x/a"), of("y/a")),
        (of("x/a")._replace(jobs=("x/a", "y/a")),),
    ),
    Case(
        "another line stays apart",
        (of("a"), of("b")._replace(mark=Mark("overlays/base/a.yaml", 5, 3))),
        (of("a"), of("b")._replace(mark=Mark("overlays/base/a.yaml", 5, 3))),
    ),
    Case(
        "another code stays apart",
        (of("a"), of("a")._replace(code="TRC208")),
        (of("a"), of("a")._replace(code="TRC208")),
    ),
    Case(
        "without a line the objects stay apart",
        (of("a")._replace(mark=None), of("b")._replace(mark=None)),
        (of("a")._replace(mark=None), of("b")._replace(mark=None)),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_finding_is_reported_once(case: Case) -> None:
    assert merged(case.problems) == [*case.want]


@dataclass(frozen=True)
class Scope:
    __test__ = False
    name: str
    problem: Problem
    want: str


SCOPES = [
    Scope("its own file names the job", OWN, ""),
    Scope("environment", OWN._replace(environments=("dev",)), " (environment dev)"),
    Scope(
        "one job of a shared runtime",
        SHARED._replace(object="ClusterTrainingRuntime/r", jobs=("a",)),
        " (job a)",
    ),
    Scope("two jobs", SHARED._replace(jobs=("a", "b")), " (jobs a, b)"),
    Scope(
        "many jobs, two environments",
        SHARED._replace(jobs=tuple("abcdefghijklmno"), environments=("dev", "prod")),
        " (jobs a, b and 13 more; environments dev, prod)",
    ),
    Scope("neither", SHARED, ""),
]


@pytest.mark.parametrize("case", SCOPES, ids=lambda case: case.name)
def test_text_names_jobs_and_environments(case: Scope) -> None:
    assert case.problem.scope() == case.want
    assert case.want in str(case.problem)


def test_json_lists_all_jobs() -> None:
    found = SHARED._replace(jobs=tuple("abcd"), environments=("dev",)).as_dict()
    assert found["jobs"] == ["a", "b", "c", "d"]
    assert found["environments"] == ["dev"]
    assert "jobs" not in SHARED.as_dict()
