"""What docs/moving-from-operator.md promises of what the operator left in a cluster."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from tests.cluster.client import Client, eventually
from tests.cluster.compile_test import a_job, a_runtime
from tests.cluster.jobs import Json, a_jobset, end_pods, events
from tests.cluster.plane import Plane
from tests.cluster.running import running
from trainc.controller.controller import Controller


@pytest.fixture
def controller(plane: Plane, namespace: str) -> Iterator[Controller]:
    with running(plane, namespace, compile=True) as started:
        yield started


def _owner(trainjob: Json) -> Json:
    return {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "name": trainjob["metadata"]["name"],
        "uid": trainjob["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _snapshot(admin: Client, namespace: str, trainjob: Json) -> Json:
    """As the operator writes it: the whole object, with what the cluster added."""
    live = admin.get("TrainingRuntime", namespace, "tiny")
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "m-runtime-snapshot",
            "namespace": namespace,
            "ownerReferences": [_owner(trainjob)],
        },
        "data": {"runtime": yaml.safe_dump(live)},
    }


def test_a_suspended_trainjob_is_taken_over_when_its_jobset_is_deleted(
    admin: Client, namespace: str, controller: Controller
) -> None:
    admin.apply(a_runtime(namespace, image="as:it-was"))
    trainjob = _operators(admin, namespace, suspend=True)
    admin.apply(_snapshot(admin, namespace, trainjob))
    admin.apply(a_runtime(namespace, image="as:it-is"))
    eventually(lambda: "ManagedByAnother" in events(admin, namespace))
    assert admin.get("JobSet", namespace, "m")["metadata"].get("annotations", {}) == {}

    admin.delete("JobSet", namespace, "m")
    made = eventually(lambda: _of_trainc(admin, namespace))
    (container,) = made["spec"]["replicatedJobs"][0]["template"]["spec"]["template"]["spec"][
        "containers"
    ]
    assert (container["image"], made["spec"]["suspend"]) == ("as:it-was", True)
    admin.merge("TrainJob", namespace, "m", {"spec": {"suspend": False}})
    eventually(lambda: admin.list("Pod", namespace))
    end_pods(admin, namespace, "complete")
    eventually(lambda: _is_complete(admin, namespace))


def test_a_running_jobset_of_the_operator_runs_on(
    admin: Client, namespace: str, controller: Controller
) -> None:
    _operators(admin, namespace, suspend=False)
    eventually(lambda: "ManagedByAnother" in events(admin, namespace))
    eventually(lambda: admin.list("Pod", namespace))
    before = admin.get("JobSet", namespace, "m")
    end_pods(admin, namespace, "complete")
    eventually(lambda: _ended(admin, namespace))
    after = admin.get("JobSet", namespace, "m")
    assert after["spec"] == before["spec"]
    assert not admin.get("TrainJob", namespace, "m").get("status", {}).get("conditions")


def _operators(admin: Client, namespace: str, suspend: bool) -> Json:
    """A TrainJob and the JobSet the operator made of it; the JobSet first, so nobody is faster."""
    before = a_jobset(namespace, note=None, suspend=suspend)
    admin.apply(before)
    trainjob: Json = admin.create(a_job(namespace, suspend=suspend))
    owners = {"metadata": {"ownerReferences": [_owner(trainjob)]}}
    admin.merge("JobSet", namespace, "m", owners)
    return trainjob


def _of_trainc(admin: Client, namespace: str) -> Json | None:
    found = admin.find("JobSet", namespace, "m")
    noted = found is not None and "trainc.dev/job" in found["metadata"].get("annotations", {})
    return found if noted else None


def _is_complete(admin: Client, namespace: str) -> bool:
    found = admin.get("TrainJob", namespace, "m").get("status", {}).get("conditions") or []
    return any(each["type"] == "Complete" for each in found)


def _ended(admin: Client, namespace: str) -> bool:
    found = admin.get("JobSet", namespace, "m").get("status", {}).get("conditions") or []
    return any(each["type"] == "Completed" for each in found)
