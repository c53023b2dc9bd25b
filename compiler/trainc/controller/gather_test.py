from __future__ import annotations

from typing import Any, cast

import pytest

from trainc.controller.api import Api
from trainc.controller.apply import Applying
from trainc.controller.decision import Decision, Observed, Status
from trainc.controller.gather import Gathering
from trainc.controller.minter import Minter
from trainc.controller.progress.reports import Reports
from trainc.controller.progress.verdicts import Pod
from trainc.controller.store import Store
from trainc.controller.times import parse
from trainc.controller.view import JobSetView, Json, Key, TrainJobView, jobset_view, trainjob_view

NOW = "2026-11-22T12:00:00Z"
KEY = ("ns", "m")
JOBS = ({"name": "node", "ready": 1},)
REPORT = {"progressPercentage": 5, "lastUpdatedTime": NOW}
COMPLETED = {
    "type": "Completed",
    "status": "True",
    "reason": "AllJobsCompleted",
    "message": "",
    "lastTransitionTime": NOW,
}
NOTE = {"trainc.dev/job": '{"version":1,"trainjob":"m"}'}


def _object(version: int, annotations: Json | None = None, **parts: Any) -> Json:
    metadata = {
        "namespace": "ns",
        "name": "m",
        "uid": "u",
        "resourceVersion": str(version),
        "generation": 1,
        "creationTimestamp": NOW,
        "annotations": annotations or {},
    }
    return {"metadata": metadata, **parts}


class Cluster:
    """Answers to a write with the object as it is then."""

    def __init__(self, answer: Json) -> None:
        self._answer = answer
        self.trainjobs: Store[TrainJobView] = Store()
        self.jobsets: Store[JobSetView] = Store()
        self.changed: list[Key] = []
        api = cast(Api, self)
        self.gathering = Gathering(api, self.trainjobs, self.jobsets, self.changed.append)

    def patch(self, path: str, patch: Any, content_type: str) -> Json:
        return self._answer

    def apply(self, observed: Observed, decision: Decision) -> None:
        api = cast(Api, self)
        events: Any = None
        Applying(api, self.gathering, Minter(api, str), events).apply(
            observed, decision, parse(NOW)
        )

    def report(self) -> None:
        self.jobsets.put(jobset_view(_object(1, NOTE)))
        reports = Reports(
            cast(Api, self), self.gathering, lambda: None, lambda: parse(NOW), lambda: 100.0
        )
        reports.offer(KEY, Pod("u", 0, 0, True), REPORT)
        reports._write(KEY)


@pytest.mark.parametrize(
    ("spec", "looked_at_again"), [({}, []), ({"suspend": True}, [KEY])], ids=["alone", "beside"]
)
def test_what_was_written_beside_a_status_is_not_lost(
    spec: Json, looked_at_again: list[Key]
) -> None:
    cluster = Cluster(_object(7, spec=spec, status={"jobsStatus": list(JOBS)}))
    trainjob = trainjob_view(_object(1))
    cluster.apply(Observed(trainjob, None), Decision(status=Status(jobs=JOBS)))
    assert cluster.changed == looked_at_again
    # The event of it, which comes later, is no news to the watch.
    assert not cluster.trainjobs.put(trainjob_view(_object(6, spec=spec)))


@pytest.mark.parametrize(
    ("status", "looked_at_again"),
    [({}, []), ({"conditions": [COMPLETED]}, [KEY])],
    ids=["alone", "beside"],
)
@pytest.mark.parametrize(
    ("decision", "more"),
    [
        (Decision(hold=True), {"spec": {"suspend": True}, "annotations": {"trainc.dev/held": NOW}}),
        (Decision(release=True), {"spec": {"suspend": False}, "annotations": {}}),
    ],
    ids=["hold", "release"],
)
def test_what_was_written_beside_a_suspension_is_not_lost(
    decision: Decision, more: Json, status: Json, looked_at_again: list[Key]
) -> None:
    annotations = {**NOTE, **more["annotations"]}
    cluster = Cluster(_object(7, annotations, spec=more["spec"], status=status))
    cluster.apply(Observed(None, jobset_view(_object(1, NOTE))), decision)
    assert cluster.changed == looked_at_again


@pytest.mark.parametrize(
    ("spec", "looked_at_again"), [({}, []), ({"suspend": True}, [KEY])], ids=["alone", "beside"]
)
def test_what_was_written_beside_a_report_is_not_lost(
    spec: Json, looked_at_again: list[Key]
) -> None:
    cluster = Cluster(_object(7, spec=spec, status={"trainerStatus": REPORT}))
    cluster.trainjobs.put(trainjob_view(_object(1)))
    cluster.report()
    assert cluster.changed == looked_at_again


@pytest.mark.parametrize(
    ("status", "looked_at_again"),
    [({}, []), ({"conditions": [COMPLETED]}, [KEY])],
    ids=["alone", "beside"],
)
def test_what_was_written_beside_a_report_of_a_jobset_is_not_lost(
    status: Json, looked_at_again: list[Key]
) -> None:
    text = '{"progressPercentage":5,"lastUpdatedTime":"2026-11-22T12:00:00Z"}'
    annotations = {**NOTE, "trainc.dev/progress": text}
    cluster = Cluster(_object(7, annotations, status=status))
    cluster.report()
    assert cluster.changed == looked_at_again


class Expired(Cluster):
    """Where nothing is left but the TrainJob."""

    def find(self, path: str) -> Json | None:
        return self._answer if "trainjobs" in path else None


def test_the_end_of_a_jobset_that_expired_at_once_is_gathered() -> None:
    cluster = Expired(_object(7))
    ended = jobset_view(_object(3, NOTE, status={"conditions": [COMPLETED]}))
    cluster.trainjobs.put(trainjob_view(_object(7)))
    cluster.jobsets.put(jobset_view(_object(2, NOTE)))
    assert cluster.gathering.gather(KEY).went is None
    cluster.jobsets.remove(KEY, 3, ended)
    expected = Observed(trainjob_view(_object(7)), None, went=ended)
    assert cluster.gathering.gather(KEY) == expected
    assert cluster.gathering.again(KEY) == expected
