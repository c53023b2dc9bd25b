"""What may not change between two versions of an object is told apart from what may."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from trainc.source.document import Document
from trainc.source.parse import parse
from trainc.spec.schema import check, default
from trainc.spec.transition import check_transition

JOB = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata:
  name: m
spec:
  runtimeRef:
    name: torch
"""
TRAINER = "  trainer:\n    numNodes: 2\n    env: [{name: A, value: a}, {name: B}]\n"
PATCHES = """\
  runtimePatches:
  - manager: a.io/one
    trainingRuntimeSpec:
      template:
        spec:
          replicatedJobs:
          - name: node
            template:
              spec:
                template:
                  spec:
                    nodeSelector: {zone: a}
                    containers: [{name: node}]
  - manager: a.io/two
"""


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    old: str
    new: str
    want: list[str]


CONTAINERS = (
    "spec.runtimePatches[{}].trainingRuntimeSpec.template.spec.replicatedJobs[0]"
    ".template.spec.template.spec.containers"
)
CASES = [
    TestCase(name="nothing changed", old=TRAINER, new=TRAINER, want=[]),
    TestCase(
        name="the trainer changed",
        old=TRAINER,
        new=TRAINER.replace("2", "3"),
        want=["8:3: spec.trainer: field is immutable"],
    ),
    TestCase(
        name="the order of a list that is a map does not count",
        old=TRAINER,
        new=TRAINER.replace("{name: A, value: a}, {name: B}", "{name: B}, {name: A, value: a}"),
        want=[],
    ),
    TestCase(
        name="the order of any other list does",
        old="  trainer: {args: [a, b]}\n",
        new="  trainer: {args: [b, a]}\n",
        want=["8:3: spec.trainer: field is immutable"],
    ),
    TestCase(name="a field that is new slips through", old="", new=TRAINER, want=[]),
    TestCase(name="a field that is gone slips through", old=TRAINER, new="", want=[]),
    TestCase(name="suspend changes freely", old="", new="  suspend: true\n", want=[]),
    TestCase(
        name="another runtime",
        old="",
        new="    kind: TrainingRuntime\n",
        want=["6:3: spec.runtimeRef: field is immutable"],
    ),
    TestCase(
        name="containers of a patch, found by its manager and its job",
        old=PATCHES,
        new=(
            PATCHES.replace("  - manager: a.io/two\n", "")
            .replace("  - manager: a.io/one", "  - manager: a.io/two\n  - manager: a.io/one")
            .replace("[{name: node}]", "[{name: node, env: [{name: A}]}]")
        ),
        want=[f"21:21: {CONTAINERS.format(1)}: field is immutable"],
    ),
    TestCase(
        name="what a patch may change",
        old=PATCHES,
        new=PATCHES.replace("zone: a", "zone: b").replace("  - manager: a.io/two\n", ""),
        want=[],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_check_transition_names_what_changed(case: TestCase) -> None:
    problems = check_transition(_read(case.old), _read(case.new), "TrainJob")
    got = [f"{p.mark.line}:{p.mark.column}: {p.field}: {p.message}" for p in problems if p.mark]
    assert got == case.want


def _read(more: str) -> Document:
    documents, _ = parse((JOB + more).encode(), "job.yaml")
    assert check(documents[0], "TrainJob") == []
    default(documents[0], "TrainJob")
    return documents[0]
