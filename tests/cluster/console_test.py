"""``trainc status``, ``logs``, ``suspend`` and ``resume``, as a user runs them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cluster.client import Client, eventually
from tests.cluster.jobs import a_jobset, a_trainjob, conditions, end_pods
from tests.cluster.plane import Plane
from tests.cluster.running import running
from trainc.controller.controller import Controller


@pytest.fixture
def controller(plane: Plane, namespace: str) -> Iterator[Controller]:
    with running(plane, namespace) as started:
        yield started


class Shell:
    """Runs trainc with the plane's kubeconfig."""

    def __init__(self, plane: Plane, namespace: str) -> None:
        self._arguments = ["--kubeconfig", str(plane.kubeconfig(namespace=namespace))]

    def __call__(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "trainc", command, *self._arguments, *arguments]
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def trainc(plane: Plane, namespace: str) -> Shell:
    return Shell(plane, namespace)


def test_status_of_jobs(
    admin: Client, namespace: str, controller: Controller, trainc: Shell
) -> None:
    now = datetime.now(UTC).isoformat()
    admin.apply(a_trainjob(namespace, "running"))
    admin.apply(a_jobset(namespace, "running", nodes=2))
    admin.apply(a_jobset(namespace, "alone", end="complete"))
    admin.apply(a_trainjob(namespace, "failing"))
    admin.apply(a_jobset(namespace, "failing", end="fail"))
    admin.apply(a_jobset(namespace, "not-ours", note=None))
    eventually(lambda: "Failed" in conditions(admin, namespace, "failing"))
    progress = {
        "progressPercentage": 40,
        "estimatedRemainingSeconds": 10700,
        "lastUpdatedTime": now,
    }
    admin.merge("TrainJob", namespace, "running", {"status": {"trainerStatus": progress}}, "status")

    def table() -> list[list[str]]:
        return [line.split() for line in trainc("status").stdout.splitlines()]

    eventually(lambda: [row[:2] for row in table()][1:2] == [["alone", "Complete"]])
    eventually(lambda: table()[3][1] == "Running")
    head, alone, failing, here = table()
    assert head == ["NAME", "STATE", "PROGRESS", "ETA", "RESTARTS", "PODS", "AGE"]
    assert alone[1:5] == ["Complete", "-", "-", "0"]
    assert failing[1] == "Failed"
    assert here[:6] == ["running", "Running", "40%", here[3], "0", "2/2"]
    assert here[3].startswith("2h")  # 2h58m, less the time since

    (found,) = json.loads(trainc("status", "failing", "-o", "json").stdout)
    assert (found["state"], found["reason"]) == ("Failed", "FailedJobs")
    assert found["steps"][0]["message"] == "container node exited with 1"
    detail = trainc("status", "failing").stdout
    assert "FailedJobs" in detail
    assert "container node exited with 1" in detail
    everywhere = trainc("status", "-A", "-o", "wide").stdout
    assert [namespace, "failing"] in [line.split()[:2] for line in everywhere.splitlines()]
    assert "torch-distributed" in everywhere


def test_without_a_controller_the_jobset_tells(
    admin: Client, namespace: str, trainc: Shell
) -> None:
    admin.apply(a_trainjob(namespace))
    admin.apply(a_jobset(namespace))

    def state() -> str:
        return str(trainc("status").stdout.splitlines()[1].split()[1])

    eventually(lambda: state() == "Running")
    assert "status" not in admin.get("TrainJob", namespace, "m")
    end_pods(admin, namespace, "complete")
    eventually(lambda: state() == "Complete")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["status", "m", "-n", "no/../namespace"], "nothing in a cluster can be called"),
        (["suspend", "../../pods/m"], "nothing in a cluster can be called"),
        (["logs", "M"], "nothing in a cluster can be called"),
    ],
    ids=lambda value: str(value[0]) if isinstance(value, list) else "",
)
def test_a_name_is_no_path(trainc: Shell, command: list[str], words: str) -> None:
    out = trainc(*command)
    assert (out.returncode, out.stdout) == (2, "")
    assert words in out.stderr


