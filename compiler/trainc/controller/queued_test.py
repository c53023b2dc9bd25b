"""A JobSet in a queue of Kueue's: the controller never writes its ``spec.suspend``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from trainc.controller.api import Api
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


def a_jobset(**annotations: str) -> Json:
    metadata = {
        **METADATA,
        "creationTimestamp": "2026-11-22T12:20:00Z",
        "labels": {QUEUE_LABEL: "gpus"},
        "annotations": {**NOTE, **annotations},
    }
    return {"metadata": metadata, "spec": {}}


@dataclass
class Cluster:
    """A Kueue that lets the job run whatever is written; keeps what is written to the JobSet."""

    jobset: Json
    writes: list[Json] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def patch(self, path: str, patch: Any, *_: Any) -> Json:
        if path.endswith("/status"):
            return {"metadata": METADATA}
        self.writes.append(patch)
        annotations = self.jobset["metadata"]["annotations"]
        for key, value in patch["metadata"]["annotations"].items():
            annotations.pop(key, None) if value is None else annotations.update({key: value})
        return self.jobset

    def tell(self, subject: object, told: Told) -> None:
        self.reasons.append(told.reason)

    def reconcile(self, trainjob: Json) -> None:
        api, now = cast(Api, self), parse(NOW)
        applying = Applying(
            api, Gathering(api, Store(), Store()), Minter(api, str), cast(Any, self)
        )
        seen = Observed(trainjob_view(trainjob), jobset_view(self.jobset))
        applying.apply(seen, decide(seen, now), now)


@pytest.mark.parametrize(
    ("kind", "reason"), [("Complete", "AllJobsCompleted"), ("Failed", "DeadlineExceeded")]
)
def test_a_job_put_back_after_its_end_is_reported_and_not_fought_over(
    kind: str, reason: str
) -> None:
    cluster = Cluster(a_jobset())
    end = {**ENDED, "type": kind, "reason": reason}
    trainjob = {"metadata": METADATA, "spec": {}, "status": {"conditions": [end]}}
    for _ in range(20):
        cluster.reconcile(trainjob)
    assert cluster.writes == []
    assert set(cluster.reasons) == {"NotHeld"}


def test_an_earlier_hold_is_forgotten_and_kueue_left_to_resume() -> None:
    cluster = Cluster(a_jobset(**{HELD_ANNOTATION: NOW}))
    for _ in range(20):
        cluster.reconcile({"metadata": METADATA, "spec": {}})
    assert cluster.writes == [{"metadata": {"uid": "u", "annotations": {HELD_ANNOTATION: None}}}]
