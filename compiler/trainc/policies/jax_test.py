"""The jax policy."""

from __future__ import annotations

import pytest

from trainc.sample import (
    REFERENCE,
    TestCase,
    compiled,
    runtime,
    trainjob,
)

CASES = [
    TestCase("every node knows the coordinator", (trainjob(trainer="{numNodes: 3}"),
             runtime("{jax: {}}")), lambda made: made.env(), {
        "JAX_NUM_PROCESSES": "3", "JAX_COORDINATOR_ADDRESS": "m-node-0-0.m:29500",
        "JAX_PROCESS_ID": {"fieldRef": {"fieldPath":
            "metadata.annotations['batch.kubernetes.io/job-completion-index']"}}}),
    TestCase("the job's env has the last word, in place", (
             trainjob(trainer="{env: [{name: B, value: c}, {name: JAX_NUM_PROCESSES, value: 9}]}"
                      .replace("9", "'9'")), runtime("{jax: {}}")),
             lambda made: list(made.env())[0::3] + [made.env()["JAX_NUM_PROCESSES"]],
             ["JAX_NUM_PROCESSES", "B", "9"]),
    TestCase("processes of a node are JAX's own matter", (
             trainjob(trainer="{numProcPerNode: 8}"), runtime("{numNodes: 2, jax: {}}")),
             lambda made: made.env()["JAX_NUM_PROCESSES"], "2"),
    TestCase("the port is open", (trainjob(), runtime("{jax: {}}")),
             lambda made: made.container()["ports"],
             [{"containerPort": 29500, "protocol": "TCP"}]),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_compiles(case: TestCase) -> None:
    made = compiled(*case.texts)
    assert not made.errors
    assert case.look(made) == case.want


def test_the_reference_leaves_a_job_without_trainer_alone() -> None:
    made = compiled(trainjob(trainer=None), runtime("{jax: {}}"), compat=REFERENCE)
    assert made.env() == {}
    assert "ports" not in made.container()
