from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from trainc.controller.annotation import Note
from trainc.controller.caching import changes, groups_of, keep
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


class OneGroup:
    """An API server with one LeaderWorkerSet, or none; keeps what is written to it."""

    def __init__(self, group: Json | None) -> None:
        self.group = group
        self.patches: list[Json] = []

    def find(self, path: str) -> Json | None:
        assert path.endswith("/namespaces/ns/leaderworkersets/m-cache")
        return self.group

    def patch(self, path: str, patch: Json, content_type: str) -> Json:
        assert content_type == "application/merge-patch+json"
        self.patches.append(patch)
        return patch


def kept(group: Json | None, groups: int = 1) -> tuple[float | None, list[Json]]:
    """When to look again, and what was written."""
    api = OneGroup(group)
    after = keep(api, a_jobset(), groups)  # type: ignore[arg-type]
    return after, api.patches


def labelled(**labels: str) -> Json:
    return {"metadata": {"labels": labels, "resourceVersion": "7"}, "spec": {"replicas": 1}}


OURS_BY_LABEL = {"app.kubernetes.io/managed-by": "trainc", "trainc.dev/cache": "m-cache"}


def test_a_cache_that_is_not_there_yet_is_looked_for_again() -> None:
    assert kept(None) == (30.0, [])
    assert kept(None, groups=0) == (None, [])


def test_a_cache_is_written_to_as_it_was_read() -> None:
    (patch,) = kept(labelled(**OURS_BY_LABEL), groups=0)[1]
    assert patch["metadata"] == {"ownerReferences": [OURS], "resourceVersion": "7"}
    assert patch["spec"] == {"replicas": 0}


@pytest.mark.parametrize("label", sorted(OURS_BY_LABEL))
def test_somebody_elses_of_that_name_is_left_alone(label: str) -> None:
    labels = {**OURS_BY_LABEL, label: "other"}
    assert kept(labelled(**labels), groups=0) == (None, [])
