"""Lints on accelerators: paid for and not used, or asked for over a slow network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from trainc import names
from trainc.errors import Problem
from trainc.info.podset import Container, PodSet
from trainc.kube.digits import COUNT
from trainc.lint.lint import POD, Job, Lint

# Policies that start a number of processes on each node, and the variable they say it in. Others
# (jax, plain) run one process that takes all devices of its node.
PROCESSES: Final = {
    "mpi": "OMPI_MCA_orte_set_default_slots",
    "torch": "PET_NPROC_PER_NODE",
}
_DEVICES: Final = ("nvidia.com/gpu", "amd.com/gpu", "habana.ai/gaudi", "intel.com/gpu")
_FABRIC: Final = (
    "rdma/",
    "vpc.amazonaws.com/efa",
    "nvidia.com/ib",
    "networking.gke.io",
    "openshift.io/",
    "k8s.v1.cni.cncf.io",  # Multus: the pod has further networks
    "v1.multus-cni.io",
    "nvidia.com/hostdev",
    "nvidia.com/roce",
    "nvidia.com/sriov",
    "mellanox.com/",
    "intel.com/sriov",
)


def idle_gpus(job: Job) -> Iterator[Problem]:
    """More devices on a node than processes that could use them."""
    info = job.info
    policy = next((key for key in info.spec.runtime.ml_policy or {} if key in PROCESSES), "")
    nodes, starts = info.trainer, info.trainer
    if policy == "mpi":
        nodes, starts = info.pod_set(names.NODE) or nodes, info.pod_set(names.LAUNCHER)
    node = nodes.node if nodes else None
    if not policy or nodes is None or node is None or (devices := gpus(node)) < 2:
        return
    count = _processes(starts, PROCESSES[policy])
    if count is not None and count < devices:
        yield _idle(job, nodes, node, devices, count)


def _processes(pod_set: PodSet | None, variable: str) -> int | None:
    """How many processes a node runs, None where that is not said as a number."""
    env = pod_set.node.env if pod_set and pod_set.node else ()
    value = next((item.get("value", "") for item in env if item["name"] == variable), "")
    return int(value) if COUNT.fullmatch(value) else None


def _idle(job: Job, nodes: PodSet, node: Container, devices: int, count: int) -> Problem:
    word = "process" if count == 1 else "processes"
    hint = f"ask for {count}, or set spec.trainer.numProcPerNode to {devices} or leave it out"
    return job.at(
        _path(job, nodes, node, "resources"),
        f"{devices} GPUs a node, but {count} {word}: the others stay idle",
        hint,
    )


def no_fabric(job: Job) -> Iterator[Problem]:
    """Several nodes with GPUs that talk over the pod network."""
    trainer = job.info.trainer
    node = trainer.node if trainer else None
    if trainer is None or node is None or job.nodes < 2 or not gpus(node):
        return
    if _has_fabric(node.resources):
        return
    pod = trainer.pod
    metadata = trainer.raw["template"]["spec"]["template"].get("metadata", {})
    notes = (*metadata.get("annotations", ()), *trainer.pod_annotations)
    if pod.get("hostNetwork") or any(note.startswith(_FABRIC) for note in notes):
        return
    yield job.at(
        _path(job, trainer, node, "resources"),
        f"{job.nodes} nodes with GPUs and no fabric: NCCL will use TCP over the pod network",
        "ask for the fabric's resource (rdma/..., vpc.amazonaws.com/efa) or its network annotation",
    )


def gpus(node: Container) -> int:
    """Devices that one container gets."""
    limits = node.resources.get("limits") or {}
    return sum(_whole(limits.get(name)) for name in _DEVICES if name in limits)


def _whole(value: Any) -> int:
    return int(value) if COUNT.fullmatch(str(value)) else 0


def _has_fabric(resources: Mapping[str, Any]) -> bool:
    names = resources.get("limits") or resources.get("requests") or {}
    return any(name.startswith(_FABRIC) for name in names) or bool(resources.get("claims"))


def _path(job: Job, pod_set: PodSet, node: Container, field: str) -> tuple[str | int, ...]:
    index = job.info.pod_sets.index(pod_set)
    place = pod_set.containers.index(node)
    return ("spec", "replicatedJobs", index, *POD, "containers", place, field)


LINTS = (
    Lint("TRC101", "warning", idle_gpus),
    Lint("TRC201", "note", no_fabric),
)
