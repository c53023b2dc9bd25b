from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainc.cache.adoption import adopted
from trainc.cache.plan import BATCH_BYTES, Assignment, Plan
from trainc.cache.shard import Range
from trainc.cache.sources.source import Piece, Source, Survey

SCHEMA = pa.schema([("id", pa.int64())])
SOURCE = Source("iceberg", "s3://lake/v2.metadata.json", "db.rows")


def a_survey(counts: list[int], **changes: Any) -> Survey:
    pieces = tuple(Piece(f"f{i}", count, 10, i % 2 == 0) for i, count in enumerate(counts))
    survey = Survey(SOURCE, "7", SCHEMA, SCHEMA, pieces, 100.0)
    return replace(survey, **changes)


COUNTS = st.lists(st.integers(0, 200), max_size=12)


@given(COUNTS, st.integers(1, 9))
@settings(deadline=None)
def test_workers_hold_every_row_once(counts: list[int], workers: int) -> None:
    plan = Plan(a_survey(counts), workers)
    rows = []
    for index in range(workers):
        assignment = plan.assignment(index)
        assert sum(part.take for part in assignment.parts) == assignment.range.rows
        for part in assignment.parts:
            rows += [(part.piece.path, part.skip + i) for i in range(part.take)]
    assert rows == [(f"f{i}", row) for i, count in enumerate(counts) for row in range(count)]
    sizes = [r.rows for r in plan.ranges]
    assert max(sizes) - min(sizes) <= 1


@given(COUNTS, st.integers(1, 5))
@settings(deadline=None)
def test_an_assignment_survives_the_wire_and_the_plan_is_found_again(
    counts: list[int], workers: int
) -> None:
    plan = Plan(a_survey(counts), workers)
    sent = [Assignment.decode(plan.assignment(i).encode()) for i in range(workers)]
    assert sent == [plan.assignment(i) for i in range(workers)]
    again = adopted(sent, SOURCE)
    assert again and (again.cache, again.ranges) == (plan.cache, plan.ranges)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (SOURCE, True),
        (replace(SOURCE, location=""), True),
        (replace(SOURCE, snapshot="7"), True),
        (replace(SOURCE, snapshot="8"), False),
        (replace(SOURCE, location="s3://lake/v3.metadata.json"), False),
        (replace(SOURCE, columns=("id",)), False),
        (replace(SOURCE, row_filter="id = 1"), False),
        (replace(SOURCE, name="db.other"), False),
    ],
)
def test_a_plan_is_taken_up_only_for_the_same_source(wanted: Source, found: bool) -> None:
    held = [Plan(a_survey([10, 20]), 2).assignment(i) for i in range(2)]
    assert (adopted(held, wanted) is not None) is found


def test_assignments_that_do_not_make_a_plan_are_left() -> None:
    plan = Plan(a_survey([10, 20]), 3)
    held = [plan.assignment(i) for i in range(3)]
    assert adopted([], SOURCE) is None
    assert adopted(held[:2], SOURCE) is None
    assert adopted([held[1], held[0], held[2]], SOURCE) is None
    assert adopted([*held[:2], Plan(a_survey([10, 21]), 3).assignment(2)], SOURCE) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"snapshot": "8"},
        {"schema": pa.schema([("id", pa.int32())])},
        {"row_bytes": 50.0},
        {"source": replace(SOURCE, row_filter="id = 1")},
        {"pieces": (Piece("f0", 10, 10), Piece("f1", 21, 10))},
    ],
)
def test_the_plans_id_changes_with_all_it_depends_on(changes: dict[str, Any]) -> None:
    one = Plan(a_survey([10, 20]), 2)
    assert one.cache == Plan(a_survey([10, 20]), 2).cache
    assert one.cache != Plan(a_survey([10, 20], **changes), 2).cache
    assert one.cache != Plan(a_survey([10, 20]), 3).cache


@pytest.mark.parametrize(("row_bytes", "block"), [(226.0, 6144), (20.0, 69952), (1e9, 1)])
def test_a_batch_is_one_to_two_megabytes(row_bytes: float, block: int) -> None:
    plan = Plan(a_survey([10_000_000], row_bytes=row_bytes), 2)
    assert plan.block == block
    assert plan.block == 1 or BATCH_BYTES * 0.9 < plan.block * row_bytes <= BATCH_BYTES
    assert plan.shuffle_block <= plan.block


def test_a_small_table_is_shuffled_in_small_blocks() -> None:
    assert Plan(a_survey([2560]), 2).shuffle_block == 10
    assert Plan(a_survey([3]), 2).shuffle_block == 1
    assert Plan(a_survey([]), 2).shuffle_block == 1


@pytest.mark.parametrize("data", [b"{}", b"[", b'{"parts": 1}'])
def test_what_is_no_assignment_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        Assignment.decode(data)


def test_an_assignment_is_of_a_range() -> None:
    assert Plan(a_survey([10, 20]), 2).assignment(1).range == Range(15, 30)
