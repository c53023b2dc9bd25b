"""Values keep who set them while lists grow at either end and items change places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from trainc.explain.history import history


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    trees: list[Any]
    want: Any  # of each leaf the stages that set it


A1, A2, B = {"name": "A", "value": "1"}, {"name": "A", "value": "2"}, {"name": "B", "value": "1"}
CASES = [
    TestCase("one stage", [{"a": 1}], {"a": [0]}),
    TestCase("unchanged", [{"a": 1}, {"a": 1}], {"a": [0]}),
    TestCase("changed twice", [{"a": 1}, {"a": 2}, {"a": 3}], {"a": [0, 1, 2]}),
    TestCase("true is not one", [{"a": 1}, {"a": True}], {"a": [0, 1]}),
    TestCase("new", [{}, {"a": {"b": 1}}], {"a": {"b": [1]}}),
    TestCase("gone", [{"a": 1, "b": 2}, {"b": 2}], {"b": [0]}),
    TestCase("in front", [{"c": ["x", "y"]}, {"c": ["w", "x", "y"]}], {"c": [[1], [0], [0]]}),
    TestCase("words behind", [{"c": ["x"]}, {"c": ["x", "y"]}], {"c": [[0], [1]]}),
    TestCase("a word replaced", [{"c": ["x", "y"]}, {"c": ["x", "z"]}], {"c": [[0], [0, 1]]}),
    TestCase(
        "items by name",
        [{"env": [A1, B]}, {"env": [B, A2]}],
        {"env": [{"name": [0], "value": [0]}, {"name": [0], "value": [0, 1]}]},
    ),
    TestCase("an empty list is a value", [{"c": ["x"]}, {"c": []}], {"c": [1]}),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_history(case: TestCase) -> None:
    assert _stages(history(case.trees)) == case.want


def _stages(told: Any) -> Any:
    if isinstance(told, dict):
        return {key: _stages(value) for key, value in told.items()}
    if isinstance(told, list):
        return [_stages(value) for value in told]
    return [was.stage for was in told]
