"""``trainc list``: a line for each job of each environment."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.corpus import ROOT
from trainc.cli.listing import duration

JOB = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata: {name: bert, namespace: nlp, labels: {kueue.x-k8s.io/queue-name: gpu}}
spec:
  runtimeRef: {name: torch-distributed}
  activeDeadlineSeconds: 5400
  trainer:
    image: "=cmd|' /C calc'!A0"
    numNodes: 2
    numProcPerNode: 4
    resourcesPerNode: {limits: {nvidia.com/gpu: 4, rdma/ib: "2", cpu: 8}}
"""


def trainc(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "trainc", "list", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
    )


def lines(folder: Path, *arguments: str) -> dict[tuple[str, str], dict[str, Any]]:
    """What is listed, by environment and name."""
    out = trainc(folder, *arguments, "-o", "json")
    assert out.returncode == 0, out.stderr
    return {(line["env"], line["name"]): line for line in json.loads(out.stdout)}


def test_a_job_in_full(tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(JOB)
    assert lines(tmp_path)["", "bert"] == {
        "name": "bert",
        "env": "",
        "namespace": "nlp",
        "runtime": "torch-distributed",
        "nodes": 2,
        "processes": "4",
        "devices": {"nvidia.com/gpu": 8, "rdma/ib": 4},
        "queue": "gpu",
        "priority": "",
        "deadline": 5400,
        "image": "=cmd|' /C calc'!A0",
        "dataset": "",
        "model": "",
        "suspended": False,
        "jobset": "bert",
        "file": "job.yaml:3",
    }


def test_a_table_for_a_person(tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(JOB)
    head, row = trainc(tmp_path).stdout.splitlines()
    assert head.split() == [
        *("NAMESPACE", "JOB", "RUNTIME", "NODES", "DEVICES", "QUEUE", "DEADLINE")
    ]
    assert row.split("   ")[0] == "nlp"
    assert "2 x 4" in row
    assert "8 nvidia.com/gpu, 4 rdma/ib" in row
    assert row.endswith("1h30m")
    assert "job.yaml:3" in trainc(tmp_path, "-o", "wide").stdout


def test_csv_holds_no_formula(tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(JOB)
    (row,) = csv.DictReader(io.StringIO(trainc(tmp_path, "-o", "csv").stdout))
    assert row["image"] == "'=cmd|' /C calc'!A0"
    assert row["devices"] == "8 nvidia.com/gpu, 4 rdma/ib"


def test_this_repository() -> None:
    found = lines(ROOT)
    assert {env for env, _ in found} == {"dev", "prod"}
    assert [*found] == sorted(found, key=lambda key: (key[0], found[key]["namespace"], key[1]))
    queued = found["prod", "embeddings-nightly"]
    assert (queued["queue"], queued["priority"]) == ("gpu-research", "nightly")
    assert set(lines(ROOT, "--env", "prod")) == {k for k in found if k[0] == "prod"}


@dataclass(frozen=True)
class TestCase:
    """A stock runtime with so many nodes, and how many of its pods train."""

    __test__ = False
    runtime: str
    trainer: str
    nodes: int
    processes: str


@pytest.mark.parametrize("case", [
    TestCase("torch-distributed", "{numNodes: 3}", 3, "1"),
    TestCase("deepspeed-distributed", "{numNodes: 3, numProcPerNode: 2}", 3, "2"),
    TestCase("mlx-distributed", "{numNodes: 3}", 3, "1"),
    TestCase("jax-distributed", "{numNodes: 3}", 3, ""),
    TestCase("flux-distributed", "{numNodes: 3}", 3, ""),
    TestCase("xgboost-distributed", "{numNodes: 3}", 3, ""),
], ids=lambda case: case.runtime)  # fmt: skip
def test_nodes_of_each_launcher(case: TestCase, tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(
        "apiVersion: trainer.kubeflow.org/v1alpha1\nkind: TrainJob\nmetadata: {name: a}\n"
        f"spec: {{runtimeRef: {{name: {case.runtime}}}, trainer: {case.trainer}}}\n"
    )
    line = lines(tmp_path)["", "a"]
    assert (line["nodes"], line["processes"]) == (case.nodes, case.processes)


def test_a_job_with_an_error_is_reported_and_others_are_listed(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(JOB)
    (tmp_path / "b.yaml").write_text(
        JOB.replace("name: bert,", "name: b,").replace("numNodes: 2", "numNodes: two")
    )
    out = trainc(tmp_path)
    assert out.returncode == 1
    assert "b.yaml:9:5: error: spec.trainer.numNodes" in out.stderr
    assert "bert" in out.stdout


@pytest.mark.parametrize(("seconds", "want"), [
    (0, ""), (59, "59s"), (90, "1m30s"), (3600, "1h"), (5400, "1h30m"), (172800, "48h"),
    (3661, "1h1m"),
])  # fmt: skip
def test_durations_are_short(seconds: int, want: str) -> None:
    assert duration(seconds) == want
