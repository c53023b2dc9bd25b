"""Variables stand before those that refer to them, as far as no author wrote another order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from trainc import build
from trainc.info.reference import _sorted, references


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    env: str  # NAME=VALUE, in order
    want: str  # names, in order
    job: str = ""  # names that the job wrote, in its order
    runtime: str = ""


CASES = [
    TestCase("nothing refers", "A=1 B=2", "A B"),
    TestCase("in order", "A=1 B=$(A)", "A B"),
    TestCase("of a policy", "A=$(P) P=1", "P A", job="A"),
    TestCase("of a policy, twice", "A=$(Q)$(P) P=1 Q=2", "Q P A", job="A"),
    TestCase("the others stay", "X=1 A=$(P) Y=2 P=1 Z=3", "X P A Y Z", job="A", runtime="X"),
    TestCase("the job's own order", "A=$(B) B=1", "A B", job="A B"),
    TestCase("the runtime's own order", "A=$(B) B=1", "A B", runtime="A B"),
    TestCase("of the job, in the runtime", "A=$(B) B=1", "B A", job="B", runtime="A"),
    TestCase("of the job, written over", "A=$(B) X=0 B=1", "B A X", job="B A", runtime="A X"),
    TestCase("along", "A=$(B) B=$(C) C=1", "C B A", job="A C", runtime="B"),
    TestCase("in a circle", "A=$(B) B=$(A)", "B A", job="A", runtime="B"),
    TestCase("of itself", "A=$(A)", "A"),
    TestCase("escaped", "A=$$(P) P=1", "A P", job="A"),
    TestCase("not there", "A=$(X) B=1", "A B", job="A"),
    TestCase("twice the same", "A=$(P) P=1 P=2", "A P P", job="A"),
    TestCase("deep", " ".join(f"V{n}=$(V{n + 1})" for n in range(3000)) + " V3000=1",
             " ".join(f"V{n}" for n in reversed(range(3001)))),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_order(case: TestCase) -> None:
    pairs = (item.split("=", 1) for item in case.env.split())
    env = tuple({"name": name, "value": value} for name, value in pairs)
    authors = [{name: n for n, name in enumerate(names.split())}
               for names in (case.job, case.runtime)]  # fmt: skip
    assert " ".join(item["name"] for item in _sorted(env, authors)) == case.want


def test_references() -> None:
    assert [*references("$(A) $$(B) $$$(C) $(D $() $(E.F)$(G)")] == ["A", "C", "E.F", "G"]


FILE = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata: {name: llm}
spec:
  runtimeRef: {name: own}
  trainer:
    numNodes: 2
    env: [{name: WORLD_SIZE, value: $(PET_NNODES)}]
---
apiVersion: trainer.kubeflow.org/v1alpha1
kind: ClusterTrainingRuntime
metadata: {name: own}
spec:
  mlPolicy: {torch: {}}
  template:
    spec:
      replicatedJobs:
      - name: node
        template:
          metadata:
            labels: {trainer.kubeflow.org/trainjob-ancestor-step: trainer}
          spec:
            template:
              spec:
                containers: [{name: node, image: "example.com/llm:1.0"}]
"""


@pytest.mark.parametrize(("compat", "first"), [(None, "PET_NNODES"), ("v2.3.0", "WORLD_SIZE")])
def test_a_policys_variables_come_first_but_under_compat(
    compat: Literal["v2.3.0"] | None, first: str, tmp_path: Path
) -> None:
    (tmp_path / "job.yaml").write_text(FILE)
    built = build(tmp_path / "job.yaml", compat=compat)
    (jobset,) = (each for each in built.objects if each["kind"] == "JobSet")
    pod = jobset["spec"]["replicatedJobs"][0]["template"]["spec"]["template"]["spec"]
    names = [item["name"] for item in pod["containers"][0]["env"]]
    assert names[0] == first
