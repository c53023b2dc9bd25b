"""What every rendezvous needs: the first node's address, an open port, the numbers of a node."""

from __future__ import annotations

from trainc import names
from trainc.info.info import Info
from trainc.info.podset import Container, PodSet
from trainc.kube.resources import Requirements, cpus, gpus
from trainc.kube.upsert import with_port, with_port_quirk

# Where the first node listens, for torch, jax and xgboost alike (upstream
# constants.ContainerTrainerPort).
PORT = 29500
_OPEN = {"containerPort": PORT, "protocol": "TCP"}


def first_host(info: Info, trainer: PodSet) -> str:
    """The host name of the trainer's first pod."""
    if info.spec.compat.keeps("fixed-host"):
        return f"{info.name}-{names.NODE}-0-0.{info.name}"
    return info.host(trainer)


def opened(info: Info, node: Container) -> Container:
    """The container with the rendezvous port open."""
    if info.spec.compat.keeps("ports"):
        return node._replace(ports=with_port_quirk(node.ports, ({"containerPort": PORT},)))
    return node._replace(ports=with_port(node.ports, _OPEN))


def silent(info: Info) -> bool:
    """Whether the trainer stays as it is because the job has no ``spec.trainer``."""
    return info.spec.job.trainer is None and info.spec.compat.keeps("no-trainer-no-env")


def noted(info: Info, trainer: PodSet) -> Info:
    """The job with the warnings on the quirks that shape its rendezvous."""
    if silent(info):
        message = "spec.trainer is absent, so the trainer gets no rendezvous env and no port"
        return info.with_quirk("no-trainer-no-env", ("spec",), message)
    if info.spec.compat.keeps("fixed-host") and first_host(info, trainer) != info.host(trainer):
        message = f"the first node is {info.host(trainer)}, not {first_host(info, trainer)}"
        info = info.with_quirk("fixed-host", ("spec", "runtimeRef"), message)
    return info


def resources_of_node(info: Info, pod_set: PodSet | None) -> Requirements:
    """The resources that process counts follow: those the pod set's node really gets.

    Under ``--compat``: the job's resourcesPerNode alone where it is set, else those of the first
    container ``node`` in a job named ``node`` or labelled trainer (facts 3.4).
    """
    if not info.spec.compat.keeps("partial-resources"):
        node = pod_set.node if pod_set else None
        return node.resources if node else {}
    trainer = info.spec.job.trainer
    if trainer is not None and trainer.resources is not None:
        return trainer.resources
    for candidate in info.pod_sets:
        if candidate.name == names.NODE or candidate.ancestor == names.TRAINER:
            node = candidate.node
            if node is not None:
                return node.resources
    return {}


def partial(info: Info, pod_set: PodSet | None) -> Info:
    """The job with the warning that its counts do not follow the resources its node gets."""
    node = pod_set.node if pod_set else None
    if node is None or not info.spec.compat.keeps("partial-resources"):
        return info
    counted = resources_of_node(info, pod_set)
    if (gpus(counted), cpus(counted)) == (gpus(node.resources), cpus(node.resources)):
        return info
    message = (
        f"processes are counted from {gpus(counted)} GPUs and {cpus(counted)} CPUs, "
        f"while a node has {gpus(node.resources)} and {cpus(node.resources)}"
    )
    return info.with_quirk("partial-resources", ("spec", "trainer", "resourcesPerNode"), message)
