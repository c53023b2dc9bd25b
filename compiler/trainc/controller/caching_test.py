from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from trainc.controller.annotation import Note
from trainc.controller.caching import changes, groups_of
from trainc.controller.view import JobSetView, Json, jobset_view

OURS = {"apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet", "name": "m", "uid": "new"}


def a_jobset(**changes: Any) -> JobSetView:
    view = jobset_view(
        {
            "metadata": {
                "namespace": "ns",
                "name": "m",
                "uid": "new",
                "resourceVersion": "1",
                "creationTimestamp": "2026-11-22T12:00:00Z",
            }
        }
    )
    return replace(view, **{"note": Note("m", cache="m-cache"), **changes})


def ended(kind: str) -> Any:
    return ({"type": kind, "status": "True"},)


@dataclass(frozen=True)
class Size:
    __test__ = False
    name: str
    jobset: JobSetView
    want: int | None


@pytest.mark.parametrize(
    "case",
    [
        Size("running", a_jobset(), 1),
        Size("suspended", a_jobset(suspended=True), 0),
        Size("complete", a_jobset(conditions=ended("Completed")), 0),
        Size("failed", a_jobset(conditions=ended("Failed")), 0),
        Size("going", a_jobset(deleting=True), 0),
        Size("another condition", a_jobset(conditions=ended("StartupPolicyCompleted")), 1),
        Size("no cache", a_jobset(note=Note("m")), None),
        Size("not ours", a_jobset(note=None), None),
    ],
    ids=lambda case: case.name,
)
def test_a_cache_has_pods_while_its_job_runs(case: Size) -> None:
    assert groups_of(case.jobset) == case.want


def a_group(owners: list[Json] | None = None, **spec: Any) -> Json:
    return {"metadata": {"ownerReferences": owners or []}, "spec": spec}


@dataclass(frozen=True)
class Change:
    __test__ = False
    name: str
    group: Json
    groups: int
    want: Json


OTHER = {"apiVersion": "v1", "kind": "ConfigMap", "name": "c", "uid": "c"}
OLD = {**OURS, "uid": "old"}
TRAINJOB = {"kind": "TrainJob", "name": "m", "uid": "t", "controller": True}


@pytest.mark.parametrize(
    "case",
    [
        Change("fresh from Git", a_group(), 1, {"metadata": {"ownerReferences": [OURS]}}),
        Change("as it shall be", a_group([OURS], replicas=1), 1, {}),
        Change("over", a_group([OURS], replicas=1), 0, {"spec": {"replicas": 0}}),
        Change("resumed", a_group([OURS], replicas=0), 1, {"spec": {"replicas": 1}}),
        Change("a JobSet made again", a_group([OTHER, OLD], replicas=1), 1,
               {"metadata": {"ownerReferences": [OTHER, OURS]}}),
        Change("owned by its TrainJob", a_group([TRAINJOB], replicas=1), 1, {}),
    ],
    ids=lambda case: case.name,
)  # fmt: skip
def test_what_a_cache_lacks(case: Change) -> None:
    assert changes(case.group, a_jobset(), case.groups) == case.want
