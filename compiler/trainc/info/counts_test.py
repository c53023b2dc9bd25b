"""Counts are refused before objects are made of them."""

from __future__ import annotations

import pytest

from trainc.sample import REFERENCE, Refusal, compiled, replicated_job, runtime, trainjob

ALL = 2**31 - 1


def mpi(node: str = "", more: str = "", policy: str = "{mpi: {}}") -> str:
    jobs = replicated_job("launcher", label="trainer")
    return runtime(policy, jobs=jobs + replicated_job("node", label="", job=node, more=more))


def torch(policy: str = "{torch: {}}", job: str = "") -> str:
    return runtime(policy, jobs=replicated_job(job=job))


REFUSED = [
    Refusal("of a torch job", (trainjob(trainer=f"{{numNodes: {ALL}}}"), torch()),
            "spec.trainer.numNodes: must be at most 100000"),
    Refusal("of a plain job", (trainjob(trainer=f"{{numNodes: {ALL}}}"), torch("{numNodes: 1}")),
            "spec.trainer.numNodes: must be at most 100000"),
    Refusal("of a torch runtime", (trainjob(), torch(f"{{numNodes: {ALL}, torch: {{}}}}")),
            "spec.mlPolicy.numNodes: must be at most 100000"),
    Refusal("of an MPI job", (trainjob(trainer=f"{{numNodes: {ALL}}}"), mpi()),
            "spec.trainer.numNodes: must be at most 100000"),
    Refusal("of an MPI runtime", (trainjob(), mpi(policy=f"{{numNodes: {ALL}, mpi: {{}}}}")),
            "spec.mlPolicy.numNodes: must be at most 100000"),
    Refusal("of the workers' template", (trainjob(), mpi(node=f"parallelism: {ALL}")),
            f"spec.template: the job would list {ALL} hosts"),
    Refusal("of the workers' replicas", (trainjob(), mpi(more=f"replicas: {ALL}")),
            f"spec.template: the job would list {ALL} hosts"),
    Refusal("of replicas times nodes",
            (trainjob(trainer="{numNodes: 1000}"), mpi(more="replicas: 1000")),
            "spec.trainer.numNodes: the job would list 1000000 hosts"),
]  # fmt: skip


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_a_count_no_cluster_takes_is_refused(case: Refusal) -> None:
    made = compiled(*case.texts)
    assert not made.objects
    assert any(error.startswith(case.want) for error in made.errors), made.errors


@pytest.mark.parametrize("texts", [REFUSED[index].texts for index in (3, 5, 6, 7)])
def test_a_list_of_hosts_is_bounded_for_the_reference_too(texts: tuple[str, ...]) -> None:
    made = compiled(*texts, compat=REFERENCE)
    assert not made.objects
    assert "hosts" in made.errors[-1]


def test_a_job_that_is_not_indexed_takes_more() -> None:
    made = compiled(trainjob(trainer="{numNodes: 100001}"), torch(job="completionMode: NonIndexed"))
    assert (made.errors, made.count()) == ([], 100001)


def test_as_many_as_an_indexed_job_takes_are_compiled() -> None:
    assert compiled(trainjob(trainer="{numNodes: 100000}"), torch()).count() == 100000
