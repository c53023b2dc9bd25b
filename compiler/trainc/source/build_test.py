from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from trainc.source.document import Document
from trainc.source.parse import parse


def test_an_alias_is_a_copy() -> None:
    (document,), _ = parse(b"a: &x {b: [1]}\nc: *x\n", "f.yaml")
    document.root["c"]["b"].append(2)
    assert document.root["a"] == {"b": [1]}


def test_a_place_behind_the_columns_that_are_kept() -> None:
    text = f"{{{'a' * 900}: 1, {' ' * 9_000}b: {{c: 1}}}}"
    (document,), _ = parse(text.encode(), "f.yaml")
    assert document.mark(("b",))[1:] == (1, 4095)
    assert document.mark(("b", "c"))[1:] == (1, 4095)


def test_places_of_merged_and_aliased_entries_are_where_they_were_written() -> None:
    text = "a: &x\n  b: 1\n  c: [1, {d: 2}]\ne:\n  <<: *x\n  f: 1\ng: *x\n"
    (document,), _ = parse(text.encode(), "f.yaml")
    assert document.root["e"] == {"f": 1, "b": 1, "c": [1, {"d": 2}]}
    assert document.mark(("e", "f"))[1:] == (6, 3)
    assert document.mark(("e", "b"))[1:] == (2, 3)
    assert document.mark(("e", "c", 1, "d"))[1:] == (3, 11)
    assert document.mark(("g",))[1:] == (7, 1)
    assert document.mark(("g", "c", 1))[1:] == (3, 10)


def test_refused_entries_leave_no_places_behind() -> None:
    text = "a: &x {b: 1}\na: [{c: 1}]\nd: {<<: *x}\n"
    (document,), _ = parse(text.encode(), "f.yaml")
    assert document.root == {"a": {"b": 1}, "d": {"b": 1}}
    assert set(document.marks) == {id(node) for node in containers(document.root)}


@pytest.mark.parametrize("letter", ["\u0085", "\u2028", "\u2029"])
def test_lines_are_those_of_an_editor(letter: str) -> None:
    text = f"a: 'x{letter}y'  \nb: 1\nc: ['{letter}', d]\ne: [1\n"
    documents, problems = parse(text.encode(), "f.yaml")
    assert not documents
    assert problems[0].mark is not None
    assert problems[0].mark.line == 5
    (document,), _ = parse(text.rpartition("e:")[0].encode(), "f.yaml")
    assert document.mark(("b",))[1:] == (2, 1)
    assert document.mark(("c",))[1:] == (3, 1)
    assert document.mark(("c", 1))[1:] == (3, 10)


def containers(node: Any) -> list[Any]:
    if isinstance(node, dict):
        return [node, *(inner for item in node.values() for inner in containers(item))]
    if isinstance(node, list):
        return [node, *(inner for item in node for inner in containers(item))]
    return []


def check_places(text: str, document: Document) -> None:
    """Every place is where the key, or the item, is written."""
    lines = text.split("\n")
    for node in containers(document.root):
        places = document.marks[id(node)]
        assert len(places) == len(node)
        for key in node if isinstance(node, dict) else range(len(node)):
            mark = document.mark_of(node, key)
            assert mark is not None
            here = lines[mark.line - 1][mark.column - 1 :]
            if isinstance(key, str) and key.isascii() and key.isidentifier():
                assert here.lstrip("'\"").startswith(key)
            elif isinstance(node, list) and node[key] in ({}, []):
                assert here[:2] == {"[]": "[]", "{}": "{}"}[str(node[key])]


SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=20)
TREES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)


@settings(max_examples=100, deadline=None)
@given(
    tree=st.dictionaries(st.text(max_size=8), TREES, min_size=1),
    flow=st.sampled_from([None, True, False]),
)
def test_what_pyyaml_writes_is_read_again(tree: Any, flow: bool | None) -> None:
    """Quoted throughout, so that both agree on types; PyYAML is not our code."""
    for text in (
        yaml.safe_dump(tree, default_flow_style=flow, default_style='"', allow_unicode=False),
        yaml.safe_dump(
            tree, default_flow_style=flow, default_style='"', allow_unicode=True, width=30
        ),
    ):
        (document,), problems = parse(text.encode("utf-8", "surrogatepass"), "f.yaml")
        assert not problems
        assert document.root == tree
        check_places(text, document)


@settings(max_examples=100, deadline=None)
@given(
    data=st.binary(max_size=60)
    | st.text(alphabet="ab:-[]{}&*!|>'\"#%@`?,<=~.1 \n\t", max_size=60).map(str.encode)
)
def test_nothing_breaks_the_parser(data: bytes) -> None:
    documents, problems = parse(data, "f.yaml")
    assert all(problem.mark is not None and problem.mark.line >= 1 for problem in problems)
    for document in documents:
        assert set(document.marks) == {id(node) for node in containers(document.root)}
