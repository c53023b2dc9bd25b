"""Bytes of objects, counted as Go's encoder and the server's validation do."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from trainc.kube.size import annotated_size, size


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    text: str
    want: int


EMPTY = len('{"metadata":{"name":""}}')
CASES = [
    TestCase("letters", "abc", 3),
    TestCase("two bytes a letter", "éé", 4),
    TestCase("escaped for HTML", "a<b>&", 2 + 3 * len("\\u003c")),
    TestCase("a quote", '"', 2),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_object_has_its_bytes(case: TestCase) -> None:
    assert size({"metadata": {"name": case.text}}) == EMPTY + case.want


def test_annotations_count_beside_the_one_that_holds_the_object() -> None:
    manifest = {"metadata": {"name": "", "annotations": {"a": "bé"}}}
    applied = '{"metadata":{"name":"","annotations":{"a":"bé"}}}\n'
    key = "kubectl.kubernetes.io/last-applied-configuration"
    assert annotated_size(manifest) == len(key) + len(applied.encode()) + len("a") + len("bé") + 1
