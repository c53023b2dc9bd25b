"""The TrainJob's status follows its JobSet's, from its first pod to its end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.cluster.client import Client, eventually
from tests.cluster.jobs import a_jobset, a_trainjob, conditions, end_pods, events
from tests.cluster.plane import Plane
from tests.cluster.running import running
from trainc.controller.controller import Controller


@pytest.fixture
def controller(plane: Plane, namespace: str) -> Iterator[Controller]:
    with running(plane, namespace) as started:
        yield started


@dataclass(frozen=True)
class EndCase:
    __test__ = False
    end: str
    kind: str
    reason: str


@pytest.mark.parametrize(
    "case",
    [
        EndCase("complete", "Complete", "AllJobsCompleted"),
        EndCase("fail", "Failed", "FailedJobs"),
    ],
    ids=lambda case: case.kind,
)
def test_the_end_of_a_jobset_is_the_trainjobs(
    admin: Client, namespace: str, controller: Controller, case: EndCase
) -> None:
    admin.apply(a_jobset(namespace))
    admin.apply(a_trainjob(namespace))
    eventually(lambda: _jobs(admin, namespace) == [_count(ready=1, active=1)])
    assert conditions(admin, namespace) == {}

    end_pods(admin, namespace, case.end)
    end = eventually(lambda: conditions(admin, namespace).get(case.kind))
    theirs = {
        each["type"]: each for each in admin.get("JobSet", namespace, "m")["status"]["conditions"]
    }["Completed" if case.end == "complete" else "Failed"]
    assert end["status"] == "True"
    assert end["reason"] == case.reason
    assert end == {**theirs, "type": case.kind}
    eventually(lambda: case.reason in events(admin, namespace))


def test_suspended_and_resumed(admin: Client, namespace: str, controller: Controller) -> None:
    admin.apply(a_jobset(namespace, suspend=True))
    admin.apply(a_trainjob(namespace, suspend=True))
    suspended = eventually(lambda: conditions(admin, namespace).get("Suspended"))
    assert (suspended["status"], suspended["reason"]) == ("True", "Suspended")
    assert suspended["message"] == "TrainJob is suspended"

    for kind in ("JobSet", "TrainJob"):
        admin.merge(kind, namespace, "m", {"spec": {"suspend": False}})
    resumed = eventually(
        lambda: (found := conditions(admin, namespace)["Suspended"])["status"] == "False" and found
    )
    assert (resumed["reason"], resumed["message"]) == ("Resumed", "TrainJob is resumed")
    eventually(lambda: _jobs(admin, namespace) == [_count(ready=1, active=1)])


def test_a_finished_trainjob_stays_when_its_jobset_expires(
    admin: Client, namespace: str, controller: Controller
) -> None:
    admin.apply(a_trainjob(namespace))
    admin.apply(a_jobset(namespace, end="fail", ttl=1))
    eventually(lambda: "Failed" in conditions(admin, namespace))
    eventually(lambda: admin.find("JobSet", namespace, "m") is None)
    before = admin.get("TrainJob", namespace, "m")
    _settle(admin, namespace, controller)
    assert admin.get("TrainJob", namespace, "m") == before
    assert _jobs(admin, namespace) == [_count(failed=1)]


def test_jobsets_that_expire_at_once_tell_how_they_ended(
    admin: Client, namespace: str, controller: Controller
) -> None:
    """Their end and their deletion come in the same moment."""
    ends = {f"m{number}": ("complete", "fail")[number % 2] for number in range(20)}
    kinds = {name: "Complete" if end == "complete" else "Failed" for name, end in ends.items()}
    for name, end in ends.items():
        admin.apply(a_trainjob(namespace, name))
        admin.apply(a_jobset(namespace, name, end=end, ttl=0))
    eventually(lambda: not admin.list("JobSet", namespace), 60)
    for name, kind in kinds.items():
        eventually(lambda name=name, kind=kind: list(conditions(admin, namespace, name)) == [kind])


def test_a_jobset_made_again_after_the_finish_is_held(
    admin: Client, namespace: str, controller: Controller
) -> None:
    admin.apply(a_trainjob(namespace))
    admin.apply(a_jobset(namespace, end="fail", ttl=1))
    eventually(lambda: admin.find("JobSet", namespace, "m") is None)
    failed = eventually(lambda: conditions(admin, namespace).get("Failed"))

    admin.apply(a_jobset(namespace))
    eventually(lambda: admin.get("JobSet", namespace, "m")["spec"]["suspend"])
    eventually(lambda: "HeldAfterFinish" in events(admin, namespace))
    eventually(lambda: not admin.list("Pod", namespace))
    assert conditions(admin, namespace) == {"Failed": failed}

    # The remedy the Event names: the TrainJob anew.
    admin.delete("TrainJob", namespace, "m")
    eventually(lambda: admin.find("TrainJob", namespace, "m") is None)
    admin.apply(a_trainjob(namespace))
    eventually(lambda: _jobs(admin, namespace) == [_count(ready=1, active=1)])


def test_a_jobset_deleted_and_made_again_while_running(
    admin: Client, namespace: str, controller: Controller
) -> None:
    admin.apply(a_trainjob(namespace))
    admin.apply(a_jobset(namespace))
    eventually(lambda: _jobs(admin, namespace) == [_count(ready=1, active=1)])
    admin.delete("JobSet", namespace, "m")
    stalled = eventually(lambda: conditions(admin, namespace).get("Stalled"))
    assert (stalled["reason"], stalled["message"]) == ("JobSetNotFound", "JobSet m not found")
    assert _jobs(admin, namespace) == []

    admin.apply(a_jobset(namespace, end="complete"))
    eventually(lambda: list(conditions(admin, namespace)) == ["Complete"])


def test_a_trainjob_of_another_controller_is_left_alone(
    admin: Client, namespace: str, controller: Controller
) -> None:
    trainjob = admin.apply(a_trainjob(namespace))
    owner = {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "name": "m",
        "uid": trainjob["metadata"]["uid"],
        "controller": True,
    }
    admin.apply(a_jobset(namespace, end="complete", note=None, ownerReferences=[owner]))
    eventually(lambda: "ManagedByAnother" in events(admin, namespace))
    eventually(lambda: _finished(admin, namespace))
    _settle(admin, namespace, controller)
    assert "status" not in admin.get("TrainJob", namespace, "m")


def test_a_trainjob_managed_by_kueue_is_left_alone(
    admin: Client, namespace: str, controller: Controller
) -> None:
    admin.apply(a_trainjob(namespace, managedBy="kueue.x-k8s.io/multikueue"))
    admin.apply(a_jobset(namespace, end="complete"))
    eventually(lambda: _finished(admin, namespace))
    _settle(admin, namespace, controller)
    assert "status" not in admin.get("TrainJob", namespace, "m")


def test_a_malformed_annotation_is_told(
    admin: Client, namespace: str, controller: Controller
) -> None:
    admin.apply(a_trainjob(namespace))
    admin.apply(a_jobset(namespace, note="{"))
    stalled = eventually(lambda: conditions(admin, namespace).get("Stalled"))
    assert stalled["reason"] == "MalformedAnnotation"
    eventually(lambda: "MalformedAnnotation" in events(admin, namespace))

    admin.apply(a_jobset(namespace))
    eventually(lambda: conditions(admin, namespace) == {})
    eventually(lambda: _jobs(admin, namespace) == [_count(ready=1, active=1)])


def test_a_condition_nobody_stands_behind_is_taken_back(
    admin: Client, namespace: str, controller: Controller
) -> None:
    admin.apply(a_trainjob(namespace))
    admin.apply(a_jobset(namespace))
    eventually(lambda: _jobs(admin, namespace) == [_count(ready=1, active=1)])
    forged = {
        "type": "Complete",
        "status": "True",
        "reason": "ByHand",
        "message": "",
        "lastTransitionTime": "2999-01-01T00:00:00Z",
    }
    admin.merge("TrainJob", namespace, "m", {"status": {"conditions": [forged]}}, "status")
    eventually(lambda: conditions(admin, namespace) == {})


def _jobs(admin: Client, namespace: str) -> list[dict[str, Any]]:
    jobs: list[dict[str, Any]] = (
        admin.get("TrainJob", namespace, "m").get("status", {}).get("jobsStatus") or []
    )
    return jobs


def _count(**counts: int) -> dict[str, Any]:
    zero = dict.fromkeys(("ready", "succeeded", "failed", "active", "suspended"), 0)
    return {"name": "node", **zero, **counts}


def _finished(admin: Client, namespace: str) -> bool:
    found = admin.get("JobSet", namespace, "m").get("status", {}).get("conditions") or []
    return any(each["type"] in ("Completed", "Failed") for each in found)


def _settle(admin: Client, namespace: str, controller: Controller) -> None:
    """Waits until the controller has seen everything that was written before."""
    admin.apply(a_trainjob(namespace, "last"))
    eventually(lambda: controller.trainjobs.get((namespace, "last")))
    eventually(lambda: len(controller.queue) == 0)
