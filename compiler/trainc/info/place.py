"""Where a job's numNodes, resourcesPerNode and container settings go before its policy acts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from trainc import names
from trainc.info.env import printed
from trainc.info.info import Info
from trainc.info.podset import Container, PodSet
from trainc.kube.resources import merged
from trainc.spec.trainjob import Trainer


def on_trainer(info: Info, settings: object) -> Info:
    """Gives numNodes to the trainer and resourcesPerNode to every job labelled so.

    This is what every policy but MPI wants (v2.3.0 ``pkg/runtime/core``, facts 3.3 and 3.4).
    """
    del settings
    trainer = info.spec.job.trainer
    if trainer is None:
        return info
    info = with_settings(info, trainer)
    if trainer.resources is not None:
        info = with_resources(info, lambda pod_set: pod_set.ancestor == names.TRAINER)
    first = info.trainer
    if trainer.num_nodes is not None and first is not None:
        info = info.with_pod_set(first.with_count(trainer.num_nodes))
    return info


def with_settings(info: Info, trainer: Trainer) -> Info:
    """Writes image, command and args of ``spec.trainer`` over those of every trainer's node."""
    if trainer.image is None and trainer.command is None and trainer.args is None:
        return info

    def change(node: Container) -> Container:
        return node._replace(
            image=node.image if trainer.image is None else trainer.image,
            command=node.command if trainer.command is None else tuple(trainer.command),
            args=node.args if trainer.args is None else tuple(trainer.args),
        )

    return with_trainers(info, change)


def with_trainers(info: Info, change: Callable[[Container], Container]) -> Info:
    """Passes the ``node`` container of every job labelled trainer through ``change``."""

    def visit(pod_set: PodSet) -> PodSet:
        node = pod_set.node if pod_set.ancestor == names.TRAINER else None
        return pod_set if node is None else pod_set.with_node(change(node))

    return info.with_pod_sets(visit)


def with_resources(info: Info, chosen: Callable[[PodSet], bool]) -> Info:
    """Merges resourcesPerNode into the ``node`` container of the pod sets ``chosen``."""
    spec = info.spec
    trainer = spec.job.trainer
    if trainer is None or trainer.resources is None:
        return info
    at = ("spec", "trainer", "resourcesPerNode")
    if spec.runtime.ml_policy is None and spec.compat.keeps("resources-need-policy"):
        message = "ignored, because the runtime has no mlPolicy"
        return info.with_quirk("resources-need-policy", at, message)
    wanted = trainer.resources
    keep_claims = not spec.compat.keeps("claims-lost")
    lost: list[Any] = list(wanted.get("claims") or ())

    def visit(pod_set: PodSet) -> PodSet:
        node = pod_set.node if chosen(pod_set) else None
        if node is None:
            return pod_set
        lost.extend(node.resources.get("claims", ()))
        resources = merged(node.resources, wanted, claims=keep_claims)
        return pod_set.with_node(node._replace(resources=resources))

    info = info.with_pod_sets(visit)
    return info.with_quirk("claims-lost", at, "resource claims are dropped") if lost else info


def _trains(pod_set: PodSet) -> bool:
    return pod_set.ancestor == names.TRAINER


def with_job_env(info: Info, chosen: Callable[[PodSet], bool] = _trains) -> Info:
    """Sets ``spec.trainer.env`` in the node of the pod sets chosen; by default of every trainer."""
    items = job_env(info)
    if not items:
        return info

    def visit(pod_set: PodSet) -> PodSet:
        node = pod_set.node if chosen(pod_set) else None
        return pod_set if node is None else pod_set.with_node(node.with_env(items))

    return info.with_pod_sets(visit)


def job_env(info: Info) -> list[Mapping[str, Any]]:
    """``spec.trainer.env`` as it is printed."""
    return [printed(item, info.spec.compat) for item in info.spec.job.env]
