"""A repository of trainings as docs/gitops.md makes one, and the commands a person types in it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

from tests.cluster.jobs import Json

IMAGE = "example.com/train:1"
_RUNTIMES = Path(__file__).parents[2] / "runtimes"


class Project:
    """A folder with ``trainc.yaml`` and ``jobs/``; ``build`` writes ``out/``."""

    def __init__(self, folder: Path, namespace: str, **settings: str) -> None:
        """Writes ``trainc.yaml``; ``settings`` are its profile, on_change and emit."""
        self.folder = folder
        self.namespace = namespace
        self.arguments: tuple[str, ...] = ()  # more of each build
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "trainc.yaml").write_text(yaml.safe_dump(settings))

    def write(self, *jobs: Json) -> None:
        """Writes these TrainJobs, each into a file of its own."""
        (self.folder / "jobs").mkdir(exist_ok=True)
        for job in jobs:
            file = self.folder / "jobs" / f"{job['metadata']['name']}.yaml"
            file.write_text(yaml.safe_dump(job))

    def add_runtime(self, name: str = "once") -> None:
        """A runtime of the project's own: PyTorch, whose pods are not tried again."""
        runtime = yaml.safe_load((_RUNTIMES / "torch-distributed.yaml").read_text())
        runtime["metadata"]["name"] = name
        for job in runtime["spec"]["template"]["spec"]["replicatedJobs"]:
            job["template"]["spec"]["backoffLimit"] = 0
        (self.folder / "runtimes").mkdir(exist_ok=True)
        (self.folder / "runtimes" / f"{name}.yaml").write_text(yaml.safe_dump(runtime))

    def remove(self, name: str) -> None:
        """Removes a TrainJob."""
        (self.folder / "jobs" / f"{name}.yaml").unlink()

    def build(self) -> list[Json]:
        """Builds into ``out/``, anew as CI would; the objects that were printed."""
        shutil.rmtree(self.folder / "out", ignore_errors=True)
        out = self.trainc("build", *self.arguments, "--out-dir", "out")
        assert out.returncode == 0, out.stderr
        files = sorted((self.folder / "out").rglob("*.yaml"))
        return [d for file in files for d in yaml.safe_load_all(file.read_text()) if d]

    def trainc(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs trainc in the folder."""
        words = [sys.executable, "-m", "trainc", *arguments]
        return subprocess.run(
            words, cwd=self.folder, capture_output=True, text=True, check=False, timeout=120
        )


def a_job(
    namespace: str,
    name: str = "m",
    *,
    image: str = IMAGE,
    nodes: int = 1,
    cpu: str | int = "1",
    labels: Mapping[str, str] | None = None,
    runtime: str = "torch-distributed",
    **spec: object,
) -> Json:
    """A TrainJob on PyTorch as people write one; ``spec`` are more of its fields."""
    metadata: Json = {"name": name, "namespace": namespace}
    if labels:
        metadata["labels"] = dict(labels)
    trainer = {
        "image": image,
        "command": ["torchrun", "train.py"],
        "numNodes": nodes,
        "resourcesPerNode": {"requests": {"cpu": cpu}},
    }
    return {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "metadata": metadata,
        "spec": {"runtimeRef": {"name": runtime}, "trainer": trainer, **spec},
    }


def with_pod_settings(job: Json, toleration: Json) -> Json:
    """Gives the pods of ``node`` a toleration, a node selector and a label."""
    pod = {
        "metadata": {"labels": {"team": "vision"}},
        "spec": {"tolerations": [toleration], "nodeSelector": {"kubernetes.io/hostname": "kwok-0"}},
    }
    replicated = {"name": "node", "template": {"spec": {"template": pod}}}
    template = {"spec": {"replicatedJobs": [replicated]}}
    patch = {"manager": "example.com/team", "trainingRuntimeSpec": {"template": template}}
    job["spec"]["runtimePatches"] = [patch]
    return job


def jobset_of(objects: list[Json], job: str = "m") -> str:
    """The name of the JobSet that was compiled from a TrainJob."""
    names = [each["metadata"]["name"] for each in objects if each["kind"] == "JobSet"]
    (found,) = [name for name in names if name == job or name.rpartition("-")[0] == job]
    return str(found)
