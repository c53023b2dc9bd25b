"""Both initializers before the trainer: who waits for whom, and what a failure comes to."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.client import Client, eventually
from tests.cluster.conftest import ROOT
from tests.cluster.jobs import Json, conditions
from tests.cluster.plane import Plane
from tests.cluster.running import running
from trainc import build
from trainc.controller.controller import Controller
from trainc.names import EXIT_CONFIGURATION, EXIT_TRANSIENT

DATASET, MODEL, NODE = "dataset-initializer", "model-initializer", "node"
STEP = "jobset.sigs.k8s.io/replicatedjob-name"
RUNTIME = "torchtune-llama3.2-1b"
REASON = "configuration: no provider fetches a dataset from ftp://; known: abfs, abfss, az"
JOB = f"""
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata: {{name: m, namespace: NAMESPACE}}
spec:
  runtimeRef: {{name: {RUNTIME}}}
  initializer:
    dataset: {{storageUri: "s3://bucket/set"}}
    model: {{storageUri: "hf://org/name"}}
"""


@pytest.fixture
def controller(plane: Plane, namespace: str) -> Iterator[Controller]:
    with running(plane, namespace) as started:
        yield started


def start(admin: Client, namespace: str, folder: Path, fail_fast: bool = False) -> Json:
    """Compiles the job as a user does, and puts both objects into the cluster."""
    asks = '  annotations: {trainc.dev/initializer-fail-fast: "true"}\n' if fail_fast else ""
    text = (ROOT / f"runtimes/{RUNTIME}.yaml").read_text()
    runtimes = folder / "runtimes"
    runtimes.mkdir()
    (runtimes / "own.yaml").write_text(text.replace("metadata:\n", f"metadata:\n{asks}", 1))
    (folder / "job.yaml").write_text(JOB.replace("NAMESPACE", namespace))
    built = build(str(folder))
    assert built.ok, built.problems
    (jobset,) = (dict(each) for each in built.objects if each["kind"] == "JobSet")
    admin.apply(jobset)
    reference = {"name": RUNTIME}
    admin.apply(
        {
            "apiVersion": "trainer.kubeflow.org/v1alpha1",
            "kind": "TrainJob",
            "metadata": {"name": "m", "namespace": namespace},
            "spec": {"runtimeRef": reference},
        }
    )
    return jobset


def pods(admin: Client, namespace: str, step: str) -> list[Json]:
    return [
        pod
        for pod in admin.list("Pod", namespace)
        if pod["metadata"].get("labels", {}).get(STEP) == step
    ]


def end(admin: Client, namespace: str, step: str, how: str, code: int = 1, why: str = "") -> None:
    """Lets the step's running pod end so."""
    said = {"kwok.test/end": how, "kwok.test/exit": str(code), "kwok.test/message": why}

    def running_pod() -> list[Json]:
        found = pods(admin, namespace, step)
        return [each for each in found if each["status"].get("phase") == "Running"]

    for pod in eventually(running_pod):
        name = pod["metadata"]["name"]
        admin.merge("Pod", namespace, name, {"metadata": {"annotations": said}})


@pytest.mark.parametrize("order", [(DATASET, MODEL), (MODEL, DATASET)])
def test_the_trainer_begins_when_both_are_done(
    admin: Client, namespace: str, controller: Controller, tmp_path: Path, order: tuple[str, str]
) -> None:
    start(admin, namespace, tmp_path)
    first, second = order
    end(admin, namespace, first, "complete")
    eventually(lambda: _status(admin, namespace)[first]["succeeded"] == 1)
    eventually(lambda: _status(admin, namespace)[second]["ready"] == 1)
    assert pods(admin, namespace, NODE) == []
    end(admin, namespace, second, "complete")
    (node,) = eventually(lambda: pods(admin, namespace, NODE))
    finished = {step: _finished(admin, namespace, step) for step in order}
    assert max(finished.values()) <= node["metadata"]["creationTimestamp"]
    end(admin, namespace, NODE, "complete")
    eventually(lambda: list(conditions(admin, namespace)) == ["Complete"])


@pytest.mark.parametrize("step", [DATASET, MODEL])
def test_what_another_try_cannot_mend_fails_the_job_at_once(
    plane: Plane,
    admin: Client,
    namespace: str,
    controller: Controller,
    tmp_path: Path,
    step: str,
) -> None:
    start(admin, namespace, tmp_path, fail_fast=True)
    end(admin, namespace, step, "fail", EXIT_CONFIGURATION, REASON)
    failed = eventually(lambda: conditions(admin, namespace).get("Failed"))
    assert failed["reason"] == "FailedJobs"
    job = admin.get("Job", namespace, f"m-{step}-0")["status"]
    assert "PodFailurePolicy" in {each.get("reason") for each in job["conditions"]}
    assert job["failed"] == 1
    assert pods(admin, namespace, NODE) == []
    shown = _trainc_status(plane, namespace)
    assert f"container {step} exited with {EXIT_CONFIGURATION}: {REASON}" in shown
    assert "Failed" in shown


def test_what_passes_is_tried_again(
    admin: Client, namespace: str, controller: Controller, tmp_path: Path
) -> None:
    start(admin, namespace, tmp_path, fail_fast=True)
    end(admin, namespace, DATASET, "fail", EXIT_TRANSIENT, "transient: 503 SlowDown")
    eventually(lambda: len(pods(admin, namespace, DATASET)) == 2, 60)
    assert "Failed" not in conditions(admin, namespace)
    end(admin, namespace, DATASET, "complete")
    end(admin, namespace, MODEL, "complete")
    eventually(lambda: pods(admin, namespace, NODE))


def test_without_the_annotation_a_typo_is_tried_again(
    admin: Client, namespace: str, controller: Controller, tmp_path: Path
) -> None:
    jobset = start(admin, namespace, tmp_path)
    templates = [each["template"]["spec"] for each in jobset["spec"]["replicatedJobs"]]
    assert not [each for each in templates if "podFailurePolicy" in each]
    end(admin, namespace, DATASET, "fail", EXIT_CONFIGURATION, REASON)
    eventually(lambda: len(pods(admin, namespace, DATASET)) == 2, 60)
    assert "Failed" not in conditions(admin, namespace)


def _status(admin: Client, namespace: str) -> dict[str, Json]:
    found = admin.get("JobSet", namespace, "m").get("status", {})
    return {each["name"]: each for each in found.get("replicatedJobsStatus") or []}


def _finished(admin: Client, namespace: str, step: str) -> str:
    job = admin.get("Job", namespace, f"m-{step}-0")
    when: str = job["status"]["completionTime"]
    return when


def _trainc_status(plane: Plane, namespace: str) -> str:
    kubeconfig = str(plane.kubeconfig(namespace=namespace))
    words = [sys.executable, "-m", "trainc", "status", "--kubeconfig", kubeconfig, "m"]
    shown = subprocess.run(words, capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    return shown.stdout
