"""A worker's rows, mapped and streamed: whatever is asked, in order, once, on the grid."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trainc.cache.batches import on_grid
from trainc.cache.order import Order
from trainc.cache.plan import Assignment
from trainc.cache.segments import Segment, folder
from trainc.cache.shard import Range
from trainc.cache.sources.source import Source
from trainc.cache.store import Store
from trainc.cache.streaming import runs_held, tables
from trainc.cache.ticket import Ticket

ROWS, BLOCK = 1000, 16
HELD = Range(200, 900)
CUTS = [200, 333, 600, 601, 900]  # of the files; not on the grid
SCHEMA = pa.schema([("id", pa.int64())])


def an_assignment() -> Assignment:
    source = Source("parquet", "/lake", "rows")
    return Assignment("plan", source, "7", ROWS, BLOCK, HELD, 8.0, SCHEMA, SCHEMA, ())


def write(spill: Path, rows: Range) -> None:
    where = folder(spill, an_assignment())
    where.mkdir(exist_ok=True)
    batch = pa.record_batch({"id": pa.array(range(rows.start, rows.stop), pa.int64())})
    with pa.OSFile(str(where / Segment(rows, ()).file), "wb") as file, \
            pa.ipc.new_file(file, SCHEMA) as writer:  # fmt: skip
        for part in on_grid(iter([batch]), rows.start, BLOCK):
            writer.write_batch(part)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A worker's rows in four files, added out of order."""
    spill = tmp_path_factory.mktemp("spill")
    found = Store(an_assignment(), spill)
    ranges = [Range(a, b) for a, b in zip(CUTS, CUTS[1:], strict=False)]
    for rows in reversed(ranges):
        write(spill, rows)
        found.add(rows)
    return found


def ids(parts: Iterator[pa.Table]) -> list[int]:
    return [value for part in parts for value in part["id"].to_pylist()]


@given(
    start=st.integers(0, ROWS),
    rows=st.integers(0, ROWS),
    seed=st.none() | st.integers(0, 99),
    epoch=st.integers(0, 3),
    block=st.sampled_from([1, 3, BLOCK, 5 * BLOCK, ROWS]),
    offset=st.integers(0, 300),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_stream_is_the_order_as_far_as_the_worker_holds_it(
    store: Store, start: int, rows: int, seed: int | None, epoch: int, block: int, offset: int
) -> None:
    ticket = Ticket(start, min(ROWS, start + rows), seed=seed, epoch=epoch, block=block,
                    offset=offset)  # fmt: skip
    order = Order(ROWS, block, seed, epoch)
    whole = [row for run in order.runs(ticket.positions) for row in range(*run)]
    held = [row for row in whole if HELD.start <= row < HELD.stop]
    assert ids(tables(ticket, store)) == held[offset:]


@given(st.integers(0, ROWS), st.integers(0, ROWS), st.integers(0, 99))
@settings(deadline=None)
def test_no_run_is_empty_or_outside(start: int, rows: int, seed: int) -> None:
    ticket = Ticket(start, min(ROWS, start + rows), seed=seed, block=7)
    for run in runs_held(ticket, ROWS, HELD):
        assert HELD.start <= run.start < run.stop <= HELD.stop


def test_no_batch_crosses_the_grid(store: Store) -> None:
    for batch in store.batches(HELD):
        first = batch["id"][0].as_py()
        assert first // BLOCK == (first + batch.num_rows - 1) // BLOCK


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    found = Store(an_assignment(), tmp_path)
    assert found.missing() == [HELD]
    write(tmp_path, Range(333, 600))
    found.add(Range(333, 600))
    assert found.missing() == [Range(200, 333), Range(600, 900)]


def test_a_file_with_other_rows_is_refused(tmp_path: Path) -> None:
    write(tmp_path, Range(200, 300))
    where = folder(tmp_path, an_assignment())
    (where / "200-300.arrow").rename(where / "200-301.arrow")
    with pytest.raises(ValueError, match="not the rows 200 to 301"):
        Store(an_assignment(), tmp_path).add(Range(200, 301))


def test_a_file_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    write(tmp_path, Range(200, 300))
    file = folder(tmp_path, an_assignment()) / "200-300.arrow"
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises((ValueError, OSError)):
        Store(an_assignment(), tmp_path).add(Range(200, 300))


def test_a_mapped_file_outlives_its_name(tmp_path: Path) -> None:
    write(tmp_path, HELD)
    found = Store(an_assignment(), tmp_path)
    found.add(HELD)
    (folder(tmp_path, an_assignment()) / f"{HELD.start}-{HELD.stop}.arrow").unlink()
    assert ids(found.tables(HELD)) == list(range(*HELD))
