from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from trainc.errors import TraincError
from trainc.source.values import Values, merged, of_file, of_flag


@dataclass(frozen=True)
class Flag:
    __test__ = False
    text: str
    want: dict[str, Any]
    typed: bool = True


@pytest.mark.parametrize(
    "case",
    [
        Flag("a=1", {"a": 1}),
        Flag("a=1", {"a": "1"}, typed=False),
        Flag("a=1.10", {"a": "1.10"}, typed=False),
        Flag("a=", {"a": None}),
        Flag("a=", {"a": ""}, typed=False),
        Flag("a=b=c", {"a": "b=c"}),
        Flag("a.b.c=true", {"a": {"b": {"c": True}}}),
        Flag("a\\.b=x", {"a.b": "x"}),
        Flag("a=[1, {b: 2}]", {"a": [1, {"b": 2}]}),
        Flag("a='1'", {"a": "1"}),
    ],
    ids=lambda case: f"{case.text} {case.typed}",
)
def test_a_flag_is_a_value(case: Flag) -> None:
    assert of_flag(case.text, typed=case.typed).tree == case.want


_NONE = ["a", "=1", "a.=1", ".a=1", "a..b=1", "a=[", "a[0]=1", "a=1\n---\n2"]


@pytest.mark.parametrize("text", _NONE)
def test_a_flag_that_is_none_is_told(text: str) -> None:
    with pytest.raises(TraincError) as refused:
        of_flag(text, typed=True)
    (problem,) = refused.value.problems
    assert problem.hint
    assert str(problem.mark).startswith("--set ")


def test_maps_merge_and_all_else_is_replaced() -> None:
    layers = [
        of_flag("a={x: 1, l: [1, 2], z: {k: 1}}", typed=True),
        of_flag("a={l: [3], z: 2}", typed=True),
        of_flag("b.c=1", typed=True),
    ]
    found = merged(layers)
    assert found.tree == {"a": {"x": 1, "l": [3], "z": 2}, "b": {"c": 1}}
    assert str(found.mark(("b", "c"))) == "--set b.c=1"
    assert merged([]).tree == {}


def test_a_file_says_where_each_value_stands(tmp_path: Path) -> None:
    (tmp_path / "v.yaml").write_text("a:\n  b: 1\nc: [1]\n")
    found = of_file(str(tmp_path / "v.yaml"), "v.yaml")
    assert str(found.mark(("a", "b"))) == "v.yaml:2:3"
    assert str(found.mark(("a", "nope"))) == "v.yaml:1:1"
    assert found.mark(("nope",)) is None
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    assert of_file(str(tmp_path / "empty.yaml"), "empty.yaml") == Values()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[1]", "must be a map"),
        ("a: 1\n---\nb: 1\n", "one document"),
        ("a: [", "flow"),
        (None, "no such"),
    ],
)
def test_a_file_that_is_none_is_told(text: str | None, says: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "v.yaml").write_text(text)
    with pytest.raises(TraincError, match=says) as refused:
        of_file(str(tmp_path / "v.yaml"), "v.yaml")
    assert all(str(problem.mark).startswith("v.yaml") for problem in refused.value.problems)
