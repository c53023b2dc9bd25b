"""Secrets that a build left to the cluster: made once, owned by the JobSet, replaced if gone."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.client import Client, eventually
from tests.cluster.jobs import Json, a_jobset, a_note, a_trainjob, conditions, events
from tests.cluster.plane import Plane
from tests.cluster.running import running
from trainc.controller.controller import Controller

BOTH = (("ssh", "-mpi-ssh-auth"), ("curve", "-flux-curve"))


@pytest.fixture
def controller(plane: Plane, namespace: str) -> Iterator[Controller]:
    with running(plane, namespace) as started:
        yield started


def test_an_ssh_pair_is_minted(
    admin: Client, namespace: str, controller: Controller, tmp_path: Path
) -> None:
    jobset = admin.apply(a_jobset(namespace, note=a_note("m", secrets=BOTH[:1])))
    secret = eventually(lambda: admin.find("Secret", namespace, "m-mpi-ssh-auth"))
    assert secret["type"] == "kubernetes.io/ssh-auth"
    assert secret["immutable"] is True
    (owner,) = secret["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"]) == ("JobSet", jobset["metadata"]["uid"])
    file = tmp_path / "key"
    file.write_bytes(base64.b64decode(secret["data"]["ssh-privatekey"]))
    file.chmod(0o600)
    said = subprocess.run(["ssh-keygen", "-yf", file], capture_output=True, check=True).stdout
    assert said.split()[:2] == base64.b64decode(secret["data"]["ssh-publickey"]).split()[:2]
    eventually(lambda: "Minted" in events(admin, namespace))


def test_a_secret_that_is_there_is_not_touched(
    admin: Client, namespace: str, controller: Controller
) -> None:
    theirs = admin.apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "m-mpi-ssh-auth", "namespace": namespace},
            "stringData": {"ssh-privatekey": "mine"},
        }
    )
    admin.apply(a_jobset(namespace, note=a_note("m", secrets=BOTH)))
    eventually(lambda: admin.find("Secret", namespace, "m-flux-curve"))
    assert admin.get("Secret", namespace, "m-mpi-ssh-auth")["data"] == theirs["data"]


def test_a_secret_of_an_old_jobset_is_replaced(
    admin: Client, namespace: str, controller: Controller
) -> None:
    """The old JobSet's Secret is still there when the new one comes, and is collected then."""
    note = a_note("m", secrets=BOTH[:1])
    old = admin.apply(a_jobset(namespace, note=note, start="never"))
    first = eventually(lambda: admin.find("Secret", namespace, "m-mpi-ssh-auth"))
    admin.delete("JobSet", namespace, "m", policy="Orphan")
    eventually(lambda: admin.find("JobSet", namespace, "m") is None)
    # Orphaned, the Secret has no owner any more: give it the old one back, as if it were late.
    admin.merge("Secret", namespace, "m-mpi-ssh-auth", _owned_by(old))
    new = admin.apply(a_jobset(namespace, note=note, start="never"))

    def replaced() -> bool:
        found = admin.find("Secret", namespace, "m-mpi-ssh-auth")
        uid = new["metadata"]["uid"]
        return bool(found) and found["metadata"]["ownerReferences"][0]["uid"] == uid

    eventually(replaced, 60)
    second = admin.get("Secret", namespace, "m-mpi-ssh-auth")
    assert second["data"]["ssh-privatekey"] != first["data"]["ssh-privatekey"]


def test_it_goes_with_its_jobset(admin: Client, namespace: str, controller: Controller) -> None:
    admin.apply(a_trainjob(namespace))
    admin.apply(a_jobset(namespace, note=a_note("m", secrets=BOTH)))
    eventually(lambda: admin.find("Secret", namespace, "m-flux-curve"))
    admin.delete("JobSet", namespace, "m")
    eventually(lambda: admin.find("Secret", namespace, "m-flux-curve") is None, 60)


def test_it_is_asked_for_no_longer_once_the_job_runs(
    admin: Client, namespace: str, controller: Controller
) -> None:
    admin.apply(a_jobset(namespace, note=a_note("m", secrets=BOTH[:1])))
    eventually(lambda: _ready(admin, namespace))
    eventually(lambda: len(controller.queue) == 0 and not controller.queue.delayed())


def test_a_job_without_a_progress_server_is_told(
    admin: Client, namespace: str, controller: Controller
) -> None:
    admin.apply(a_jobset(namespace, note=a_note("m", secrets=(("ca", "-tls-config"),))))
    eventually(lambda: "NoProgressServer" in events(admin, namespace))


def test_a_refusal_is_a_condition_and_the_status_is_written(
    admin: Client, namespace: str, controller: Controller
) -> None:
    """As a quota, an admission policy or missing rights refuse it; until they do no longer."""
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "none", "namespace": namespace},
        "spec": {"hard": {"count/secrets": "0"}},
    }
    quotas = f"/api/v1/namespaces/{namespace}/resourcequotas"
    admin.call("POST", quotas, quota)
    eventually(lambda: admin.call("GET", f"{quotas}/none").get("status", {}).get("hard"))
    admin.apply(a_trainjob(namespace))
    admin.apply(a_jobset(namespace, note=a_note("m", secrets=BOTH), start="never"))
    stalled = eventually(lambda: conditions(admin, namespace).get("Stalled"))
    assert stalled["reason"] == "SecretCreationFailed"
    assert "exceeded quota" in stalled["message"]
    eventually(lambda: "SecretCreationFailed" in events(admin, namespace))
    eventually(lambda: admin.get("TrainJob", namespace, "m")["status"].get("jobsStatus"))
    admin.call("DELETE", f"{quotas}/none")
    eventually(lambda: admin.find("Secret", namespace, "m-mpi-ssh-auth"), 60)
    eventually(lambda: conditions(admin, namespace) == {})


def _owned_by(jobset: Json) -> Json:
    owner = {
        "apiVersion": jobset["apiVersion"],
        "kind": "JobSet",
        "name": "m",
        "uid": jobset["metadata"]["uid"],
        "controller": True,
    }
    return {"metadata": {"ownerReferences": [owner]}}


def _ready(admin: Client, namespace: str) -> bool:
    jobs = admin.get("JobSet", namespace, "m").get("status", {}).get("replicatedJobsStatus") or []
    return any(job["ready"] for job in jobs)
