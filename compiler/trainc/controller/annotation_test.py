from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from trainc import build
from trainc.controller.annotation import MalformedError, Minted, Note, read
from trainc.names import JOB_ANNOTATION


def test_everything_is_read() -> None:
    note = {
        "version": 1,
        "trainjob": "m",
        "deadlineSeconds": 60,
        "secrets": [
            {"name": "m-mpi-ssh-auth", "kind": "ssh"},
            {"name": "m-cache-auth", "kind": "cache-auth"},
        ],
        "cache": "m-cache",
        "features": ["TrainJobStatus"],
        "digest": "sha256:1",
    }
    assert read(json.dumps(note)) == Note(
        trainjob="m",
        deadline=60,
        secrets=(
            Minted("m-mpi-ssh-auth", "ssh"),
            Minted("m-cache-auth", "cache-auth"),
        ),
        features=("TrainJobStatus",),
        digest="sha256:1",
        cache="m-cache",
    )


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    note: Any
    why: str


@pytest.mark.parametrize(
    "case",
    [
        TestCase("no JSON", "{", "is not JSON"),
        TestCase("deep", "[" * 100_000, "is not JSON"),
        TestCase("no object", "[]", "is not a JSON object"),
        TestCase("another version", {"version": 2}, "has version 2"),
        TestCase("no job", {"version": 1}, "trainjob"),
        TestCase("deadline of 0", {"deadlineSeconds": 0}, "deadlineSeconds"),
        TestCase("deadline True", {"deadlineSeconds": True}, "deadlineSeconds"),
        TestCase("secrets no list", {"secrets": {}}, "secrets"),
        TestCase("a cache of its choice", {"cache": "other-cache"}, "cache must be 'm-cache'"),
        TestCase(
            "a shared Secret of its choice",
            {"secrets": [{"kind": "cache-auth", "name": "shared-x-cache-auth"}]},
            "must be named 'm-cache-auth'",
        ),
        TestCase("a kind nobody knows", {"secrets": [{"kind": "x", "name": "m-x"}]}, "'x'"),
        TestCase(
            "a name of its choice",
            {"secrets": [{"kind": "ssh", "name": "admin-token"}]},
            "must be named 'm-mpi-ssh-auth'",
        ),
    ],
    ids=lambda case: case.name,
)
def test_malformed(case: TestCase) -> None:
    note = case.note
    if isinstance(note, dict):
        note = {"version": 1, "trainjob": "m", **note} if "version" not in note else note
        note = json.dumps(note)
    with pytest.raises(MalformedError, match=case.why):
        read(note)


def test_what_the_compiler_writes_is_read() -> None:
    runtime = {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "ClusterTrainingRuntime",
        "metadata": {"name": "mpi"},
        "spec": {
            "mlPolicy": {"mpi": {}},
            "template": {
                "spec": {
                    "replicatedJobs": [
                        _mpi_job("launcher", "trainer"),
                        _mpi_job("node", ""),
                    ]
                }
            },
        },
    }
    trainjob = {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "metadata": {"name": "m", "namespace": "ns"},
        "spec": {"runtimeRef": {"name": "mpi"}, "activeDeadlineSeconds": 60},
    }
    built = build([trainjob, runtime], features=("TrainJobStatus",))
    jobset = next(found for found in built.objects if found["kind"] == "JobSet")
    note = read(jobset["metadata"]["annotations"][JOB_ANNOTATION])
    assert note.trainjob == "m"
    assert note.deadline == 60
    assert set(note.secrets) == {Minted("m-mpi-ssh-auth", "ssh"), Minted("m-tls-config", "ca")}


def _mpi_job(name: str, step: str) -> dict[str, Any]:
    labels = {"labels": {"trainer.kubeflow.org/trainjob-ancestor-step": step}} if step else {}
    pod = {"spec": {"restartPolicy": "OnFailure", "containers": [{"name": "node", "image": "a:1"}]}}
    return {"name": name, "template": {"metadata": labels, "spec": {"template": pod}}}
