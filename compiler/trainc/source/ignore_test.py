"""Patterns of one file are bounded, and those within the bound are compiled by any pathspec."""

import pytest

from trainc.errors import Problem
from trainc.source.ignore import compiled, ignored


@pytest.mark.parametrize(("count", "is_refused"), [(2000, False), (2001, True), (20_000, True)])
def test_patterns_of_a_file_are_bounded(count: int, is_refused: bool) -> None:
    problems: list[Problem] = []
    rules = compiled("/x", [f"a{n}/**/b*" for n in range(count)], ".traincignore", problems)
    assert [problem.message for problem in problems] == ["more than 2000 patterns"] * is_refused
    assert ignored("/x/a7/c/b.yaml", False, rules) is not is_refused
