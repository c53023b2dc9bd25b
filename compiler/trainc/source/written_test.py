from dataclasses import dataclass

import pytest

from trainc.errors import Mark, Problem
from trainc.source.written import as_written


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    line: str
    column: int
    want: str


CASES = [
    TestCase("a version", "value: 1.10", 1, "1.10"),
    TestCase("in a flow map", "- {name: A, value: 0644}", 13, "0644"),
    TestCase("before a comment", "  value: 08  # August", 3, "08"),
    TestCase("twenty digits", "value: 12345678901234567890", 1, "12345678901234567890"),
    TestCase("an item of a list", "args: [--lr, 1e-5]", 14, "1e-5"),
    TestCase("an item on its own line", "  - 0x1F", 5, "0x1F"),
    TestCase("behind its dash", "  - 1_000", 3, "1_000"),
    TestCase("an exponent", "value: 1.0e+5", 1, "1.0e+5"),
    TestCase("a sign", "value: +7", 1, "+7"),
    TestCase("a quoted key", '"a b": 1.50', 1, "1.50"),
    TestCase("a key with a slash", "example.com/version: 2.0", 1, "2.0"),
    TestCase("a boolean", "value: n", 1, "n"),
    TestCase("another boolean", "value: Yes", 1, "Yes"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_hint_quotes_what_stands_in_the_file(case: TestCase) -> None:
    place = Mark("a.yaml", 2, case.column)
    hint = 'put it in quotes: "1"'
    given = Problem("must be a string, got 1", "TRC010", place, hint=hint)
    (found,) = as_written([given], lambda file: ["", case.line])
    assert found.hint == f'put it in quotes: "{case.want}"'
    assert found.message.startswith(f"must be a string, got {case.want}, which YAML reads as a ")


@pytest.mark.parametrize("line", ["", "value: &a 1", "value: !!int 1", "value: [1]", "value: |"])
def test_what_is_no_plain_scalar_stays(line: str) -> None:
    given = Problem(
        "must be a string, got 1", "TRC010", Mark("a.yaml", 1, 1), hint='put it in quotes: "1"'
    )
    assert as_written([given], lambda file: [line]) == [given]
    assert as_written([given], lambda file: []) == [given]
