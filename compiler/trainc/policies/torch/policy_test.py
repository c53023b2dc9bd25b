"""The torch policy: what each node is told, who else is told, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from trainc.sample import (
    REFERENCE,
    Compiled,
    Refusal,
    TestCase,
    compiled,
    replicated_job,
    runtime,
    trainjob,
)

GPUS = "resources: {limits: {nvidia.com/gpu: 4}}"
CPUS = "resources: {requests: {cpu: 2500m}}"


def nproc(made: Compiled) -> Any:
    return made.env()["PET_NPROC_PER_NODE"]


def inject(*containers: str, job: str = "node") -> str:
    names = ", ".join(containers)
    targets = f"[{{jobName: {job}, containerNames: [{names}]}}]"
    return f"{{numNodes: 2, torch: {{envInjection: {{targets: {targets}}}}}}}"


def with_side(policy: str) -> str:
    return runtime(policy) + '                - {name: side, image: "example.com/side:1"}\n'


CASES = [
    TestCase("every node is told of its peers", (trainjob(trainer="{numNodes: 3}"),
             runtime("{torch: {}}")), lambda made: made.env(), {
        "PET_NNODES": "3", "PET_NPROC_PER_NODE": "1",
        "PET_NODE_RANK": {"fieldRef": {"fieldPath":
            "metadata.annotations['batch.kubernetes.io/job-completion-index']"}},
        "PET_MASTER_ADDR": "m-node-0-0.m", "PET_MASTER_PORT": "29500"}),
    TestCase("the runtime counts where the job does not", (trainjob(),
             runtime("{numNodes: 5, torch: {}}")),
             lambda made: (made.env()["PET_NNODES"], made.count()), ("5", 5)),
    TestCase("the job counts over the runtime", (trainjob(trainer="{numNodes: 2}"),
             runtime("{numNodes: 5, torch: {}}")),
             lambda made: (made.env()["PET_NNODES"], made.count()), ("2", 2)),
    TestCase("GPUs make processes automatic", (trainjob(), runtime("{torch: {}}",
             jobs=replicated_job(container=GPUS))), nproc, "auto"),
    TestCase("CPUs make one process each, rounded up", (trainjob(), runtime("{torch: {}}",
             jobs=replicated_job(container=CPUS))), nproc, "3"),
    TestCase("the job's own number wins over GPUs", (trainjob(trainer="{numProcPerNode: 2}"),
             runtime("{torch: {}}", jobs=replicated_job(container=GPUS))), nproc, "2"),
    TestCase("a MIG slice is no GPU", (trainjob(), runtime("{torch: {}}", jobs=replicated_job(
             container="resources: {limits: {nvidia.com/mig-1g.5gb: 1}}"))), nproc, "1"),
    TestCase("the port is open", (trainjob(), runtime("{torch: {}}")),
             lambda made: made.container()["ports"],
             [{"containerPort": 29500, "protocol": "TCP"}]),
    TestCase("the job's env stands beside", (trainjob(trainer="{env: [{name: A, value: b}]}"),
             runtime("{torch: {}}")), lambda made: made.env()["A"], "b"),
    TestCase("the runtime's env keeps its place", (trainjob(trainer="{env: [{name: A, value: c}]}"),
             runtime("{torch: {}}", jobs=replicated_job(
                 container="env: [{name: A, value: b}, {name: Z, value: z}]"))),
             lambda made: list(made.env().items())[:2], [("A", "c"), ("Z", "z")]),
    TestCase("a target of envInjection is told too", (trainjob(), with_side(inject("side"))),
             lambda made: (made.env("side")["PET_NNODES"], "ports" in made.container("side")),
             ("2", False)),
    TestCase("a container beside is not told", (trainjob(), with_side("{torch: {}}")),
             lambda made: made.env("side"), {}),
]  # fmt: skip

REFUSALS = [
    *(
        Refusal(f"{name} is the policy's", (
            trainjob(trainer=f"{{env: [{{name: {name}, value: x}}]}}"), runtime("{torch: {}}")),
            f"spec.trainer.env: {name} is set by the torch policy")
        for name in ("PET_NNODES", "PET_NPROC_PER_NODE", "PET_NODE_RANK", "PET_MASTER_ADDR",
                     "PET_MASTER_PORT")
    ),
    Refusal("a target that is no container", (trainjob(), runtime(inject("nope"))),
            "spec.runtimeRef: mlPolicy.torch.envInjection of ClusterTrainingRuntime/rt names"),
    Refusal("a target in no job", (trainjob(), runtime(inject("side", job="nope"))),
            "spec.runtimeRef: "),
    Refusal("a reserved name without a trainer to read it", (
            trainjob(trainer="{env: [{name: PET_NNODES}]}"),
            runtime("{torch: {}}", jobs=replicated_job(label=""))), "spec.trainer.env: "),
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


def test_the_reference_tells_targets_even_without_a_trainer() -> None:
    made = compiled(trainjob(trainer=None), with_side(inject("side")), compat=REFERENCE)
    assert made.env("side")["PET_NNODES"] == "2"
    assert made.env() == {}
