import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from trainc.cache.batches import on_grid


@given(
    st.lists(st.integers(0, 40), max_size=8),
    st.integers(0, 100),
    st.integers(1, 30),
    st.integers(8, 400),
)
@settings(deadline=None)
def test_rows_are_kept_and_no_batch_crosses_the_grid(
    sizes: list[int], first: int, block: int, most: int
) -> None:
    rows = list(range(first, first + sum(sizes)))
    batches, at = [], 0
    for size in sizes:
        batches.append(pa.record_batch({"id": pa.array(rows[at : at + size], pa.int64())}))
        at += size
    out = list(on_grid(iter(batches), first, block, most))
    assert [row for batch in out for row in batch.column("id").to_pylist()] == rows
    for batch in out:
        ids = batch.column("id").to_pylist()
        assert ids[0] // block == ids[-1] // block
        assert batch.nbytes <= max(most, 8)


def test_whole_blocks_are_not_copied() -> None:
    batch = pa.record_batch({"id": pa.array(range(100), pa.int64())})
    out = list(on_grid(iter([batch]), 0, 50))
    places = [part.column("id").buffers()[1].address for part in out]
    assert places == [batch.column("id").buffers()[1].address] * 2


def test_large_rows_stand_alone() -> None:
    batch = pa.record_batch({"text": ["x" * 100, "y" * 100, "z" * 100]})
    assert [part.num_rows for part in on_grid(iter([batch]), 0, 10, 50)] == [1, 1, 1]
