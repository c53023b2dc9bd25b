from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import pytest

from trainc.controller.api import Api, ApiError
from trainc.controller.console.steer import NotSteerableError, suspend
from trainc.controller.view import Json
from trainc.names import JOB_UID_LABEL, QUEUE_LABEL

TRAINJOB = "/apis/trainer.kubeflow.org/v1alpha1/namespaces/ns/trainjobs/m"
JOBSET = "/apis/jobset.x-k8s.io/v1alpha2/namespaces/ns/jobsets/m"
NEW = "/apis/kueue.x-k8s.io/v1beta2/namespaces/ns/workloads"
OLD = "/apis/kueue.x-k8s.io/v1beta1/namespaces/ns/workloads"
QUEUED = {QUEUE_LABEL: "gpus"}


def an_object(
    uid: str, labels: dict[str, str] | None = None, suspended: bool = False, owner: str = ""
) -> Json:
    owners = {"ownerReferences": [{"uid": owner}]} if owner else {}
    metadata = {"namespace": "ns", "name": "m", "uid": uid, "labels": labels or {}, **owners}
    return {"metadata": metadata, "spec": {"suspend": suspended} if suspended else {}}


def a_workload(job: str, active: bool | None = None, **metadata: str) -> Json:
    labels = {JOB_UID_LABEL: job}
    metadata = {"name": f"jobset-{job}", "uid": f"w-{job}", **metadata}
    return {
        "metadata": {**metadata, "labels": labels},
        "spec": {} if active is None else {"active": active},
    }


class Cluster:
    """Objects by path, Workloads by collection; keeps what is written, dry runs apart."""

    def __init__(self, objects: dict[str, Json], workloads: dict[str, list[Json]]) -> None:
        self.objects = objects
        self.workloads = workloads
        self.refused: tuple[str, ...] = ()
        self.tries: list[str] = []
        self.writes: list[tuple[str, Json]] = []

    def find(self, path: str) -> Json | None:
        return self.objects.get(path)

    def request(self, method: str, path: str, query: dict[str, str]) -> Json:
        if path not in self.workloads:
            raise ApiError(404, "no such kind")
        label, _, uid = query["labelSelector"].partition("=")
        items = [w for w in self.workloads[path] if w["metadata"]["labels"][label] == uid]
        return {"items": items}

    def patch(self, path: str, patch: Json, kind: str, query: Any = None) -> Json:
        if path in self.refused:
            raise ApiError(403, "no")
        if query:
            self.tries.append(path)
        else:
            self.writes.append((path, patch["spec"]))
        return {}


@dataclass(frozen=True)
class TestCase:
    """What is in the cluster, and what is written and printed."""

    __test__ = False
    name: str
    objects: dict[str, Json]
    writes: list[tuple[str, Json]]
    changed: list[str]
    workloads: dict[str, list[Json]] | None = None
    yes: bool = True


