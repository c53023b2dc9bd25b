"""Compiled JobSets in the real Kueue, applied by a person as the default build prints them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.client import ApiError, Client, eventually
from tests.cluster.jobs import Json, end_pods, events
from tests.cluster.plane import Plane
from tests.engines import kueue
from tests.engines.applying import apply, images, live_pods, unchanged
from tests.engines.history import watched
from tests.engines.kueue import queued
from tests.engines.project import Project, a_job, jobset_of

Make = Callable[..., Project]
QUIET = 6  # seconds in which a fight writes dozens of times


@pytest.fixture
def make(tmp_path: Path, namespace: str) -> Make:
    """Makes a project of these jobs, as the default settings print them but for on_change."""

    def project(*jobs: Json, **settings: str) -> Project:
        made = Project(tmp_path, namespace, **{"on_change": "rename", **settings})
        made.write(*jobs)
        return made

    return project


def test_it_waits_for_quota_and_each_apply_says_unchanged(
    admin: Client, namespace: str, make: Make
) -> None:
    kueue.add_queue(admin, namespace, quota="1")
    objects = make(queued(namespace, "a"), queued(namespace, "b")).build()
    apply(admin, objects)
    first, second = jobset_of(objects, "a"), jobset_of(objects, "b")
    eventually(lambda: list(live_pods(admin, namespace)) == [first])
    assert kueue.admitted(admin, namespace, [first])
    assert unchanged(admin, objects)
    end_pods(admin, namespace, "complete")
    eventually(lambda: list(live_pods(admin, namespace)) == [second])
    assert unchanged(admin, objects)
    end_pods(admin, namespace, "complete")
    eventually(lambda: kueue.admitted(admin, namespace, []))
    assert unchanged(admin, objects)


def test_two_queues_do_not_wait_for_each_other(admin: Client, namespace: str, make: Make) -> None:
    kueue.add_queue(admin, namespace, "team", quota="1")
    kueue.add_queue(admin, namespace, "other", quota="1")
    jobs = [a_job(namespace, name, labels={kueue.QUEUE: queue}) for name, queue in _TWO.items()]
    objects = make(*jobs).build()
    apply(admin, objects)
    eventually(lambda: len(live_pods(admin, namespace)) == 2)
    running = {name.rpartition("-")[0] for name in live_pods(admin, namespace)}
    assert {_TWO[name] for name in running} == {"team", "other"}
    assert unchanged(admin, objects)


_TWO = {"a": "team", "b": "team", "c": "other"}


def test_the_changed_job_only_is_touched(
    cluster: Plane, admin: Client, namespace: str, make: Make
) -> None:
    kueue.add_queue(admin, namespace, quota="2")
    project = make(queued(namespace, "a"), queued(namespace, "b"))
    before = project.build()
    with watched(cluster, "JobSet", namespace) as jobsets:
        apply(admin, before)
        eventually(lambda: len(live_pods(admin, namespace)) == 2)
        project.write(queued(namespace, "a", image="example.com/train:2"))
        objects = project.build()
        _prune(admin, before, objects)
        apply(admin, objects)
        changed, kept = jobset_of(objects, "a"), jobset_of(objects, "b")
        eventually(lambda: set(live_pods(admin, namespace)) == {changed, kept})
        assert images(live_pods(admin, namespace)[changed]) == {"example.com/train:2"}
        project.write(a_job(namespace, "unrelated"))
        apply(admin, project.build())
        time.sleep(1)
    assert len(jobsets.uids(kept)) == len(jobsets.uids(changed)) == 1
    assert jobsets.resumptions(kept) == jobsets.resumptions(changed) == 1


def _prune(admin: Client, before: list[Json], after: list[Json]) -> None:
    kept = {(each["kind"], each["metadata"]["name"]) for each in after}
    for each in before:
        kind, name = each["kind"], each["metadata"]["name"]
        if (kind, name) not in kept:
            admin.delete(kind, each["metadata"]["namespace"], name)


def test_keep_is_refused_as_documented(admin: Client, namespace: str, make: Make) -> None:
    kueue.add_queue(admin, namespace)
    project = make(queued(namespace), on_change="keep")
    apply(admin, project.build())
    eventually(lambda: live_pods(admin, namespace))
    project.write(queued(namespace, image="example.com/train:2"))
    with pytest.raises(ApiError, match="immutable"):
        apply(admin, project.build())
    assert images(live_pods(admin, namespace)["m"]) == {"example.com/train:1"}


def test_a_priority_class_that_is_missing_is_reported_on_the_object(
    admin: Client, namespace: str, make: Make
) -> None:
    """Kueue makes no Workload, and nothing else says why the job waits."""
    kueue.add_queue(admin, namespace)
    objects = make(queued(namespace, priority="nobody")).build()
    apply(admin, objects)
    name = jobset_of(objects)
    event = eventually(lambda: events(admin, namespace, name).get("NoWorkload"), 60)
    assert "WorkloadPriorityClass" in event["message"]
    assert not kueue.workloads(admin, namespace)


def test_an_urgent_job_preempts_and_the_other_resumes(
    cluster: Plane, admin: Client, namespace: str, make: Make
) -> None:
    kueue.add_priority(admin, f"{namespace}-low", 1)
    kueue.add_priority(admin, f"{namespace}-high", 100)
    preemption = {"withinClusterQueue": "LowerPriority"}
    kueue.add_queue(admin, namespace, quota="1", preemption=preemption)
    project = make(queued(namespace, "nightly", f"{namespace}-low"))
    before = project.build()
    nightly = jobset_of(before, "nightly")
    with watched(cluster, "JobSet", namespace) as jobsets:
        apply(admin, before)
        eventually(lambda: list(live_pods(admin, namespace)) == [nightly])
        project.write(queued(namespace, "urgent", f"{namespace}-high"))
        objects = project.build()
        urgent = jobset_of(objects, "urgent")
        apply(admin, objects)
        eventually(lambda: list(live_pods(admin, namespace)) == [urgent])
        assert unchanged(admin, objects)
        end_pods(admin, namespace, "complete")
        eventually(lambda: list(live_pods(admin, namespace)) == [nightly])
        assert unchanged(admin, objects)
    assert len(jobsets.uids(nightly)) == len(jobsets.uids(urgent)) == 1
    assert jobsets.resumptions(nightly) == 2


@pytest.mark.parametrize("waits", [False, True], ids=["running", "waiting"])
def test_suspend_and_resume_go_through_kueue(
    cluster: Plane, admin: Client, namespace: str, make: Make, waits: bool
) -> None:
    """Held without a fight, and resumed; or refused before anything is written."""
    kueue.add_queue(admin, namespace, quota="1")
    project = make(queued(namespace, "a"), queued(namespace, "b"))
    objects = project.build()
    apply(admin, objects)
    running = eventually(lambda: next(iter(live_pods(admin, namespace)), None))
    (waiting,) = {jobset_of(objects, "a"), jobset_of(objects, "b")} - {running}
    name = waiting if waits else running
    options = ("--namespace", namespace, "--kubeconfig", str(cluster.kubeconfig()))
    with watched(cluster, "JobSet", namespace) as jobsets:
        eventually(lambda: len(jobsets.names()) == 2)
        out = project.trainc("suspend", name, *options)
        time.sleep(QUIET)
        writes = jobsets.writes(name) - 1  # the first is how it was
        if out.returncode:
            assert writes == 0, out.stderr
            assert "kueue" in out.stderr.lower()
            return
        assert writes <= 3
        assert name not in live_pods(admin, namespace)
        assert project.trainc("resume", name, *options).returncode == 0
        end_pods(admin, namespace, "complete")
        eventually(lambda: name in live_pods(admin, namespace))
        assert jobsets.writes(name) <= 8
