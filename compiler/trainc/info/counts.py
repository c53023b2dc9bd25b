"""Counts before objects: what a job asks for is bounded before anything is made of it.

In: a job whose nodes have their counts. Out: what is wrong with the counts. A policy may write a
line for every pod (the hostfile of MPI), so it must not run on a count that no cluster takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from trainc import codes
from trainc.errors import Problem
from trainc.info.info import Info
from trainc.info.podset import PodSet
from trainc.kube.validation.job import MAX_INDEXED
from trainc.spec.spec import runtime_problem
from trainc.spec.trainjob import Path

_OF_JOB: Path = ("spec", "trainer", "numNodes")
_OF_RUNTIME: Path = ("spec", "mlPolicy", "numNodes")


def too_many_nodes(info: Info) -> Iterator[Problem]:
    """The refusal of a ``numNodes`` over what an Indexed Job takes.

    Source: ``maxParallelismForIndexedJob`` in pkg/apis/batch/validation of Kubernetes. The same
    number in the template of a runtime is refused where the JobSet is checked.
    """
    if info.spec.compat.keeps("late-refusal") or not any(map(_is_too_large, info.pod_sets)):
        return
    trainer = info.spec.job.trainer
    message = f"must be at most {MAX_INDEXED}, the most Pods of an Indexed Job"
    if trainer is not None and (trainer.num_nodes or 0) > MAX_INDEXED:
        yield info.spec.problem(_OF_JOB, message, code=codes.COUNT)
    elif ((info.spec.runtime.ml_policy or {}).get("numNodes") or 0) > MAX_INDEXED:
        yield runtime_problem(info.spec.runtime, _OF_RUNTIME, message, code=codes.COUNT)


def _is_too_large(pod_set: PodSet) -> bool:
    if pod_set.count <= MAX_INDEXED:
        return False
    mode: str = pod_set.raw["template"]["spec"].get("completionMode", "Indexed")
    return mode == "Indexed"


def too_many_hosts(info: Info, pod_sets: Iterable[PodSet]) -> Iterator[Problem]:
    """The refusal of more host names than one job can list; holds for v2.3.0's output too.

    Args:
        info: The job.
        pod_sets: Those whose pods are listed by name.
    """
    hosts = sum(pod_set.count * pod_set.replicas for pod_set in pod_sets)
    if hosts <= MAX_INDEXED:
        return
    message = f"the job would list {hosts} hosts; at most {MAX_INDEXED} can be listed"
    trainer = info.spec.job.trainer
    if trainer is not None and trainer.num_nodes is not None:
        yield info.spec.problem(_OF_JOB, message, code=codes.COUNT)
    else:
        hint = "numNodes, or replicas and parallelism in the template, say how many"
        yield runtime_problem(
            info.spec.runtime, ("spec", "template"), message, hint=hint, code=codes.COUNT
        )
