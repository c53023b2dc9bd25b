"""Only our own fields move: what others set stays, what we printed before and no longer do goes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from trainc.diff.threeway import applied

Json = dict[str, Any]
LAST = "kubectl.kubernetes.io/last-applied-configuration"


def live(spec: Json, *, last: Json | None = None, owned: Json | None = None) -> Json:
    metadata: Json = {"name": "m", "uid": "1"}
    if last is not None:
        metadata["annotations"] = {LAST: json.dumps({"kind": "X", "metadata": {}, "spec": last})}
    if owned is not None:
        metadata["managedFields"] = [
            {"manager": "tool", "operation": "Apply", "fieldsV1": {"f:spec": owned}, "time": "2"},
            {"manager": "x", "operation": "Update", "fieldsV1": {"f:spec": {"f:late": {}}}},
        ]
    return {"kind": "X", "metadata": metadata, "spec": spec, "status": {"a": 1}}


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    live: Json
    new: Json
    want: Json


A = {"name": "a", "value": "1"}
B = {"name": "b", "value": "2"}
CASES = [
    TestCase("defaults stay", live({"a": 1, "d": 0}), {"a": 2}, {"a": 2, "d": 0}),
    TestCase(
        "kubectl applied it: what is gone goes",
        live({"a": 1, "b": 2, "d": 0}, last={"a": 1, "b": 2}),
        {"a": 1},
        {"a": 1, "d": 0},
    ),
    TestCase(
        "server-side: what is owned and gone goes",
        live({"a": 1, "b": 2, "late": 3}, owned={"f:a": {}, "f:b": {}}),
        {"a": 1},
        {"a": 1, "late": 3},
    ),
    TestCase(
        "items others added stay, ours that are gone go",
        live(
            {"env": [A, B, {"name": "c"}]},
            owned={"f:env": {'k:{"name":"a"}': {".": {}, "f:name": {}, "f:value": {}},
                             'k:{"name":"b"}': {".": {}, "f:name": {}}}},
        ),
        {"env": [A]},
        {"env": [A, {"name": "c"}]},
    ),
    TestCase(
        "defaults inside items stay",
        live({"ports": [{"containerPort": 1, "protocol": "TCP"}]}),
        {"ports": [{"containerPort": 1}]},
        {"ports": [{"containerPort": 1, "protocol": "TCP"}]},
    ),
    TestCase("scalar lists are ours", live({"args": ["a", "b"]}), {"args": ["c"]}, {"args": ["c"]}),
    TestCase("our order", live({"env": [A, B]}), {"env": [B, A]}, {"env": [B, A]}),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_applied(case: TestCase) -> None:
    manifest = {"kind": "X", "apiVersion": "v1", "metadata": {"name": "m"}, "spec": case.new}
    after = applied(case.live, manifest, "")
    assert after["spec"] == case.want
    assert after["metadata"]["uid"] == "1"
    assert after["status"] == {"a": 1}


def test_the_manager_that_is_named_counts() -> None:
    found = live({"a": 1, "b": 2}, owned={"f:a": {}, "f:b": {}})
    manifest = {"kind": "X", "metadata": {"name": "m"}, "spec": {"a": 1}}
    assert applied(found, manifest, "tool")["spec"] == {"a": 1}
    assert applied(found, manifest, "other")["spec"] == {"a": 1, "b": 2}


def test_the_marks_of_the_tool_stay() -> None:
    marks = {"argocd.argoproj.io/tracking-id": "a", "mine": "b"}
    owned: Json = {"f:metadata": {"f:annotations": {f"f:{key}": {} for key in marks}}, "f:spec": {}}
    found = live({"a": 1})
    entry = {"manager": "tool", "operation": "Apply", "fieldsV1": owned}
    found["metadata"] |= {"annotations": marks, "managedFields": [entry]}
    manifest = {"kind": "X", "metadata": {"name": "m", "annotations": {}}, "spec": {"a": 1}}
    left = applied(found, manifest, "")["metadata"]["annotations"]
    assert left == {"argocd.argoproj.io/tracking-id": "a"}
