"""Segments, the loader's files, the store that maps them, and the limits of memory and disk."""

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainc.cache import segments as segmenting
from trainc.cache.loader import load
from trainc.cache.memory import Gate
from trainc.cache.plan import Assignment, Plan
from trainc.cache.shard import Range
from trainc.cache.sources import opening
from trainc.cache.sources.source import Piece, Source, Survey
from trainc.cache.store import Store
from trainc.cache.streaming import runs_held, tables
from trainc.cache.ticket import Ticket

SCHEMA = pa.schema([("id", pa.int64())])


def an_assignment(folder: Path, counts: list[int], workers: int = 1, width: int = 0) -> Assignment:
    """The last worker's share of files with ids 0, 1, 2, ..."""
    first = 0
    for number, count in enumerate(counts):
        ids = range(first, first + count)
        columns: dict[str, Any] = {"id": pa.array(ids, pa.int64())}
        if width:
            columns["text"] = [str(i).rjust(width) for i in ids]
        pq.write_table(pa.table(columns), folder / f"{number}.parquet", row_group_size=1000)
        first += count
    survey = opening.survey(Source("parquet", str(folder), "rows"))
    return Plan(survey, workers).assignment(workers - 1)


class NoCuts:
    """A reader whose files can be begun at every tenth row."""

    def cuts(self, piece: Piece) -> list[int]:
        return list(range(0, piece.rows, 10))

    def batches(self, *_: object) -> Iterator[pa.RecordBatch]:
        raise AssertionError("not read")


@given(st.lists(st.integers(1, 400), min_size=1, max_size=6), st.integers(1, 4), st.integers(1, 90))
@settings(deadline=None)
def test_segments_are_the_range(counts: list[int], workers: int, rows: int) -> None:
    row_bytes = segmenting.SEGMENT_BYTES / rows
    pieces = tuple(Piece(f"f{i}", count, 1) for i, count in enumerate(counts))
    survey = Survey(Source("parquet", "/", "x"), "s", SCHEMA, SCHEMA, pieces, row_bytes)
    for index in range(workers):
        assignment = Plan(survey, workers).assignment(index)
        found = list(segmenting.segments(assignment, NoCuts()))
        joined = [row for segment in found for row in range(*segment.range)]
        assert joined == list(range(*assignment.range))
        for segment in found:
            assert sum(part.take for part in segment.parts) == segment.range.rows


