"""Jobs as they stand in public repositories: each behaves as it did after ``trainc migrate``.

The jobs in ``old_jobs/`` are in the style of AWS, NVIDIA, Kueue, Hugging Face, OKE and the samples
of the operators. Those that migrate are built, and what runs in their pods is held to what the old
operators ran: hosts, variables, words, and how often they start again.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.gitops.kubelet import Pod, Run, pods, restarts
from tests.gitops.old_operators import OldPod, old_pods, replicas_of, restarts_of
from trainc import build
from trainc.edit.migration.rewrite import migrated
from trainc.edit.migration.work import Options
from trainc.edit.text import Text, of_bytes
from trainc.source.files import File
from trainc.source.parse import parse

FOLDER = Path(__file__).parent / "old_jobs"
# What the policies of today name otherwise, or the number of nodes is fixed now.
RENAMED = {"PET_MASTER_PORT", "MASTER_PORT", "COORDINATOR_PORT", "PET_NNODES"}
PEERS = {"MASTER_ADDR", "MASTER_PORT", "WORLD_SIZE", "RANK"}


@dataclass(frozen=True)
class Shape:
    """A job of an old operator, and what comes of it.

    Attributes:
        name: Its file.
        refused: Why it is not migrated, a line each; empty where it is.
        warned: What is said of it where it is.
        flags: Options of the command.
    """

    __test__ = False
    name: str
    refused: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


FIXED = ("--fixed-nodes",)
SHAPES = [
    Shape("aws-fsdp", flags=FIXED),
    Shape("aws-nccl-tests"),
    Shape("aws-yolo", warned=("34:19: warning: ",)),
    Shape("nvidia-nemo"),
    Shape("nvidia-horovod", warned=("1:1: warning: workers are reached by SSH now",)),
    Shape("kueue-pytorch", warned=("10:5: note: spec.runPolicy.suspend: left out: Kueue",)),
    Shape("kueue-mpi"),
    Shape("kueue-xgboost"),
    Shape("kueue-jax"),
    Shape("huggingface-cpu", flags=FIXED),
    Shape("huggingface-accelerate", warned=("WANDB_NAME: a pod's name has a random end now",)),
    Shape("oke-rdma", flags=FIXED),
    Shape("mnist-gloo"),
    Shape("deepspeed-mpi"),
    Shape("lightgbm"),
    Shape("export"),
    Shape("sidecar"),
    Shape("one-node"),
    Shape("aws-fsdp", refused=("8:3: error: spec.elasticPolicy: has no counterpart",)),
    Shape("exit-code", refused=("8:7: error: spec.pytorchReplicaSpecs.Worker.restartPolicy: ",)),
    Shape("appwrapper", refused=("6:7: error: spec.components[0].template: a PyTorchJob inside",)),
    Shape(
        "etcd",
        flags=FIXED,
        refused=(
            "6:5: error: spec.elasticPolicy.rdzvBackend: etcd is not supported",
            "7:5: error: spec.elasticPolicy.rdzvHost: etcd-service is no pod of this job",
            "11:5: error: spec.elasticPolicy.metrics: has no counterpart",
        ),
    ),
    Shape(
        "horovod-elastic",
        refused=(
            "14:15: error: spec.mpiReplicaSpecs.Launcher.template.spec.containers[0].args: "
            "discover_hosts.sh is not there any more",
            "20:62: error: spec.mpiReplicaSpecs.Worker.template.spec.containers[0].command: "
            "starts no sshd",
        ),
    ),
    Shape(
        "volcano",
        refused=(
            "6:5: error: spec.runPolicy.cleanPodPolicy: has no counterpart",
            "7:5: error: spec.runPolicy.schedulingPolicy: has no counterpart",
            "14:7: error: spec.pytorchReplicaSpecs.Worker.template: Master and Worker differ at "
            "template.spec.containers.0.image",
        ),
    ),
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: " ".join((shape.name, *shape.flags)))
def test_a_job_is_migrated_or_stays_and_says_why(tmp_path: Path, shape: Shape) -> None:
    text = (FOLDER / f"{shape.name}.yaml").read_text()
    done = migrated(of(text), Options("acme.com/a", fixed_nodes=bool(shape.flags)))
    said = "\n".join(map(str, done.problems))
    for line in shape.refused or shape.warned:
        assert line in said
    if shape.refused:
        assert (done.text, done.objects) == (text, ())
        return
    assert len(shape.warned) == len(done.problems) and ": error: " not in said, said
    assert migrated(of(done.text), Options("acme.com/a")) == (done.text, (), ())
    path = tmp_path / "job.yaml"
    path.write_text(done.text)
    built = build(path)
    assert [str(each) for each in built.problems if each.severity != "note"] == []
    jobsets = {each["metadata"]["name"]: each for each in built.objects if each["kind"] == "JobSet"}
    jobs = list(old_jobs(text))
    assert jobs and jobsets.keys() == {job["metadata"]["name"] for job in jobs}
    for job in jobs:
        behaves(job, jobsets[job["metadata"]["name"]])


def of(text: str) -> Text:
    """A text as a file."""
    return of_bytes(text.encode(), File("job.yaml", "job.yaml", True))


def old_jobs(text: str) -> Iterator[Any]:
    """The old jobs of a file."""
    for document in parse(text.encode(), "")[0]:
        for root in document.root.get("items", [document.root]):
            if root["apiVersion"].startswith("kubeflow.org/"):
                yield root


def behaves(job: Any, jobset: Any) -> None:
    """Holds a JobSet to what the old operator made of a job."""
    new = list(pods(jobset))
    old = list(old_pods(job))
    hosts = {each.host: pod_of(each, new).host for each in old}
    names = Names(job, hosts)
    for each in old:
        pod = pod_of(each, new)
        for name, container in each.runs.items():
            same(job, container, pod.runs[name], names, is_main=name == "node")
        for name, container in each.inits.items():
            assert pod.inits[name].words == container.words
            if "Master" in replicas_of(job):  # more than the operator told them
                assert pod.inits[name].env["RANK"] == str(each.index)
                assert pod.inits[name].env["MASTER_ADDR"] == new[0].host
    for kind in replicas_of(job):
        where = "launcher" if kind == "Launcher" else "node"
        assert restarts(jobset, where) == restarts_of(job, kind), kind


def pod_of(old: OldPod, new: list[Pod]) -> Pod:
    """The pod that takes an old one's place."""
    if old.kind == "Launcher":
        return next(pod for pod in new if pod.job == "launcher")
    ranks = [pod for pod in new if pod.job == "node"]
    first = any(pod.job == "launcher" for pod in new)
    return ranks[old.index - first]


