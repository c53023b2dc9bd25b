from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from trainc.initializers.config import Ancestor, Config, Patterns, storage_uri
from trainc.initializers.patterns import Selection, select, selection
from trainc.initializers.provider import RemoteFile

SDK = ("*.msgpack", "*.h5", "*.bin", ".pt", ".pth")  # what Kubeflow's SDK sends in every job


def files(*paths: str, prefix: str = "") -> list[RemoteFile]:
    return [RemoteFile(path, f"{prefix}{path}", 1) for path in paths]


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    paths: tuple[str, ...]
    want: set[str]
    allow: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    weights: bool = False
    prefix: str = ""


@pytest.mark.parametrize(
    "case",
    [
        TestCase("no patterns take all", ("a", "b/c"), {"a", "b/c"}),
        TestCase("allow", ("a.txt", "b.csv"), {"a.txt"}, allow=("*.txt",)),
        TestCase("a star matches slashes", ("a/b/c.txt", "d"), {"a/b/c.txt"}, allow=("*.txt",)),
        TestCase("ignore beats allow", ("a.txt", "b.txt"), {"a.txt"}, ("*.txt",), ("b*",)),
        TestCase("a folder is all below it", ("a/b", "a/c/d", "ab"), {"ab"}, ignore=("a/",)),
        TestCase(
            "the whole key counts too", ("b.txt",), set(), ignore=("set/b.txt",), prefix="set/"
        ),
        TestCase("so does the path alone", ("b.txt",), set(), ignore=("b.txt",), prefix="set/"),
        TestCase("letters have their case", ("a.TXT",), {"a.TXT"}, ignore=("*.txt",)),
        TestCase("brackets are classes", ("a1", "ab"), {"ab"}, ignore=("a[0-9]",)),
        TestCase(
            "one set of weights is enough",
            ("m.safetensors", "m.bin", "m.json"),
            {"m.safetensors", "m.json"},
            weights=True,
        ),
        TestCase(
            "older weights where there are no others",
            ("m.bin", "m.pt", "m.json"),
            {"m.bin", "m.json"},
            weights=True,
        ),
        TestCase(
            "the oldest where there is nothing else",
            ("flax_model.msgpack", "m.json"),
            {"flax_model.msgpack", "m.json"},
            weights=True,
        ),
        TestCase(
            "weights that are asked for",
            ("m.safetensors", "m.bin", "m.json"),
            {"m.bin"},
            allow=("*.bin",),
            weights=True,
        ),
        TestCase("a model without weights", ("m.json",), {"m.json"}, weights=True),
    ],
    ids=lambda case: case.name,
)
def test_select(case: TestCase) -> None:
    wanted = Selection(case.allow, case.ignore, case.weights)
    chosen = select(files(*case.paths, prefix=case.prefix), wanted)
    assert {file.path for file in chosen} == case.want


def test_the_order_is_that_of_the_listing() -> None:
    chosen = select(files("b", "a", "c"), Selection((), ("c",)))
    assert [file.path for file in chosen] == ["b", "a"]


@pytest.mark.parametrize(
    ("ancestor", "given", "want"),
    [
        ("dataset", Patterns(), Selection((), ())),
        ("model", Patterns(), Selection((), (), weights=True)),
        ("model", Patterns(allow=("*.bin",)), Selection(("*.bin",), (), weights=True)),
        ("model", Patterns(ignore=()), Selection((), ())),
        ("model", Patterns(ignore=SDK), Selection((), (), weights=True)),
        ("model", Patterns(ignore=SDK[:4]), Selection((), SDK[:4])),
        ("dataset", Patterns(ignore=SDK), Selection((), SDK)),
        ("dataset", Patterns(("a",), ("b",)), Selection(("a",), ("b",))),
    ],
)
def test_selection(ancestor: Ancestor, given: Patterns, want: Selection) -> None:
    config = Config(storage_uri("x://y/z"), ancestor, Path("/t"), given)
    assert selection(config) == want


def test_one_line_says_what_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    select(files("m.safetensors", "m.bin", "m.h5", "m.json"), Selection((), ("*.json",), True))
    (record,) = caplog.records
    assert record.getMessage() == (
        "left out 3 of 4 files: 2 files, 2 B (older weights beside the same in a newer form: "
        "m.bin, m.h5); 1 files, 1 B (IGNORE_PATTERNS: m.json); IGNORE_PATTERNS= (empty) fetches all"
    )