SUSPEND, RESUME = {"suspend": True}, {"suspend": False}
CASES = [
    TestCase(
        "both, no queue",
        {TRAINJOB: an_object("t"), JOBSET: an_object("j")},
        [(TRAINJOB, SUSPEND), (JOBSET, SUSPEND)],
        ["TrainJob/m", "JobSet/m"],
    ),
    TestCase(
        "resumed where only one was suspended",
        {TRAINJOB: an_object("t"), JOBSET: an_object("j", suspended=True)},
        [(JOBSET, RESUME)],
        ["JobSet/m"],
        yes=False,
    ),
    TestCase("suspended already", {JOBSET: an_object("j", suspended=True)}, [], []),
    TestCase(
        "a priority without a queue queues nothing",
        {JOBSET: an_object("j", {"kueue.x-k8s.io/priority-class": "high"})},
        [(JOBSET, SUSPEND)],
        ["JobSet/m"],
    ),
    TestCase(
        "a queued JobSet and its TrainJob",
        {TRAINJOB: an_object("t"), JOBSET: an_object("j", QUEUED)},
        [(f"{NEW}/jobset-j", {"active": False})],
        ["Workload/jobset-j"],
        {NEW: [a_workload("other"), a_workload("j")], OLD: []},
    ),
    TestCase(
        "Kueue before v0.15",
        {JOBSET: an_object("j", QUEUED)},
        [(f"{OLD}/jobset-j", {"active": False})],
        ["Workload/jobset-j"],
        {OLD: [a_workload("j", active=True)]},
    ),
    TestCase(
        "queued and held already",
        {JOBSET: an_object("j", QUEUED, suspended=True)},
        [],
        [],
        {NEW: [a_workload("j", active=False)]},
    ),
    TestCase(
        "queued and waiting: held before it begins",
        {JOBSET: an_object("j", QUEUED, suspended=True)},
        [(f"{NEW}/jobset-j", {"active": False})],
        ["Workload/jobset-j"],
        {NEW: [a_workload("j")]},
    ),
    TestCase(
        "queued and resumed",
        {TRAINJOB: an_object("t"), JOBSET: an_object("j", QUEUED, suspended=True)},
        [(f"{NEW}/jobset-j", {"active": True})],
        ["Workload/jobset-j"],
        {NEW: [a_workload("j", active=False)]},
        yes=False,
    ),
    TestCase(
        "a queued TrainJob that is compiled in the cluster",
        {TRAINJOB: an_object("t", QUEUED), JOBSET: an_object("j", owner="t")},
        [(f"{NEW}/jobset-t", {"active": False})],
        ["Workload/jobset-t"],
        {NEW: [a_workload("t")]},
    ),
    TestCase(
        "a queued TrainJob beside a JobSet from Git",
        {TRAINJOB: an_object("t", QUEUED), JOBSET: an_object("j")},
        [(f"{NEW}/jobset-t", {"active": False}), (JOBSET, SUSPEND)],
        ["Workload/jobset-t", "JobSet/m"],
        {NEW: [a_workload("t")]},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_written(case: TestCase) -> None:
    cluster = Cluster(case.objects, case.workloads or {})
    assert suspend(cast(Api, cluster), "ns", "m", case.yes) == case.changed
    assert cluster.writes == case.writes
    assert cluster.tries == ([path for path, _ in case.writes] if len(case.writes) > 1 else [])


@pytest.mark.parametrize("yes", [True, False])
@pytest.mark.parametrize(
    ("workloads", "message"),
    [
        ({}, "Kueue is not in this cluster"),
        ({NEW: []}, "no Workload"),
        ({NEW: [a_workload("j", deletionTimestamp="2026-11-22T12:00:00Z")]}, "no Workload"),
    ],
    ids=["no Kueue", "no Workload", "it goes"],
)
def test_nothing_is_written_where_it_refuses(
    workloads: dict[str, list[Json]], message: str, yes: bool
) -> None:
    objects = {
        TRAINJOB: an_object("t", suspended=not yes),
        JOBSET: an_object("j", QUEUED, suspended=not yes),
    }
    cluster = Cluster(objects, workloads)
    with pytest.raises(NotSteerableError, match=message):
        suspend(cast(Api, cluster), "ns", "m", yes)
    assert cluster.writes == []


@pytest.mark.parametrize("refused", [TRAINJOB, JOBSET])
def test_where_the_cluster_refuses_one_nothing_is_written(refused: str) -> None:
    cluster = Cluster({TRAINJOB: an_object("t"), JOBSET: an_object("j")}, {})
    cluster.refused = (refused,)
    with pytest.raises(ApiError):
        suspend(cast(Api, cluster), "ns", "m", True)
    assert cluster.writes == []


def test_a_job_that_is_not_there() -> None:
    with pytest.raises(NotSteerableError, match="there is no TrainJob or JobSet m"):
        suspend(cast(Api, Cluster({}, {})), "ns", "m", True)
