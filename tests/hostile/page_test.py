"""docs/untrusted.md: its numbers are those of the code."""

from pathlib import Path

import pytest

from trainc.budget import ROUND, RULES, RULES_OF_JOB, STEP, UNITS
from trainc.source.sandbox import MAX_LETTERS

PAGE = Path(__file__).parents[2] / "docs" / "untrusted.md"


@pytest.mark.parametrize(
    "want",
    [
        f"one budget of {UNITS // STEP:,} steps",
        f"longer than {MAX_LETTERS >> 10} KiB",
        f"{RULES // ROUND:,} rounds of loops for all rules and jobs together and "
        f"{RULES_OF_JOB // ROUND} more for each job",
    ],
)
def test_a_budget_is_told_with_its_number(want: str) -> None:
    assert want in " ".join(PAGE.read_text(encoding="utf-8").split())
