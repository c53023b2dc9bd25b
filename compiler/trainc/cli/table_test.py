from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from trainc.cli.table import aligned, duration, rendered
from trainc.controller.console.jobs import Job
from trainc.controller.console.pods import PodRow

NOW = datetime(2026, 11, 22, 13, tzinfo=UTC)
JOB = Job(
    namespace="team-a",
    name="mnist",
    state="Running",
    reason="",
    message="",
    progress=40,
    remaining=90.0,
    metrics=({"name": "loss", "value": "0.3"},),
    restarts=1,
    wanted=2,
    pods=(),
    runtime="torch-distributed",
    created=datetime(2026, 11, 22, 11, 59, tzinfo=UTC),
    conditions=(),
)


@dataclass(frozen=True)
class DurationCase:
    __test__ = False
    seconds: float
    want: str


@pytest.mark.parametrize(
    "case",
    [
        DurationCase(0, "0s"),
        DurationCase(-5, "0s"),
        DurationCase(59.9, "59s"),
        DurationCase(190, "3m10s"),
        DurationCase(3600, "1h"),
        DurationCase(3601, "1h"),
        DurationCase(86400 * 2 + 3600 * 4 + 61, "2d4h"),
    ],
    ids=lambda case: case.want,
)
def test_duration(case: DurationCase) -> None:
    assert duration(case.seconds) == case.want


def test_a_table() -> None:
    assert rendered([JOB], "table", False, False, NOW) == (
        "NAME    STATE     PROGRESS   ETA     RESTARTS   PODS   AGE\n"
        "mnist   Running   40%        1m30s   1          0/2    1h1m\n"
    )


def test_what_is_not_known_is_a_dash() -> None:
    unknown = replace(JOB, progress=None, remaining=None, created=None, runtime="", metrics=())
    row = rendered([unknown], "wide", False, True, NOW).splitlines()[1].split()
    assert row == ["team-a", "mnist", "Running", "-", "-", "1", "0/2", "-", "-", "-", "-"]


def test_nothing_is_printed_of_no_jobs() -> None:
    assert rendered([], "table", False, False, NOW) == ""
    assert rendered([], "json", False, False, NOW) == "[]\n"


def test_a_message_cannot_steer_the_terminal() -> None:
    pod = PodRow("p", "node", (0, 0), "Error", False, 0, "", "a\x1b[2Jb\nc", ("node",))
    text = rendered([replace(JOB, pods=(pod,))], "table", True, False, NOW)
    assert "\x1b" not in text
    assert "a [2Jb c" in text


def test_nothing_trails() -> None:
    assert aligned([["a", "b"], ["long", ""]]) == "a      b\nlong\n"
