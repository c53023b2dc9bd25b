"""What is changed in place and what is not; ``tests/cluster/diff_test.py`` proves it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from trainc.diff.mutability import refusals
from trainc.diff.settled import settled
from trainc.errors import field_path

Json = dict[str, Any]
POD: Json = {
    "metadata": {"labels": {"a": "b"}},
    "spec": {"containers": [{"name": "node", "image": "a:1"}], "nodeSelector": {"a": "b"}},
}
JOBSET: Json = {
    "apiVersion": "jobset.x-k8s.io/v1alpha2",
    "kind": "JobSet",
    "metadata": {"name": "m", "namespace": "n"},
    "spec": {
        "replicatedJobs": [{"name": "node", "template": {"spec": {"template": POD}}}],
        "failurePolicy": {"maxRestarts": 1},
    },
}
SECRET: Json = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "m"}, "data": {"a": "b"}}


def pod(manifest: Json) -> Json:
    found: Json = manifest["spec"]["replicatedJobs"][0]["template"]["spec"]["template"]
    return found


def held(manifest: Json) -> Json:
    return {**manifest, "spec": {**manifest["spec"], "suspend": True}}


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    old: Json
    change: Callable[[Json], Any]
    want: list[str]


JOBS = "spec.replicatedJobs"
CASES = [
    TestCase("nothing", JOBSET, lambda m: None, []),
    TestCase("an image", JOBSET,
             lambda m: pod(m)["spec"]["containers"][0].update(image="x"), [JOBS]),
    TestCase("a selector", JOBSET, lambda m: pod(m)["spec"].update(nodeSelector={}), [JOBS]),
    TestCase("a selector of a held job", held(JOBSET),
             lambda m: pod(m)["spec"].update(nodeSelector={"c": "d"}), []),
    TestCase("a selector while it is suspended", JOBSET,
             lambda m: (pod(m)["spec"].pop("nodeSelector"), m["spec"].update(suspend=True)), []),
    TestCase("an image of a held job", held(JOBSET),
             lambda m: pod(m)["spec"]["containers"][0].update(image="x"), [JOBS]),
    TestCase("restarts", JOBSET, lambda m: m["spec"]["failurePolicy"].update(maxRestarts=2),
             ["spec.failurePolicy"]),
    TestCase("no failure policy", JOBSET, lambda m: m["spec"].pop("failurePolicy"), []),
    TestCase("a manager", JOBSET, lambda m: m["spec"].update(managedBy="x.io/y"),
             ["spec.managedBy"]),
    TestCase("data of a Secret", SECRET, lambda m: m["data"].update(a="c"), []),
    TestCase("type of a Secret", SECRET, lambda m: m.update(type="x"), ["type"]),
    TestCase("data of an immutable Secret", {**SECRET, "immutable": True},
             lambda m: m["data"].update(a="c"), ["data"]),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_refusals(case: TestCase) -> None:
    new = copy.deepcopy(case.old)
    case.change(new)
    found = refusals(settled(case.old), settled(new, case.old))
    assert [field_path(each.path) for each in found] == case.want
    assert all(each.message and each.rule for each in found)
