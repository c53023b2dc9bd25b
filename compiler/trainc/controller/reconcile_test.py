from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from trainc.controller.api import ApiError
from trainc.controller.apply import Applying
from trainc.controller.decision import Decision, Observed
from trainc.controller.gather import Gathering
from trainc.controller.reconcile import Reconciler
from trainc.controller.view import JobSetView, jobset_view, trainjob_view

BORN = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = ("ns", "m")
METADATA = {
    "namespace": "ns",
    "name": "m",
    "uid": "u",
    "resourceVersion": "1",
    "creationTimestamp": "2026-11-22T12:00:00Z",
    "annotations": {"trainc.dev/job": '{"version":1,"trainjob":"m"}'},
}
TRAINJOB = trainjob_view({"metadata": METADATA, "spec": {"activeDeadlineSeconds": 100}})
JOBSET = jobset_view({"metadata": METADATA})


class Cluster:
    """One job with a deadline, and a clock that goes on while requests are on their way."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.refusals: list[ApiError] = []
        self.applied: list[Decision] = []

    def now(self) -> datetime:
        return BORN + timedelta(seconds=self.seconds)

    def gather(self, key: tuple[str, str]) -> Observed:
        return Observed(TRAINJOB, JOBSET)

    again = gather

    def ensure(self, observed: Observed) -> Observed:
        """Takes half a minute."""
        self.seconds += 30
        return observed

    def mint(self, jobset: JobSetView, wanted: bool, now: datetime) -> float | None:
        return None

    def apply(self, observed: Observed, decision: Decision, now: datetime) -> float | None:
        if self.refusals:
            raise self.refusals.pop(0)
        self.applied.append(replace(decision, status=None))
        return decision.after

    def reconciler(self, **more: Any) -> Reconciler:
        return Reconciler(cast(Gathering, self), cast(Applying, self), self.now, **more)


def test_the_time_that_making_took_is_no_time_of_the_job() -> None:
    """Else its next look would be late by it, and so would its deadline be."""
    cluster = Cluster()
    reconciler = cluster.reconciler(ensure=cluster.ensure)
    assert reconciler.reconcile(KEY) == 70


def test_a_deadline_that_passed_between_two_tries_is_seen() -> None:
    cluster = Cluster()
    cluster.refusals = [ApiError(409, "was changed", "Conflict")] * 3
    assert cluster.reconciler(ensure=cluster.ensure).reconcile(KEY) is None
    assert [each.delete for each in cluster.applied] == [True]


@pytest.mark.parametrize("code", [404, 409, 422])
def test_a_writer_who_is_always_faster_is_left_to_the_queue(code: int) -> None:
    cluster = Cluster()
    cluster.refusals = [ApiError(code, "no")] * 10
    with pytest.raises(ApiError):
        cluster.reconciler().reconcile(KEY)
    assert len(cluster.refusals) == 5


def test_what_is_no_conflict_is_not_tried_at_once() -> None:
    cluster = Cluster()
    cluster.refusals = [ApiError(503, "overloaded")] * 10
    with pytest.raises(ApiError):
        cluster.reconciler().reconcile(KEY)
    assert len(cluster.refusals) == 9
