from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from trainc.kube.quantity import NANO, Quantity, QuantityError, canonical, parse

DATA = Path(__file__).parents[3] / "tests" / "data" / "quantities.json.gz"
# What the CRDs let through; the parser of Kubernetes takes a few texts more ("." is 0 to it).
PATTERN = re.compile(
    r"(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"
    r"(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?"
)
# Upstream refuses an exponent that is no int64; here its low 32 bits count, as for smaller ones.
HUGE = "1e99999999999999999999"


def table() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(gzip.decompress(DATA.read_bytes()))
    return data


def admitted(*texts: str) -> bool:
    return all(PATTERN.fullmatch(text) and text != HUGE for text in texts)


def test_every_text_of_the_table_prints_as_upstream_prints_it() -> None:
    rows = [row for row in table()["single"] if admitted(row[0])]
    assert len(rows) > 15_000
    for text, out, *numbers in rows:
        if out is None:
            with pytest.raises(QuantityError):
                parse(text)
            continue
        assert canonical(text) == (text if out is True else out), text
        amount, (value, sign) = parse(text), numbers
        assert (amount.nanos > 0) - (amount.nanos < 0) == sign, text
        if value is not None and sign >= 0:
            assert amount.whole == value, text


def test_sums_print_as_upstream_prints_them() -> None:
    rows = [row for row in table()["sums"] if admitted(*(text for text, _ in row[0]))]
    assert len(rows) > 1_000
    for terms, want in rows:
        total = Quantity(0, "DecimalSI")
        for text, count in terms:
            total = total + parse(text) * count
        assert str(total) == want, terms


def test_amounts_compare_as_upstream_compares_them() -> None:
    rows = [row for row in table()["compare"] if admitted(*row[:2])]
    assert len(rows) > 1_000
    for left, right, want in rows:
        a, b = parse(left).nanos, parse(right).nanos
        assert (a > b) - (a < b) == want, (left, right)


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    text: str
    want: str


@pytest.mark.parametrize(
    "case",
    [
        TestCase("decimal", "1000m", "1"),
        TestCase("binary", "1024Mi", "1Gi"),
        TestCase("fraction", "0.5", "500m"),
        TestCase("kept, for it is canonical to upstream", "1.500", "1.500"),
        TestCase("below one nano rounds up", "1.1n", "2n"),
    ],
    ids=lambda case: case.name,
)
def test_canonical(case: TestCase) -> None:
    assert canonical(case.text) == case.want


@pytest.mark.parametrize("text", ["", "1 ", "--1", "1Q", "0x10", "1e1.5", "१"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(QuantityError):
        canonical(text)


def test_whole_rounds_away_from_zero() -> None:
    assert [parse(text).whole for text in ("1m", "-1m", "0", "2500m")] == [1, -1, 0, 3]
    assert parse("1").nanos == NANO
