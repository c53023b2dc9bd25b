"""Differences are told at the leaf, items of lists paired by what Kubernetes knows them by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from trainc.diff.change import ABSENT, Field
from trainc.diff.fields import Redacted, differences


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    old: Any
    new: Any
    want: list[Field]


CASES = [
    TestCase("nothing", {"a": [1, {"b": 2}]}, {"a": [1, {"b": 2}]}, []),
    TestCase("a leaf", {"a": {"b": 1}}, {"a": {"b": 2}}, [Field(("a", "b"), 1, 2)]),
    TestCase("a new key", {}, {"a": {"b": 1}}, [Field(("a",), ABSENT, {"b": 1})]),
    TestCase("a key that is gone", {"a": 1}, {}, [Field(("a",), 1, ABSENT)]),
    TestCase("null is a value", {"a": None}, {}, [Field(("a",), None, ABSENT)]),
    TestCase("true is not one", {"a": 1}, {"a": True}, [Field(("a",), 1, True)]),
    TestCase(
        "lists of one length by index",
        {"args": ["a", "b"]},
        {"args": ["a", "c"]},
        [Field(("args", 1), "b", "c")],
    ),
    TestCase(
        "lists of two lengths whole",
        {"args": ["a"]},
        {"args": ["a", "b"]},
        [Field(("args",), ["a"], ["a", "b"])],
    ),
    TestCase(
        "items by name, at their new place",
        {"env": [{"name": "A", "value": "1"}]},
        {"env": [{"name": "B", "value": "2"}, {"name": "A", "value": "3"}]},
        [
            Field(("env", 0), ABSENT, {"name": "B", "value": "2"}, "B"),
            Field(("env", 1, "value"), "1", "3", "A"),
        ],
    ),
    TestCase(
        "an item that is gone, at its old place",
        {"env": [{"name": "A"}, {"name": "B"}]},
        {"env": [{"name": "A"}]},
        [Field(("env", 1), {"name": "B"}, ABSENT, "B")],
    ),
    TestCase(
        "another order",
        {"env": [{"name": "A"}, {"name": "B"}]},
        {"env": [{"name": "B"}, {"name": "A"}]},
        [Field(("env",), ["A", "B"], ["B", "A"], "order")],
    ),
    TestCase(
        "mounts by path: two of one volume",
        {"m": [{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/b"}]},
        {"m": [{"name": "v", "mountPath": "/a"}, {"name": "w", "mountPath": "/b"}]},
        [Field(("m", 1, "name"), "v", "w", "/b")],
    ),
    TestCase(
        "one port of two protocols",
        {"p": [{"containerPort": 1, "protocol": "TCP"}]},
        {"p": [{"containerPort": 1, "protocol": "TCP"}, {"containerPort": 1, "protocol": "UDP"}]},
        [Field(("p", 1), ABSENT, {"containerPort": 1, "protocol": "UDP"}, "1/UDP")],
    ),
    TestCase(
        "items that no key tells apart",
        {"t": [{"key": "a"}]},
        {"t": [{"key": "b"}]},
        [Field(("t", 0, "key"), "a", "b")],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_differences(case: TestCase) -> None:
    assert differences(case.old, case.new) == tuple(case.want)


def test_values_of_secrets_are_hidden_wherever_they_stand() -> None:
    old = {"kind": "Secret", "data": {"a": "c2VjcmV0"}, "type": "Opaque"}
    new = {"kind": "Secret", "data": {"a": "b3RoZXI="}, "stringData": {"b": "x"}, "type": "y"}
    found = differences(old, new)
    assert "c2VjcmV0" not in repr(found) and "b3RoZXI" not in repr(found)
    assert found == (
        Field(("data", "a"), Redacted("(hidden)"), Redacted("(hidden)")),
        Field(("stringData",), ABSENT, Redacted("(hidden)")),
        Field(("type",), "Opaque", "y"),
    )