class Names:
    """The old names in a text, as those of today."""

    def __init__(self, job: Any, hosts: dict[str, str]) -> None:
        self.hosts = hosts
        name = re.escape(job["metadata"]["name"])
        ends = "|".join(re.escape(host) for host in sorted(hosts, key=len, reverse=True))
        service = rf"(?:\.{name})?" if job["kind"] == "MPIJob" else ""
        self._pattern = re.compile(rf"(?<![\w.-])({ends}){service}(?![\w-])")

    def today(self, text: str) -> str:
        return self._pattern.sub(lambda match: self.hosts[match[1]], text)


def reads_processes(old: Run) -> bool:
    """Whether a program may take its number of processes from the container."""
    return "--nproc" not in " ".join(old.words) and not old.words[0].startswith("python")


def same(job: Any, old: Run, new: Run, names: Names, *, is_main: bool) -> None:
    """A container has the same variables and words, but for hosts, ports and counts."""
    torchrun = is_main and Path(old.words[0] if old.words else "").name == "torchrun"
    for name, value in old.env.items():
        if name in PEERS and torchrun or name in RENAMED:
            continue
        if value is None or name == "WANDB_NAME":
            assert name in new.env
        elif name != "PET_NPROC_PER_NODE" or reads_processes(old):
            known = names.today(value).replace(":23456", ":29500")
            assert new.env[name] == known, name
    ports = r"\b(?:23456|6666)\b"
    for one, other in zip(old.words, new.words, strict=True):
        assert re.sub(ports, "29500", names.today(one)) == re.sub(ports, "29500", other)
