"""TrainJobs made straight in the cluster, compiled by the controller (``--compile``)."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.client import Client, eventually
from tests.cluster.jobs import Json, a_jobset, a_trainjob, conditions, end_pods, events
from tests.cluster.plane import Plane
from tests.cluster.running import running
from trainc.controller.controller import Controller


@pytest.fixture
def controller(plane: Plane, namespace: str) -> Iterator[Controller]:
    with running(plane, namespace, compile=True) as started:
        yield started


def a_runtime(namespace: str, name: str = "tiny", image: str = "train:1", **policy: Any) -> Json:
    """A TrainingRuntime of one trainer, or with ``mpi`` of a launcher and nodes."""
    step = "trainer.kubeflow.org/trainjob-ancestor-step"
    names = ["launcher", "node"] if "mpi" in policy else ["node"]
    jobs = [
        {
            "name": job,
            "template": {
                "metadata": {"labels": {step: "trainer"} if job == names[0] else {}},
                "spec": {
                    "backoffLimit": 0,
                    "template": {
                        "spec": {
                            "restartPolicy": "OnFailure",
                            "containers": [{"name": "node", "image": image}],
                        }
                    },
                },
            },
        }
        for job in names
    ]
    return {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainingRuntime",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "mlPolicy": {"numNodes": 1, **(policy or {"torch": {}})},
            "template": {"spec": {"replicatedJobs": jobs}},
        },
    }


def a_job(namespace: str, name: str = "m", runtime: str = "tiny", **spec: Any) -> Json:
    reference = {"kind": "TrainingRuntime", "name": runtime}
    return a_trainjob(namespace, name, **{"runtimeRef": reference, **spec})


def test_a_trainjob_is_compiled_and_followed_to_its_end(
    admin: Client, namespace: str, controller: Controller
) -> None:
    admin.apply(a_runtime(namespace))
    trainjob = admin.create(
        a_job(namespace, trainer={"numNodes": 2, "env": [{"name": "A", "value": "b"}]})
    )
    jobset = eventually(lambda: admin.find("JobSet", namespace, "m"))
    (owner,) = jobset["metadata"]["ownerReferences"]
    assert (owner["uid"], owner["controller"]) == (trainjob["metadata"]["uid"], True)
    template = jobset["spec"]["replicatedJobs"][0]["template"]["spec"]
    env = {
        each["name"]: each.get("value")
        for each in template["template"]["spec"]["containers"][0]["env"]
    }
    assert (env["A"], env["PET_NNODES"], template["parallelism"]) == ("b", "2", 2)
    snapshot = admin.get("ConfigMap", namespace, "m-runtime-snapshot")
    assert "image: train:1" in snapshot["data"]["runtime"]

    eventually(lambda: len(admin.list("Pod", namespace)) == 2)
    end_pods(admin, namespace, "complete")
    eventually(lambda: list(conditions(admin, namespace)) == ["Complete"])


def test_a_failed_trainjob_whose_jobset_went_does_not_run_again(
    admin: Client, namespace: str, controller: Controller
) -> None:
    admin.apply(a_runtime(namespace))
    admin.create(a_job(namespace))
    eventually(lambda: admin.find("JobSet", namespace, "m"))
    end_pods_when_there(admin, namespace, "fail")
    eventually(lambda: "Failed" in conditions(admin, namespace))
    admin.delete("JobSet", namespace, "m")
    eventually(lambda: admin.find("JobSet", namespace, "m") is None)
    admin.merge("TrainJob", namespace, "m", {"metadata": {"labels": {"look": "again"}}})
    admin.create(a_job(namespace, "after"))
    eventually(lambda: admin.find("JobSet", namespace, "after"))
    eventually(lambda: len(controller.queue) == 0)
    assert admin.find("JobSet", namespace, "m") is None
    assert list(conditions(admin, namespace)) == ["Failed"]


def test_a_job_that_ended_and_expired_while_no_controller_ran_does_not_run_again(
    plane: Plane, admin: Client, namespace: str
) -> None:
    """JobSet itself would delete it, and what is not there and not finished is made."""
    runtime = a_runtime(namespace)
    runtime["spec"]["template"]["spec"]["ttlSecondsAfterFinished"] = 1
    admin.apply(runtime)
    admin.create(a_job(namespace))
    with running(plane, namespace, compile=True):
        first = eventually(lambda: admin.find("JobSet", namespace, "m"))
    end_pods_when_there(admin, namespace, "complete")
    eventually(lambda: admin.get("JobSet", namespace, "m").get("status", {}).get("terminalState"))
    time.sleep(2)  # longer than it is kept
    assert admin.get("JobSet", namespace, "m")["metadata"]["uid"] == first["metadata"]["uid"]
    with running(plane, namespace, compile=True) as controller:
        eventually(lambda: admin.find("JobSet", namespace, "m") is None)
        assert "Complete" in conditions(admin, namespace)
        admin.create(a_job(namespace, "after"))
        eventually(lambda: admin.find("JobSet", namespace, "after"))
        eventually(lambda: len(controller.queue) == 0)
        assert admin.find("JobSet", namespace, "m") is None
    assert list(conditions(admin, namespace)) == ["Complete"]


def test_what_cannot_be_compiled_is_a_condition_until_it_can(
    admin: Client, namespace: str, controller: Controller
) -> None:
    admin.create(a_job(namespace))
    stalled = eventually(lambda: conditions(admin, namespace).get("Stalled"))
    assert stalled["reason"] == "TrainJobResourcesCreationFailed"
    assert stalled["message"] == "TrainingRuntime tiny not found"
    eventually(lambda: "TrainJobResourcesCreationFailed" in events(admin, namespace))
    admin.apply(a_runtime(namespace))
    eventually(lambda: admin.find("JobSet", namespace, "m"))
    eventually(lambda: conditions(admin, namespace) == {})


def test_a_compile_error_names_the_field(
    admin: Client, namespace: str, controller: Controller
) -> None:
    admin.apply(a_runtime(namespace))
    reserved = [{"name": "PET_NNODES", "value": "3"}]
    admin.create(a_job(namespace, trainer={"env": reserved}))
    stalled = eventually(lambda: conditions(admin, namespace).get("Stalled"))
    assert "spec.trainer.env" in stalled["message"]


def test_an_unsupported_runtime_is_the_end(
    admin: Client, namespace: str, controller: Controller
) -> None:
    admin.create(a_job(namespace, runtimeRef={"kind": "Recipe", "name": "x"}))
    failed = eventually(lambda: conditions(admin, namespace).get("Failed"))
    assert failed["reason"] == "TrainingRuntimeNotSupported"
    assert failed["message"] == "unsupported runtime: Recipe.trainer.kubeflow.org"


def test_the_runtime_is_snapshotted(admin: Client, namespace: str, controller: Controller) -> None:
    admin.apply(a_runtime(namespace))
    admin.create(a_job(namespace, suspend=True))
    eventually(lambda: "Suspended" in conditions(admin, namespace))
    admin.apply(a_runtime(namespace, image="train:2"))
    admin.delete("TrainingRuntime", namespace, "tiny")
    admin.merge("TrainJob", namespace, "m", {"spec": {"suspend": False}})
    (pod,) = eventually(lambda: admin.list("Pod", namespace))
    assert pod["spec"]["containers"][0]["image"] == "train:1"


def test_patches_of_a_suspended_job_reach_it(
    admin: Client, namespace: str, controller: Controller
) -> None:
    admin.apply(a_runtime(namespace))
    admin.create(a_job(namespace, suspend=True))
    eventually(lambda: admin.find("JobSet", namespace, "m"))
    pod = {"spec": {"nodeSelector": {"type": "kwok"}}}
    job = {"name": "node", "template": {"spec": {"template": pod}}}
    template = {"spec": {"replicatedJobs": [job]}}
    patch = {"manager": "test.dev/x", "trainingRuntimeSpec": {"template": template}}
    admin.merge("TrainJob", namespace, "m", {"spec": {"runtimePatches": [patch], "suspend": False}})
    (pod,) = eventually(lambda: admin.list("Pod", namespace))
    assert pod["spec"]["nodeSelector"] == {"type": "kwok"}


def test_suspending_a_running_job_and_resuming_it(
    admin: Client, namespace: str, controller: Controller
) -> None:
    admin.apply(a_runtime(namespace))
    admin.create(a_job(namespace))
    eventually(lambda: admin.list("Pod", namespace))
    admin.merge("TrainJob", namespace, "m", {"spec": {"suspend": True}})
    eventually(lambda: not admin.list("Pod", namespace))
    eventually(lambda: conditions(admin, namespace)["Suspended"]["status"] == "True")
    admin.merge("TrainJob", namespace, "m", {"spec": {"suspend": False}})
    eventually(lambda: admin.list("Pod", namespace))
    eventually(lambda: conditions(admin, namespace)["Suspended"]["reason"] == "Resumed")


def test_a_trainjob_made_again_at_once_runs_again(
    admin: Client, namespace: str, controller: Controller
) -> None:
    """What the first one owned is still there, and is collected only then."""
    admin.apply(a_runtime(namespace))
    admin.create(a_job(namespace))
    for _ in range(5):
        eventually(lambda: admin.list("Pod", namespace))
        admin.delete("TrainJob", namespace, "m")
        uid = admin.create(a_job(namespace))["metadata"]["uid"]
        eventually(lambda uid=uid: _owner(admin, namespace) == uid)
    eventually(lambda: conditions(admin, namespace) == {})


def _owner(admin: Client, namespace: str) -> str:
    """UID of whom the JobSet belongs to."""
    found = admin.find("JobSet", namespace, "m")
    return found["metadata"]["ownerReferences"][0]["uid"] if found else ""


def test_mpi_with_its_secret(admin: Client, namespace: str, controller: Controller) -> None:
    admin.apply(a_runtime(namespace, mpi={"numProcPerNode": 1}))
    admin.create(a_job(namespace, trainer={"numNodes": 2, "command": ["mpirun"]}))
    secret = eventually(lambda: admin.find("Secret", namespace, "m-mpi-ssh-auth"))
    assert b"EC PRIVATE KEY" in base64.b64decode(secret["data"]["ssh-privatekey"])
    hosts = admin.get("ConfigMap", namespace, "m-mpi-hostfile")["data"]["hostfile"]
    assert hosts.count("m-node-0-") == 2


def test_git_owns_what_git_made(admin: Client, namespace: str, controller: Controller) -> None:
    """A JobSet that a build printed is followed, never compiled over."""
    admin.apply(a_runtime(namespace))
    before = admin.apply(a_jobset(namespace, end="complete"))
    admin.create(a_job(namespace))
    eventually(lambda: list(conditions(admin, namespace)) == ["Complete"])
    after = admin.get("JobSet", namespace, "m")
    assert after["spec"] == before["spec"]
    assert "ownerReferences" not in after["metadata"]
    assert admin.find("ConfigMap", namespace, "m-runtime-snapshot") is None


def test_git_may_bring_the_trainjob_first(
    admin: Client, namespace: str, controller: Controller
) -> None:
    admin.apply(a_runtime(namespace))
    printed = a_job(namespace)
    printed["metadata"]["labels"] = {"app.kubernetes.io/managed-by": "trainc"}
    admin.create(printed)
    admin.create(a_job(namespace, "after"))
    eventually(lambda: admin.find("JobSet", namespace, "after"))
    assert admin.find("JobSet", namespace, "m") is None
    admin.apply(a_jobset(namespace, end="complete"))
    eventually(lambda: list(conditions(admin, namespace)) == ["Complete"])
    assert "ownerReferences" not in admin.get("JobSet", namespace, "m")["metadata"]


def test_a_job_of_kueue_in_another_cluster_is_not_compiled(
    admin: Client, namespace: str, controller: Controller
) -> None:
    admin.apply(a_runtime(namespace))
    admin.create(a_job(namespace, managedBy="kueue.x-k8s.io/multikueue"))
    admin.create(a_job(namespace, "mine"))
    eventually(lambda: admin.find("JobSet", namespace, "mine"))
    assert admin.find("JobSet", namespace, "m") is None


def test_without_compile_nothing_is_made(plane: Plane, admin: Client, namespace: str) -> None:
    with running(plane, namespace) as controller:
        admin.apply(a_runtime(namespace))
        admin.create(a_job(namespace))
        eventually(lambda: controller.trainjobs.get((namespace, "m")))
        eventually(lambda: len(controller.queue) == 0)
        assert admin.find("JobSet", namespace, "m") is None
        assert "status" not in admin.get("TrainJob", namespace, "m")


def end_pods_when_there(admin: Client, namespace: str, how: str) -> None:
    eventually(lambda: admin.list("Pod", namespace))
    end_pods(admin, namespace, how)
