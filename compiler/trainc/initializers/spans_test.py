from __future__ import annotations

import random

import pytest

from trainc.initializers.spans import gaps, merged, split


@pytest.mark.parametrize(
    ("spans", "want"),
    [
        ([], []),
        ([(0, 4)], [(0, 4)]),
        ([(4, 8), (0, 4)], [(0, 8)]),
        ([(0, 6), (2, 4)], [(0, 6)]),
        ([(0, 2), (4, 6)], [(0, 2), (4, 6)]),
        ([(0, 2), (0, 2)], [(0, 2)]),
        ([(0, 2), (8, 11)], [(0, 2)]),
    ],
    ids=str,
)
def test_merged(spans: list[tuple[int, int]], want: list[tuple[int, int]]) -> None:
    assert list(merged(spans, 10)) == want


@pytest.mark.parametrize(
    ("held", "want"),
    [
        ([], [(0, 10)]),
        ([(0, 10)], []),
        ([(2, 4)], [(0, 2), (4, 10)]),
        ([(0, 2), (4, 10)], [(2, 4)]),
    ],
    ids=str,
)
def test_gaps(held: list[tuple[int, int]], want: list[tuple[int, int]]) -> None:
    assert list(gaps(held, 10)) == want


@pytest.mark.parametrize(
    ("start", "end", "want"),
    [(0, 0, []), (0, 5, [(0, 5)]), (3, 14, [(3, 8), (8, 13), (13, 14)])],
    ids=str,
)
def test_split(start: int, end: int, want: list[tuple[int, int]]) -> None:
    assert list(split(start, end, 5)) == want


@pytest.mark.parametrize("seed", range(20))
def test_what_is_held_and_what_is_missing_is_the_file(seed: int) -> None:
    chance = random.Random(seed)
    spans = [tuple(sorted(chance.sample(range(101), 2))) for _ in range(chance.randint(0, 12))]
    held = list(merged([(start, end) for start, end in spans], 100))
    there = {place for start, end in spans for place in range(start, end)}
    assert {place for start, end in held for place in range(start, end)} == there
    missing = [place for start, end in gaps(held, 100) for place in range(start, end)]
    assert sorted([*there, *missing]) == list(range(100))
