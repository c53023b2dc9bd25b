"""A queued JobSet without a Workload is reported, once it should have one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from trainc.controller import unclaimed
from trainc.controller.api import ApiError
from trainc.controller.decide_test import NOW, a_jobset
from trainc.controller.kueue import Workload
from trainc.controller.times import written
from trainc.controller.unclaimed import NO_WORKLOAD, Unclaimed

WORKLOAD = Workload("w", "u", "/w", active=True)


@dataclass(frozen=True)
class TestCase:
    """A JobSet of that age, and what Kueue has.

    Attributes:
        changes: Of the JobSet.
        age: In seconds.
        found: What listing its Workloads gives.
        reported: Whether it is reported.
        after: When it is looked at again.
        listed: Whether Workloads are listed at all.
    """

    __test__ = False
    name: str
    age: int
    found: list[Workload] | None | ApiError
    reported: bool = False
    after: float | None = None
    listed: bool = True
    changes: dict[str, Any] = field(default_factory=dict)


CASES = [
    TestCase("none, just made", 4, [], after=6, listed=False),
    TestCase("none", 11, [], reported=True, after=60),
    TestCase("one", 11, [WORKLOAD]),
    TestCase("no Kueue", 11, None),
    TestCase("no right to look", 11, ApiError(403, "no")),
    TestCase("no answer", 11, ApiError(503, "later"), after=60),
    TestCase("in no queue", 11, [], listed=False, changes={"queued": False}),
    TestCase("runs", 11, [], listed=False, changes={"suspended": False}),
    TestCase("held by the controller", 11, [], listed=False, changes={"held": True}),
    TestCase("goes", 11, [], listed=False, changes={"deleting": True}),
    TestCase("made at no time", 11, [], listed=False, changes={"created": ""}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_look(case: TestCase, monkeypatch: pytest.MonkeyPatch) -> None:
    lists: list[str] = []
    told: list[object] = []

    def workloads(api: object, namespace: str, uid: str) -> list[Workload] | None:
        lists.append(uid)
        if isinstance(case.found, ApiError):
            raise case.found
        return case.found

    monkeypatch.setattr(unclaimed, "workloads", workloads)
    waiting: Any = {"queued": True, "suspended": True}
    created = written(NOW - timedelta(seconds=case.age))
    jobset = a_jobset(**{**waiting, "created": created, **case.changes})
    looker = Unclaimed(None, lambda _, event: told.append(event))  # type: ignore[arg-type]
    assert looker.look(jobset, NOW) == case.after
    assert told == ([NO_WORKLOAD] if case.reported else [])
    assert bool(lists) is case.listed
    looker.look(jobset, NOW)
    if case.found == [WORKLOAD] or case.found is None:
        assert len(lists) == 1, "it is looked for once"
