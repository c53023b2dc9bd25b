"""The xgboost policy."""

from __future__ import annotations

from typing import Any

import pytest

from trainc.sample import (
    Compiled,
    Refusal,
    TestCase,
    compiled,
    replicated_job,
    runtime,
    trainjob,
)

GPUS = "resources: {requests: {nvidia.com/gpu: 2}, limits: {nvidia.com/gpu: 2}}"


def workers(made: Compiled) -> Any:
    return made.env()["DMLC_NUM_WORKER"]


CASES = [
    TestCase("every node knows the tracker", (trainjob(trainer="{numNodes: 2}"),
             runtime("{xgboost: {}}")), lambda made: made.env(), {
        "DMLC_TRACKER_URI": "m-node-0-0.m", "DMLC_TRACKER_PORT": "29500",
        "DMLC_NUM_WORKER": "2",
        "DMLC_TASK_ID": {"fieldRef": {"fieldPath":
            "metadata.annotations['batch.kubernetes.io/job-completion-index']"}}}),
    TestCase("a worker for each GPU", (trainjob(trainer="{numNodes: 3}"), runtime("{xgboost: {}}",
             jobs=replicated_job(container=GPUS))), workers, "6"),
    TestCase("numProcPerNode counts no workers", (
             trainjob(trainer="{numNodes: 3, numProcPerNode: 4}"), runtime("{xgboost: {}}")),
             workers, "3"),
    TestCase("the job's env stands beside", (trainjob(trainer="{env: [{name: A, value: b}]}"),
             runtime("{xgboost: {}}")), lambda made: made.env()["A"], "b"),
]  # fmt: skip

REFUSALS = [
    Refusal(f"{name} is the policy's", (
        trainjob(trainer=f"{{env: [{{name: A}}, {{name: {name}, value: x}}]}}"),
        runtime("{xgboost: {}}")), f"spec.trainer.env[1]: {name} is set by the xgboost policy")
    for name in ("DMLC_TRACKER_URI", "DMLC_TRACKER_PORT", "DMLC_TASK_ID", "DMLC_NUM_WORKER")
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_compiles(case: TestCase) -> None:
    made = compiled(*case.texts)
    assert not made.errors
    assert case.look(made) == case.want


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case.name)
def test_refuses(case: Refusal) -> None:
    made = compiled(*case.texts)
    assert [e for e in made.errors if e.startswith(case.want)], made.errors
    assert not made.objects
