from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from trainc.cache import segments as module
from trainc.cache.plan import Plan
from trainc.cache.segments import MOST_SEGMENTS, SEGMENT_BYTES, folder, segments
from trainc.cache.shard import Range
from trainc.cache.sources.source import Piece, Source, Survey

SCHEMA = pa.schema([("id", pa.int64())])
ROW_BYTES = 1000.0
MOST = int(SEGMENT_BYTES / ROW_BYTES)


class Groups:
    """A reader whose files have a row group every ``size`` rows."""

    def __init__(self, size: int) -> None:
        self._size = size

    def cuts(self, piece: Piece) -> Sequence[int]:
        return range(0, piece.rows, self._size)


def a_plan(counts: list[int], workers: int = 1, row_bytes: float = ROW_BYTES) -> Plan:
    pieces = tuple(Piece(f"f{i}", count, 10, False) for i, count in enumerate(counts))
    source = Source("parquet", "/lake", "rows")
    return Plan(Survey(source, "7", SCHEMA, SCHEMA, pieces, row_bytes), workers)


def divided(plan: Plan, worker: int, group: int) -> list[module.Segment]:
    reader = Groups(group)
    return list(segments(plan.assignment(worker), reader))  # type: ignore[arg-type]


@given(st.lists(st.integers(0, 9 * MOST), max_size=6), st.integers(1, 3), st.integers(1, 2 * MOST))
@settings(deadline=None)
def test_segments_are_the_range_without_gap_or_overlap(
    counts: list[int], workers: int, group: int
) -> None:
    plan = a_plan(counts, workers)
    for worker in range(workers):
        wanted = plan.assignment(worker).range
        row = wanted.start
        for segment in divided(plan, worker, max(group, MOST // 8)):
            assert segment.range.start == row
            assert sum(part.take for part in segment.parts) == segment.range.rows > 0
            row = segment.range.stop
        assert row == wanted.stop


def test_a_large_file_is_cut_at_its_row_groups_only() -> None:
    group = MOST // 2
    for segment in divided(a_plan([20 * group]), 0, group):
        for part in segment.parts:
            assert part.skip % group == 0


def test_a_file_that_is_several_segments_long_is_not_one() -> None:
    found = divided(a_plan([10 * MOST]), 0, MOST // 4)
    assert len(found) == 10
    assert all(segment.range.rows <= MOST for segment in found)


def test_a_table_that_is_huge_has_few_files_all_the_same() -> None:
    rows = 3 * MOST_SEGMENTS * MOST
    assert len(divided(a_plan([rows]), 0, MOST // 4)) <= MOST_SEGMENTS + 1


def test_a_file_is_found_again_by_its_name() -> None:
    plan = a_plan([5])
    (segment,) = divided(plan, 0, 1)
    assert segment.range == Range(0, 5)
    assert segment.file == "0-5.arrow"
    assert folder(Path("/spill"), plan.assignment(0)) == Path("/spill") / plan.cache
