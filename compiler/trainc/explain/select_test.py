"""A PATH is any run of steps; what is not there is answered with what is."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from trainc.explain.select import selected, unknown
from trainc.explain.setting import Setter, Setting


def setting(label: str, *names: str) -> Setting:
    """Names with slashes between their steps: a step may have dots."""
    steps = tuple(tuple(name.split("|")) for name in names)
    return Setting(label, "", Setter("default"), steps, group="job node", label=label)


POD = "spec|replicatedJobs|node|template|containers|node"
SETTINGS = [
    setting("image", f"{POD}|image", "spec|replicatedJobs|0|template|containers|0|image",
            "spec|trainer|image"),
    setting("env FOO", f"{POD}|env|FOO", "spec|trainer|env|FOO"),
    setting("gpu", f"{POD}|resources|limits|nvidia.com/gpu"),
    setting("label", "metadata|labels|trainer.kubeflow.org/image"),
]  # fmt: skip


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    path: str
    want: list[str]


CASES = [
    TestCase("a whole path", "spec.replicatedJobs[node].template.containers[node].image",
             ["image"]),
    TestCase("by index", "spec.replicatedJobs[0].template.containers[0].image", ["image"]),
    TestCase("of the TrainJob", "trainer.env.FOO", ["env FOO"]),
    TestCase("brackets are dots", "env[FOO]", ["env FOO"]),
    TestCase("all below", "containers[node]", ["image", "env FOO", "gpu"]),
    TestCase("a step with dots", "limits.nvidia.com/gpu", ["gpu"]),
    TestCase("no half of a step", "kubeflow.org/image", []),
    TestCase("no beginning of a step", "ima", []),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_selected(case: TestCase) -> None:
    assert [each.label for each in selected(SETTINGS, case.path)] == case.want


@pytest.mark.parametrize(
    "case",
    [
        TestCase("a neighbour", "trainer.env.FO", ["trainer.env has: FOO"]),
        TestCase("further up", "trainer.nothing.at.all", ["trainer has: env, image"]),
        TestCase("a word like it", "imgae", ["did you mean image?"]),
        TestCase("nothing like it", "xyzzy", ["there are: env, gpu, image, label"]),
    ],
    ids=lambda case: case.name,
)
def test_unknown(case: TestCase) -> None:
    problem = unknown(SETTINGS, case.path, "TrainJob m")
    assert problem.message == f"TrainJob m has no setting at {case.path!r}"
    assert [problem.hint] == case.want
