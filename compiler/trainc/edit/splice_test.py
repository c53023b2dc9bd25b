"""What a splice touches, and what it leaves letter by letter."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from trainc.edit.migration.objects import comments_in
from trainc.edit.outline import Node, UnreadableError, outlines
from trainc.edit.splice import Path, Splice, Splicer, spliced


@dataclass(frozen=True)
class TestCase:
    """A text, the change of one entry, and the text afterwards."""

    __test__ = False
    name: str
    text: str
    path: Path
    want: str
    keys: tuple[str, ...] = ()


def root_of(text: str) -> Node:
    """The first document of a text."""
    return outlines(text)[0].root


REMOVED = [
    TestCase("a line", "a: 1\nb:   2\nc: 3 # c\n", (), "a: 1\nc: 3 # c\n", ("b",)),
    TestCase("the last line, which has no end", "a: 1\nb: 2", (), "a: 1\n", ("b",)),
    TestCase("a comment stays", "a: 1\nb: 2  # why\nc: 3\n", (), "a: 1\n# why\nc: 3\n", ("b",)),
    TestCase("a deeper comment goes along", "m:\n  a:\n    b: 1\n    # of b\n  c: 2\n", ("m",),
             "m:\n  # of b\n  c: 2\n", ("a",)),
    TestCase("a comment of the next entry is not touched", "a: 1\n# of b\nb: 2\n", (),
             "# of b\nb: 2\n", ("a",)),
    TestCase("Windows' line ends", "a: 1\r\nb: 2 # c\r\nc: 3\r\n", (),
             "a: 1\r\n# c\r\nc: 3\r\n", ("b",)),
    TestCase("all entries leave an empty map", "m:\n  a: 1\n  b: 2\nn: 3\n", ("m",),
             "m: {}\nn: 3\n", ("a", "b")),
    TestCase("the first between braces", "m: {a: 1, b: 2,  c: 3}\n", ("m",),
             "m: {b: 2,  c: 3}\n", ("a",)),
    TestCase("the last between braces", "m: {a: 1, b: 2,  c: 3}\n", ("m",),
             "m: {a: 1, b: 2}\n", ("c",)),
    TestCase("first and last between braces", "m: {a: 1, b: 2, c: 3}\n", ("m",),
             "m: {b: 2}\n", ("a", "c")),
    TestCase("all between braces", "m: {a: 1, b: 2}\n", ("m",), "m: {}\n", ("a", "b")),
]  # fmt: skip


@pytest.mark.parametrize("case", REMOVED, ids=lambda case: case.name)
def test_remove_takes_only_the_entries(case: TestCase) -> None:
    splices = Splicer(case.text).remove(root_of(case.text), case.path, case.keys, comments_in)
    assert spliced(case.text, splices) == case.want


ADDED = [
    TestCase("at the end of a map", "m:\n    a: 1\nn: 2\n", ("m",),
             "m:\n    a: 1\n    k: v\nn: 2\n"),
    TestCase("behind a line without end", "m:\n  a: 1", ("m",), "m:\n  a: 1\n  k: v"),
    TestCase("Windows' line ends", "m:\r\n  a: 1\r\n", ("m",), "m:\r\n  a: 1\r\n  k: v\r\n"),
    TestCase("between braces", "m: {a: 1 }\n", ("m",), "m: {a: 1, k: v }\n"),
    TestCase("between empty braces", "m: {}\n", ("m",), "m: {k: v}\n"),
]  # fmt: skip


@pytest.mark.parametrize("case", ADDED, ids=lambda case: case.name)
def test_add_puts_an_entry_last(case: TestCase) -> None:
    splice = Splicer(case.text).add(root_of(case.text), case.path, "k", "v")
    assert spliced(case.text, [splice]) == case.want


@pytest.mark.parametrize("text", ["m: 1\n", "m:\n- a\n", "m:\n", "a: &x {}\nm: *x\n"])
def test_add_refuses_what_is_no_map(text: str) -> None:
    with pytest.raises(UnreadableError):
        Splicer(text).add(root_of(text), ("m",), "k", "v")


REPLACED = [
    TestCase("in a block", "a: 1\nm:\n  b:\n    c: 1\n  d: 2\n", ("m", "b"),
             "a: 1\nm:\n  new: 2\n  d: 2\n"),
    TestCase("the last line, which has no end", "a: 1\nb: 2", ("b",), "a: 1\nnew: 0"),
    TestCase("Windows' line ends", "a: 1\r\nb: 2\r\n", ("a",), "new: 0\r\nb: 2\r\n"),
    TestCase("between braces", "m: {a: [1, 2], b: 3} # c\n", ("m", "a"), "m: {flow, b: 3} # c\n"),
]  # fmt: skip


@pytest.mark.parametrize("case", REPLACED, ids=lambda case: case.name)
def test_replace_writes_at_the_same_place(case: TestCase) -> None:
    splicer = Splicer(case.text)
    splice = splicer.replace(
        root_of(case.text), case.path, lambda n: f"{' ' * n}new: {n}\n", lambda: "flow"
    )
    assert spliced(case.text, [splice]) == case.want


@dataclass(frozen=True)
class Refusal:
    """A map that cannot lose an entry in place."""

    name: str
    text: str
    path: Path
    key: str


@pytest.mark.parametrize(
    "case",
    [
        Refusal("by an alias", "a: &x {k: 1}\nb: *x\n", ("b",), "k"),
        Refusal("by a merge", "a: &x {k: 1}\nb:\n  <<: *x\n", ("b",), "k"),
        Refusal("with a question mark", "? a\n: k: 1\n", ("a",), "k"),
        Refusal("on the line of a dash", "l:\n- k: 1\n  j: 2\n", ("l", 0), "k"),
        Refusal("nothing would be left of the document", "k: 1\n", (), "k"),
        Refusal("an anchor on what would be empty", "m: &x\n  k: 1\n", ("m",), "k"),
        Refusal("not there", "m:\n  a: 1\n", ("m",), "k"),
    ],
    ids=lambda case: case.name,
)
def test_what_is_not_written_in_place_is_refused(case: Refusal) -> None:
    with pytest.raises(UnreadableError):
        Splicer(case.text).remove(root_of(case.text), case.path, [case.key], comments_in)


def test_spliced_takes_splices_in_any_order() -> None:
    splices = [Splice(4, 5, "E"), Splice(0, 1, ""), Splice(2, 2, "-")]
    assert spliced("abcdef", splices) == "b-cdEf"
