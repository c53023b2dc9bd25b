from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainc.cache.shard import Policy, Range, even, portion, share


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    rows: int
    world: int
    policy: Policy
    want: list[list[tuple[int, int]]]


@pytest.mark.parametrize(
    "case",
    [
        TestCase(
            "even: the first ranks have one more", 5, 3, "even", [[(0, 2)], [(2, 4)], [(4, 5)]]
        ),
        TestCase("even: a rank may have none", 2, 3, "even", [[(0, 1)], [(1, 2)], []]),
        TestCase(
            "drop: all alike, the last rows are read by none", 5, 2, "drop", [[(0, 2)], [(2, 4)]]
        ),
        TestCase("drop: fewer rows than ranks", 2, 3, "drop", [[], [], []]),
        TestCase("pad: the last rank begins again", 5, 2, "pad", [[(0, 3)], [(3, 5), (0, 1)]]),
        TestCase("pad: fewer rows than ranks", 2, 3, "pad", [[(0, 1)], [(1, 2)], [(0, 1)]]),
        TestCase("pad: no rows", 0, 2, "pad", [[], []]),
    ],
    ids=lambda case: case.name,
)
def test_share(case: TestCase) -> None:
    got = [list(share(case.rows, rank, case.world, case.policy)) for rank in range(case.world)]
    assert got == case.want


@pytest.mark.parametrize(("rank", "world"), [(1, 1), (-1, 2), (0, 0)])
def test_share_refuses_a_rank_outside_the_world(rank: int, world: int) -> None:
    with pytest.raises(ValueError, match="rank"):
        share(10, rank, world)


def test_within_is_empty_where_ranges_are_apart() -> None:
    assert Range(0, 3).within(Range(5, 9)).rows == 0


COUNTS = st.integers(0, 500)
PARTS = st.integers(1, 12)


@given(COUNTS, PARTS)
@settings(deadline=None)
def test_even_parts_join_and_differ_by_at_most_one(rows: int, parts: int) -> None:
    ranges = [even(rows, index, parts) for index in range(parts)]
    assert [row for r in ranges for row in range(*r)] == list(range(rows))
    assert max(r.rows for r in ranges) - min(r.rows for r in ranges) <= 1


@given(COUNTS, PARTS, PARTS, st.sampled_from(["even", "drop", "pad"]))
@settings(deadline=None)
def test_portions_of_a_share_are_the_share(
    rows: int, world: int, parts: int, policy: Policy
) -> None:
    for rank in range(world):
        whole = share(rows, rank, world, policy)
        parted = [portion(whole, index, parts) for index in range(parts)]
        sizes = [sum(r.rows for r in ranges) for ranges in parted]
        assert _rows(r for ranges in parted for r in ranges) == _rows(whole)
        assert max(sizes) - min(sizes) <= 1


@given(COUNTS, PARTS)
@settings(deadline=None)
def test_policies_keep_their_promises(rows: int, world: int) -> None:
    counts = {
        policy: [_rows(share(rows, rank, world, policy)) for rank in range(world)]
        for policy in ("even", "drop", "pad")
    }
    everything = Counter(range(rows))
    assert Counter(row for rank in counts["even"] for row in rank) == everything
    assert {len(rank) for rank in counts["drop"]} == {rows // world}
    assert Counter(row for rank in counts["drop"] for row in rank) <= everything
    assert {len(rank) for rank in counts["pad"]} == {-(-rows // world)}
    assert {row for rank in counts["pad"] for row in rank} == set(range(rows))


def _rows(ranges: object) -> list[int]:
    return [row for r in ranges for row in range(*r)]  # type: ignore[attr-defined]
