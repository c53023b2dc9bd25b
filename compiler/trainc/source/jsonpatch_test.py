"""Operations and errors of RFC 6902, after the cases of its appendix A, on trees of our own."""

from dataclasses import dataclass
from typing import Any

import pytest

from trainc.budget import Budget
from trainc.source.jsonpatch import JSONPatchError, patched
from trainc.source.parse import parse


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    tree: Any
    operations: list[Any]
    want: Any


def op(name: str, path: str, **more: Any) -> dict[str, Any]:
    return {"op": name, "path": path, **more}


CASES = [
    TestCase("add a key", {"a": 1}, [op("add", "/b", value=2)], {"a": 1, "b": 2}),
    TestCase("add over a key", {"a": 1}, [op("add", "/a", value=2)], {"a": 2}),
    TestCase("add an item", {"a": [1, 3]}, [op("add", "/a/1", value=2)], {"a": [1, 2, 3]}),
    TestCase("add at the end", {"a": [1]}, [op("add", "/a/-", value=2)], {"a": [1, 2]}),
    TestCase("add null", {}, [op("add", "/a", value=None)], {"a": None}),
    TestCase("add a list into a list", [1], [op("add", "/-", value=[2])], [1, [2]]),
    TestCase("replace the whole", {"a": 1}, [op("replace", "", value=[1])], [1]),
    TestCase("remove a key", {"a": 1, "b": 2}, [op("remove", "/a")], {"b": 2}),
    TestCase("remove an item", [1, 2, 3], [op("remove", "/1")], [1, 3]),
    TestCase("replace", {"a": [1, 2]}, [op("replace", "/a/0", value={"x": 1})],
             {"a": [{"x": 1}, 2]}),
    TestCase("move a key", {"a": {"x": 1}, "b": {}}, [op("move", "/b/y", **{"from": "/a/x"})],
             {"a": {}, "b": {"y": 1}}),
    TestCase("move an item", [1, 2, 3], [op("move", "/2", **{"from": "/0"})], [2, 3, 1]),
    TestCase("copy", {"a": [1]}, [op("copy", "/b", **{"from": "/a"}), op("add", "/b/-", value=2)],
             {"a": [1], "b": [1, 2]}),
    TestCase("test", {"a": [1, {"b": None}]}, [op("test", "/a", value=[1, {"b": None}])],
             {"a": [1, {"b": None}]}),
    TestCase("escapes", {"a/b": 1, "m~n": 2},
             [op("remove", "/a~1b"), op("replace", "/m~0n", value=3)], {"m~n": 3}),
    TestCase("an escape of an escape", {"~1": 1}, [op("replace", "/~01", value=2)], {"~1": 2}),
    TestCase("an empty key", {"": 1}, [op("replace", "/", value=2)], {"": 2}),
    TestCase("digits as a key", {"0": 1}, [op("replace", "/0", value=2)], {"0": 2}),
    TestCase("more words are passed over", {"a": 1}, [op("remove", "/a", why="x")], {}),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_operation_does_what_the_rfc_says(case: TestCase) -> None:
    before = repr(case.tree)
    assert patched(case.tree, case.operations, {}, Budget()) == case.want
    assert repr(case.tree) == before


@dataclass(frozen=True)
class Refused:
    __test__ = False
    name: str
    operations: list[Any]
    path: tuple[str | int, ...]
    says: str


REFUSED = [
    Refused("no operation", [1], (0,), "op is one of"),
    Refused("an unknown one", [op("merge", "/a")], (0,), "op is one of"),
    Refused("no path", [{"op": "remove"}], (0, "path"), "JSON pointer"),
    Refused("a path without a slash", [op("remove", "a")], (0, "path"), "JSON pointer"),
    Refused("nothing there", [op("remove", "/nope")], (0, "path"), "'nope'"),
    Refused("nothing above", [op("add", "/x/y", value=1)], (0, "path"), "'x'"),
    Refused("into a value", [op("add", "/a/b", value=1)], (0, "path"), "plain value"),
    Refused("behind the end", [op("add", "/l/3", value=1)], (0, "path"), "ends before 3"),
    Refused("replace at the end", [op("replace", "/l/-", value=1)], (0, "path"), "nothing stands"),
    Refused("no index", [op("add", "/l/x", value=1)], (0, "path"), "no index"),
    Refused("a leading zero", [op("remove", "/l/00")], (0, "path"), "no index"),
    Refused("a sign", [op("remove", "/l/-1")], (0, "path"), "no index"),
    Refused("no value", [op("add", "/b")], (0,), "value"),
    Refused("a test that fails", [op("test", "/a", value=2)], (0, "value"), "test failed"),
    Refused("true is not 1", [op("test", "/a", value=True)], (0, "value"), "test failed"),
    Refused("true is not 1, deeper", [op("test", "/l", value=[True, 2])], (0, "value"), "failed"),
    Refused("no source", [op("move", "/b")], (0, "from"), "JSON pointer"),
    Refused("a source that is not there", [op("copy", "/b", **{"from": "/c"})], (0, "from"), "'c'"),
    Refused("into itself", [op("move", "/m/x", **{"from": "/m"})], (0, "path"), "into itself"),
    Refused("the second", [op("remove", "/a"), op("remove", "/a")], (1, "path"), "'a'"),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_what_cannot_be_done_is_told_at_its_place(case: Refused) -> None:
    with pytest.raises(JSONPatchError, match=case.says) as refused:
        patched({"a": 1, "l": [1, 2], "m": {}}, case.operations, {}, Budget())
    assert refused.value.path[: len(case.path)] == case.path


def test_places_follow_what_moves() -> None:
    patch = b"patch:\n- {op: add, path: /c, value: 3}\n- {op: remove, path: /a}\n"
    (document,) = parse(b"tree:\n  a: 1\n  b: 2\n" + patch, "f")[0]
    marks = dict(document.marks)
    root = patched(document.root["tree"], document.root["patch"], marks, Budget())
    assert root == {"b": 2, "c": 3}
    assert [document.placed(place).line for place in marks[id(root)]] == [3, 5]
