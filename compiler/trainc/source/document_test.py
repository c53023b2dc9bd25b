from dataclasses import dataclass

import pytest

from trainc.errors import Mark, field_path
from trainc.source.document import Document, pack, unpack
from trainc.source.parse import parse

TEXT = b"""\
# a job
kind: TrainJob
apiVersion: v1
metadata: {name: m, namespace: [n]}
spec:
  env:
    - name: A
    - name: B
      value: "1"
"""


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    path: tuple[str | int, ...]
    want: tuple[int, int]


def a_document() -> Document:
    (document,), _ = parse(TEXT, "f.yaml")
    return document


@pytest.mark.parametrize(
    "case",
    [
        TestCase((), (2, 1)),
        TestCase(("kind",), (2, 1)),
        TestCase(("metadata", "name"), (4, 12)),
        TestCase(("spec", "env"), (6, 3)),
        TestCase(("spec", "env", 1), (8, 7)),
        TestCase(("spec", "env", 1, "value"), (9, 7)),
        TestCase(("spec", "env", 1, "nope"), (8, 7)),
        TestCase(("spec", "env", 2, "name"), (6, 3)),
        TestCase(("spec", "env", -1), (6, 3)),
        TestCase(("spec", "env", "0"), (6, 3)),
        TestCase(("spec", 0), (5, 1)),
        TestCase(("kind", "x"), (2, 1)),
        TestCase(("nope",), (2, 1)),
    ],
    ids=lambda case: field_path(case.path),
)
def test_mark_is_the_entry_or_its_nearest_ancestor(case: TestCase) -> None:
    assert a_document().mark(case.path) == Mark("f.yaml", *case.want)


def test_mark_of_follows_a_container_that_was_moved() -> None:
    document = a_document()
    moved = {"else": document.root["spec"]["env"]}
    assert document.mark_of(moved["else"][1], "value") == Mark("f.yaml", 9, 7)
    assert document.mark_of(moved["else"], 0) == Mark("f.yaml", 7, 7)
    assert document.mark_of(moved, "else") is None
    assert document.mark_of("kind", 0) is None


def test_entries_added_later_have_no_place() -> None:
    document = a_document()
    document.root["status"] = {}
    assert document.mark_of(document.root, "status") is None
    assert document.mark(("status", "x")) == Mark("f.yaml", 2, 1)


def test_what_an_object_is_called() -> None:
    document = a_document()
    names = (document.kind, document.api_version, document.name, document.namespace)
    assert names == ("TrainJob", "v1", "m", "")
    assert document.label == "TrainJob/m"
    assert repr(document) == "<Document f.yaml#0 TrainJob/m>"
    assert Document("f", 0, [1], {}, 0).label == "/"


@pytest.mark.parametrize(("line", "column"), [(1, 1), (70_000_000, 4095), (7, 4094)])
def test_pack_keeps_places(line: int, column: int) -> None:
    assert unpack("f", pack(line, column)) == Mark("f", line, column)
    assert unpack("f", pack(line, column + 5000)) == Mark("f", line, 4095)


def test_field_path() -> None:
    path = ("spec", "env", 1, "labels", "app.kubernetes.io/name")
    assert field_path(path) == "spec.env[1].labels.app.kubernetes.io/name"
    assert field_path(()) == ""
    assert field_path((0, "a")) == "[0].a"