@pytest.mark.parametrize(
    ("user", "server", "words"),
    [
        ({"token": "of no one"}, "", "the credentials have expired"),
        ({}, "https://127.0.0.1:1", "error: the cluster does not answer: "),
    ],
    ids=["unknown", "dead"],
)
@pytest.mark.parametrize("command", ["status", "logs", "suspend", "resume"])
def test_what_stands_in_the_way_is_said(
    plane: Plane, tmp_path: Path, command: str, user: dict[str, str], server: str, words: str
) -> None:
    config = json.loads(plane.kubeconfig().read_text())
    config["users"][0]["user"] = user
    config["clusters"][0]["cluster"]["server"] = server or plane.server
    file = tmp_path / "kubeconfig"
    file.write_text(json.dumps(config))
    line = [sys.executable, "-m", "trainc", command, "m", "--kubeconfig", str(file)]
    out = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
    assert (out.returncode, out.stdout) == (1, "")
    assert words in out.stderr


def test_no_such_job(namespace: str, trainc: Shell) -> None:
    for command in ("status", "logs", "suspend", "resume"):
        out = trainc(command, "nobody")
        assert out.returncode == 1, command
        assert "there is no" in out.stderr
        assert out.stdout == ""


def test_no_cluster(tmp_path: object) -> None:
    words = [sys.executable, "-m", "trainc", "status", "--kubeconfig", f"{tmp_path}/none"]
    out = subprocess.run(words, capture_output=True, text=True, check=False)
    assert out.returncode == 1
    assert "no credentials" in out.stderr


def test_watching(admin: Client, namespace: str, controller: Controller, plane: Plane) -> None:
    admin.apply(a_trainjob(namespace))
    arguments = ["--kubeconfig", str(plane.kubeconfig(namespace=namespace)), "--watch"]
    command = [sys.executable, "-m", "trainc", "status", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        try:
            assert "STATE" in watching.stdout.readline()
            assert "Pending" in watching.stdout.readline()
            admin.apply(a_jobset(namespace))
            end = time.monotonic() + 60
            while "Running" not in (line := watching.stdout.readline()):
                assert line and time.monotonic() < end
        finally:
            watching.terminate()


def test_logs(admin: Client, namespace: str, trainc: Shell) -> None:
    admin.apply(a_jobset(namespace, nodes=2))
    eventually(lambda: "2/2" in trainc("status").stdout)
    assert trainc("logs", "m").stdout == "epoch 1 of 1\n"
    every = trainc("logs", "m", "--all").stdout.splitlines()
    assert [line.split(":")[0][:10] for line in every] == ["m-node-0-0", "m-node-0-1"]
    missing = trainc("logs", "m", "--rank", "7")
    assert (missing.returncode, missing.stdout) == (1, "")


def test_suspend_and_resume(
    admin: Client, namespace: str, controller: Controller, trainc: Shell
) -> None:
    admin.apply(a_trainjob(namespace))
    admin.apply(a_jobset(namespace))
    out = trainc("suspend", "m")
    assert out.stdout.splitlines() == ["TrainJob/m suspended", "JobSet/m suspended"]
    eventually(lambda: conditions(admin, namespace).get("Suspended", {}).get("status") == "True")
    assert trainc("suspend", "m").stdout == "m was already suspended\n"
    assert trainc("resume", "m").returncode == 0
    eventually(lambda: conditions(admin, namespace)["Suspended"]["status"] == "False")


def test_kueue_decides(admin: Client, namespace: str, trainc: Shell) -> None:
    labels = {"kueue.x-k8s.io/queue-name": "gpus"}
    admin.apply(a_jobset(namespace, labels=labels))
    out = trainc("suspend", "m")
    assert out.returncode == 1
    assert "Kueue" in out.stderr
