"""A JobSet in a queue of Kueue's: the controller never writes its ``spec.suspend``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from trainc.controller.api import Api, ApiError
from trainc.controller.apply import Applying
from trainc.controller.decide import decide
from trainc.controller.decision import Observed, Told
from trainc.controller.gather import Gathering
from trainc.controller.minter import Minter
from trainc.controller.store import Store
from trainc.controller.times import parse
from trainc.controller.view import Json, jobset_view, trainjob_view
from trainc.names import HELD_ANNOTATION, JOB_ANNOTATION, QUEUE_LABEL

NOW = "2026-11-22T12:30:00Z"
NOTE = {JOB_ANNOTATION: '{"version":1,"trainjob":"m"}'}
METADATA = {
    "namespace": "ns",
    "name": "m",
    "uid": "u",
    "resourceVersion": "1",
    "creationTimestamp": "2026-11-22T12:00:00Z",
}
ENDED = {
    "message": "",
    "status": "True",
    "lastTransitionTime": "2026-11-22T12:10:00Z",
}


def a_jobset(annotations: Mapping[str, str] | None = None, *, suspend: bool = False) -> Json:
    metadata = {
        **METADATA,
        "creationTimestamp": "2026-11-22T12:20:00Z",
        "labels": {QUEUE_LABEL: "gpus"},
        "annotations": {**NOTE, **(annotations or {})},
    }
    return {"metadata": metadata, "spec": {"suspend": suspend}}


@dataclass
class Cluster:
    """A Kueue with this many Workloads of the job, or none at all; keeps what is written."""

    jobset: Json
    workloads: int = 1
    active: bool = True
    installed: bool = True
    writes: list[Json] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def request(self, method: str, path: str, query: dict[str, str]) -> Json:
        assert (method, query) == ("GET", {"labelSelector": "kueue.x-k8s.io/job-uid=u"})
        if not self.installed:
            raise ApiError(404, "the server could not find the requested resource")
        metadata = {"name": "jobset-m", "uid": "w"}
        return {"items": [{"metadata": metadata, "spec": {"active": self.active}}] * self.workloads}

    def patch(self, path: str, patch: Any, *_: Any) -> Json:
        if path.endswith("/status"):
            return {"metadata": METADATA}
        self.writes.append(patch)
        if "/workloads/" in path:
            self.active = patch["spec"]["active"]
            if not self.active:
                self.jobset["spec"]["suspend"] = True
            return {}
        self.jobset["spec"].update(patch.get("spec") or {})
        annotations = self.jobset["metadata"]["annotations"]
        for key, value in patch["metadata"]["annotations"].items():
            annotations.pop(key, None) if value is None else annotations.update({key: value})
        return self.jobset

    def tell(self, subject: object, told: Told) -> None:
        self.reasons.append(told.reason)

    def reconcile(self, trainjob: Json) -> float | None:
        api, now = cast(Api, self), parse(NOW)
        applying = Applying(
            api, Gathering(api, Store(), Store()), Minter(api, str), cast(Any, self)
        )
        seen = Observed(trainjob_view(trainjob), jobset_view(self.jobset))
        return applying.apply(seen, decide(seen, now), now)


INACTIVE = {"metadata": {"uid": "w"}, "spec": {"active": False}}
ACTIVE = {"metadata": {"uid": "w"}, "spec": {"active": True}}
MARK = {"metadata": {"uid": "u", "annotations": {HELD_ANNOTATION: NOW}}}
UNMARK = {"metadata": {"uid": "u", "annotations": {HELD_ANNOTATION: None}}}
RUNNING: Json = {"metadata": METADATA, "spec": {}}


def finished(kind: str = "Complete", reason: str = "AllJobsCompleted") -> Json:
    end = {**ENDED, "type": kind, "reason": reason}
    return {**RUNNING, "status": {"conditions": [end]}}


@pytest.mark.parametrize("suspended", [True, False], ids=["waiting", "admitted"])
@pytest.mark.parametrize(
    ("kind", "reason"), [("Complete", "AllJobsCompleted"), ("Failed", "DeadlineExceeded")]
)
def test_a_job_put_back_after_its_end_is_held_by_its_workload(
    kind: str, reason: str, suspended: bool
) -> None:
    cluster = Cluster(a_jobset(suspend=suspended))
    for _ in range(20):
        cluster.reconcile(finished(kind, reason))
    assert cluster.writes == [INACTIVE, MARK]
    assert set(cluster.reasons) == {"HeldAfterFinish"}


def test_without_a_workload_it_is_tried_again_and_nothing_is_written() -> None:
    cluster = Cluster(a_jobset(suspend=True), workloads=0)
    assert cluster.reconcile(finished()) == 60  # the JobSet is ten minutes old
    assert cluster.writes == []
    cluster.workloads = 1
    assert cluster.reconcile(finished()) is None
    assert cluster.writes == [INACTIVE, MARK]


def test_a_held_job_that_kueue_resumed_is_held_again_and_marked_once() -> None:
    cluster = Cluster(a_jobset({HELD_ANNOTATION: NOW}))
    for _ in range(20):
        cluster.reconcile(finished())
    assert cluster.writes == [INACTIVE]


def test_a_hold_that_is_over_makes_the_workload_active() -> None:
    cluster = Cluster(a_jobset({HELD_ANNOTATION: NOW}, suspend=True), active=False)
    for _ in range(20):
        cluster.reconcile(RUNNING)
    assert cluster.writes == [ACTIVE, UNMARK]


def test_a_hold_that_is_over_needs_no_workload() -> None:
    cluster = Cluster(a_jobset({HELD_ANNOTATION: NOW}, suspend=True), workloads=0)
    for _ in range(20):
        cluster.reconcile(RUNNING)
    assert cluster.writes == [UNMARK]


def test_what_was_suspended_through_kueue_by_a_person_stays_so() -> None:
    cluster = Cluster(a_jobset(suspend=True), active=False)
    cluster.reconcile(RUNNING)
    assert cluster.writes == []


def test_without_kueue_the_jobset_is_held_as_any_other() -> None:
    cluster = Cluster(a_jobset(), installed=False)
    for _ in range(20):
        cluster.reconcile(finished())
    assert cluster.writes == [{**MARK, "spec": {"suspend": True}}]
    for _ in range(20):
        cluster.reconcile(RUNNING)
    assert cluster.writes[1:] == [{**UNMARK, "spec": {"suspend": False}}]
