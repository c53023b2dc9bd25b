from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from trainc.kube.gotypes import fields, normalise, with_quantities

ORACLE = Path(__file__).parents[3] / "tests" / "oracle" / "gotypes"


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    type_name: str
    given: Any
    want: Any


@pytest.mark.parametrize(
    "case",
    [
        TestCase("empty text goes", "Container", {"name": "a", "image": ""}, {"name": "a"}),
        TestCase("false goes", "PodSpec", {"hostNetwork": False}, {}),
        TestCase(
            "zero behind a pointer stays",
            "PodSpec",
            {"terminationGracePeriodSeconds": 0},
            {"terminationGracePeriodSeconds": 0},
        ),
        TestCase("an empty struct behind a pointer stays", "Volume",
                 {"name": "v", "emptyDir": {}}, {"name": "v", "emptyDir": {}}),
        TestCase("empty resources go", "Container", {"name": "a", "resources": {}}, {"name": "a"}),
        TestCase("quantities are canonical", "ResourceRequirements",
                 {"limits": {"cpu": 2, "memory": "1024Mi"}},
                 {"limits": {"cpu": "2", "memory": "1Gi"}}),
        TestCase("a divisor is always printed", "ResourceFieldSelector",
                 {"resource": "limits.cpu"}, {"resource": "limits.cpu", "divisor": "0"}),
        TestCase("unknown keys go", "Container", {"name": "a", "nonsense": 1}, {"name": "a"}),
        TestCase("the order is that of the declaration", "EnvVar",
                 {"value": "1", "name": "A"}, {"name": "A", "value": "1"}),
    ],
    ids=lambda case: case.name,
)  # fmt: skip
def test_normalise(case: TestCase) -> None:
    got = normalise(case.given, case.type_name)
    assert got == case.want
    assert list(got) == list(case.want)
    assert normalise(got, case.type_name) == got


@pytest.mark.parametrize(
    "case",
    [
        TestCase("numbers become text", "ResourceRequirements",
                 {"limits": {"a.io/gpu": 8, "cpu": "1000m"}},
                 {"limits": {"a.io/gpu": "8", "cpu": "1"}}),
        TestCase("empty text, zeroes and unknown keys stay", "EnvVar",
                 {"name": "A", "value": "", "x": 0}, {"name": "A", "value": "", "x": 0}),
        TestCase("a divisor is added", "EnvVar",
                 {"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
                 {"name": "A",
                  "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "0"}}}),
        TestCase("an integer written as a float", "Trainer", {"numNodes": 2.0}, {"numNodes": 2}),
        TestCase("a claim in a patch", "RuntimePatch",
                 {"trainingRuntimeSpec": {"template": {"spec": {"replicatedJobs": [
                     {"name": "node", "template": {"spec": {"template": {"spec": {"volumes": [
                         {"name": "v", "emptyDir": {"sizeLimit": 1024}}]}}}}}]}}}},
                 {"trainingRuntimeSpec": {"template": {"spec": {"replicatedJobs": [
                     {"name": "node", "template": {"spec": {"template": {"spec": {"volumes": [
                         {"name": "v", "emptyDir": {"sizeLimit": "1024"}}]}}}}}]}}}}),
    ],
    ids=lambda case: case.name,
)  # fmt: skip
def test_with_quantities_changes_what_a_typed_round_trip_changes(case: TestCase) -> None:
    assert repr(with_quantities(case.given, case.type_name)) == repr(case.want)


def test_two_types_of_one_name_are_told_apart() -> None:
    assert "operator" in fields("SuccessPolicy")
    assert "rules" in fields("JobSuccessPolicy")


@pytest.mark.programs
def test_the_table_is_what_the_reference_has() -> None:
    if shutil.which("go") is None:
        pytest.skip("no Go toolchain")
    done = subprocess.run(
        ["go", "run", "."], cwd=ORACLE, capture_output=True, text=True, timeout=600, check=False
    )
    if done.returncode != 0 and "dial tcp" in done.stderr:
        pytest.skip("no Go module proxy")
    assert done.returncode == 0, done.stderr
    assert done.stdout == (Path(__file__).parent / "gotypes.json").read_text(encoding="utf-8")