def test_a_load_is_mapped_and_found_again(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    assignment = an_assignment(tmp_path / "data", [3000, 2000], workers=2, width=500)
    heard: list[dict[str, Any]] = []
    load(assignment, tmp_path / "spill", Gate(64 << 20), 2, heard.append)
    store = Store(assignment, tmp_path / "spill")
    assert store.missing() == [assignment.range] == [Range(2500, 5000)]
    for message in heard:
        if "segment" in message:
            store.add(Range(*message["segment"]))
    assert store.missing() == []
    assert sum(message.get("rows", 0) for message in heard) == 2500
    for rows in (Range(2500, 5000), Range(2999, 3001), Range(4000, 4000), Range(2512, 4990)):
        ids = [i for batch in store.batches(rows) for i in batch["id"].to_pylist()]
        assert ids == list(range(*rows))
        assert [i for table in store.tables(rows) for i in table["id"].to_pylist()] == ids
    # A second load finds the files and reads nothing.
    for file in (tmp_path / "data").iterdir():
        file.unlink()
    load(assignment, tmp_path / "spill", Gate(64 << 20), 2, heard.append)


@pytest.fixture(scope="module")
def long_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The second half of 24,000 rows: 12 MB in two segments of several blocks."""
    folder = tmp_path_factory.mktemp("long")
    (folder / "data").mkdir()
    assignment = an_assignment(folder / "data", [12_000, 6_000, 6_000], workers=2, width=1000)
    heard: list[dict[str, Any]] = []
    patch = pytest.MonkeyPatch()
    patch.setattr(segmenting, "SEGMENT_BYTES", 5_000_000)
    load(assignment, folder / "spill", Gate(64 << 20), 2, heard.append)
    patch.undo()
    store = Store(assignment, folder / "spill")
    for message in heard:
        if "segment" in message:
            store.add(Range(*message["segment"]))
    assert len(heard) > 2 and not store.missing()
    return store


@given(st.data(), st.none() | st.integers(0, 99), st.sampled_from([7, 300, 1344, 9000]))
@settings(deadline=None, max_examples=40)
def test_a_streams_batches_end_with_its_runs_wherever_it_is_taken_up(
    long_store: Store, data: st.DataObject, seed: int | None, block: int
) -> None:
    assignment = long_store.assignment
    start = data.draw(st.integers(0, 24_000))
    ticket = Ticket(start, data.draw(st.integers(start, 24_000)), seed=seed, block=block)
    runs = list(runs_held(ticket, assignment.rows, assignment.range))
    whole = [row for run in runs for row in range(*run)]
    ticket = ticket.with_offset(data.draw(st.integers(0, len(whole))))
    batches = [batch for table in tables(ticket, long_store) for batch in table.to_batches()]
    found = [row for batch in batches for row in batch["id"].to_pylist()]
    assert found == whole[ticket.offset :]
    ends = {run.stop for run in runs}
    for batch in batches:
        rows = batch["id"].to_pylist()
        assert rows == list(range(rows[0], rows[0] + len(rows)))
        assert not ends & set(rows[1:])


def test_a_file_that_holds_other_rows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    assignment = an_assignment(tmp_path / "data", [100])
    store = Store(assignment, tmp_path)
    store.folder.mkdir()
    sink = pa.OSFile(str(store.folder / "0-100.arrow"), "wb")
    with sink, pa.ipc.new_file(sink, assignment.schema) as writer:
        writer.write_batch(pa.record_batch({"id": range(7)}))
    with pytest.raises(ValueError, match="not the rows 0 to 100 of this table"):
        store.add(Range(0, 100))
    with pytest.raises(FileNotFoundError):
        store.add(Range(0, 50))


def test_a_source_that_changed_since_it_was_planned_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    assignment = an_assignment(tmp_path / "data", [100])
    pq.write_table(pa.table({"id": range(60)}), tmp_path / "data" / "0.parquet")
    with pytest.raises(ValueError, match="0.parquet: 100 rows planned, 60 found"):
        load(assignment, tmp_path / "spill", Gate(64 << 20), 2, lambda _: None)
    assert list((tmp_path / "spill").rglob("*.arrow")) == []
    assert list((tmp_path / "spill").rglob("*.part")) == []


def test_the_memory_limit_holds_and_all_rows_come(tmp_path: Path) -> None:
    """40 MB of rows through 8 MB, in a process of its own, so that nothing else is counted."""
    (tmp_path / "data").mkdir()
    limit = 8 << 20
    assignment = an_assignment(tmp_path / "data", [10_000] * 4, width=1000)
    messages = _run_loader(assignment, tmp_path / "spill", limit)
    assert messages[-1]["done"]
    assert sum(message.get("rows", 0) for message in messages) == 40_000
    # One batch of the eldest thread, and what decoding it takes, may stand above the limit.
    assert messages[-1]["peak"] < 2 * limit


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    assignment = an_assignment(tmp_path / "data", [20_000], width=1000)

    def little_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

    messages = _run_loader(assignment, tmp_path / "spill", 64 << 20, little_disk)
    assert "File too large" in messages[-1]["error"]
    assert list((tmp_path / "spill").rglob("*.arrow")) == []


def _run_loader(
    assignment: Assignment, spill: Path, memory: int, before: Any = None
) -> list[dict[str, Any]]:
    job = {"assignment": assignment.encode().decode(), "spill": str(spill), "memory": memory}
    process = subprocess.Popen(
        [sys.executable, "-m", "trainc.cache.loader", "parquet"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=before,
    )
    assert process.stdin and process.stdout
    process.stdin.write(json.dumps({**job, "threads": 3}) + "\n")
    process.stdin.flush()
    messages = [json.loads(line) for line in process.stdout]
    process.stdin.close()
    assert process.wait() == 0
    return messages


def test_a_loader_ends_with_its_parent(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "trainc.cache.loader"]
    idle = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert (idle.returncode, idle.stdout) == (0, b"")
