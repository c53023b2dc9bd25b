"""Replicated jobs alike for the checks, and those that are not."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest

from trainc.kube.validation.alike import likeness

FIELD = {"fieldRef": {"fieldPath": "metadata.name"}}
MOUNT = {"name": "data", "mountPath": "/data"}
VOLUME = {"name": "data", "emptyDir": {}}


def rjob(**changes: Any) -> dict[str, Any]:
    """A replicated job, its container's fields changed."""
    container = {
        "name": "node",
        "image": "example.com/a:1",
        "command": ["a"],
        "env": [{"name": "A", "value": "1"}, {"name": "B", "valueFrom": FIELD}],
        "resources": {"limits": {"cpu": "1"}},
        "volumeMounts": [MOUNT],
        **changes,
    }
    pod = {"containers": [container], "volumes": [VOLUME]}
    return {"name": "node", "template": {"spec": {"completions": 2, "template": {"spec": pod}}}}


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    changes: dict[str, Any]
    alike: bool


CASES = [
    TestCase("the same parts in new lists", {}, True),
    TestCase("another command", {"command": ["b", "c"]}, True),
    TestCase("another image", {"image": "example.com/b:2"}, True),
    TestCase("another value", {"env": [{"name": "A"}, {"name": "B", "valueFrom": FIELD}]}, True),
    TestCase("equal amounts", {"resources": {"limits": {"cpu": "1"}}}, True),
    TestCase("no image", {"image": ""}, False),
    TestCase("an image with a blank", {"image": "a "}, False),
    TestCase("another variable", {"env": [{"name": "C"}, {"name": "B", "valueFrom": FIELD}]},
             False),
    TestCase("a variable twice", {"env": [{"name": "A"}, {"name": "A", "valueFrom": FIELD}]},
             False),
    TestCase("another source",
             {"env": [{"name": "A"}, {"name": "B", "valueFrom": deepcopy(FIELD)}]}, False),
    TestCase("other amounts", {"resources": {"limits": {"cpu": "2"}}}, False),
    TestCase("amounts on another side", {"resources": {"requests": {"cpu": "1"}}}, False),
    TestCase("another mount", {"volumeMounts": [{**MOUNT, "mountPath": "/x"}]}, False),
    TestCase("a field more", {"tty": True}, False),
    TestCase("another name", {"name": "other"}, False),
    TestCase("a variable that is called like a field",
             {"env": [{"name": "A"}, {"name": "B", "valueFrom": FIELD}, {"name": "tty"}]}, False),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_likeness(case: TestCase) -> None:
    one, other = rjob(), rjob(**case.changes)
    assert (likeness(one) == likeness(other)) is case.alike


@pytest.mark.parametrize(
    "path",
    [("name",), ("template", "spec", "completions"), ("template", "spec", "template", "metadata"),
     ("template", "spec", "template", "spec", "restartPolicy"), ("template", "metadata")],
    ids=".".join,
)  # fmt: skip
def test_what_stands_around_the_containers_counts(path: tuple[str, ...]) -> None:
    other = rjob()
    node = other
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = {"labels": {"a": "b"}} if path[-1] == "metadata" else "other"
    assert likeness(rjob()) != likeness(other)
