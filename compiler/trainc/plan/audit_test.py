"""What the API server would refuse later is told where it can be mended."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

import trainc
from trainc.sample import runtime, trainjob


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    job: str
    place: tuple[str, str]
    says: str


LONG = "a" * 56
CASES = [
    TestCase(
        name="a name that is too long for the Pods",
        job=trainjob().replace("name: m,", f"name: {LONG},"),
        place=(f"TrainJob/{LONG}", "metadata.name"),
        says="shorten the TrainJob's name by ",
    ),
    TestCase(
        name="a request above its limit",
        job=trainjob(trainer="{resourcesPerNode: {requests: {cpu: 2}, limits: {cpu: 1}}}"),
        place=("TrainJob/m", "spec.trainer.resourcesPerNode.requests.cpu"),
        says="",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_refusal_is_told_where_it_can_be_mended(case: TestCase) -> None:
    (problem,) = trainc.build([case.job, runtime("{numNodes: 2, torch: {}}")]).problems
    assert (problem.object, problem.field) == case.place
    assert case.says in problem.hint
    assert problem.mark and problem.mark.file == "<source 0>"
