"""Iceberg tables made by pyiceberg; what is cached is what pyiceberg's own scan of them gives."""

import datetime as dt
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.schema import Schema
from pyiceberg.table import StaticTable, Table
from pyiceberg.typedef import Record
from pyiceberg.types import (
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    ListType,
    LongType,
    NestedField,
    StringType,
    StructType,
    TimestampType,
    TimestamptzType,
)
from pyroaring import BitMap
from tests.cache.iceberg_tables import (
    a_catalog,
    delete_positions,
    evolved_table,
    partitioned_table,
    plain_table,
    rows,
)
from tests.cache.running import Running, ids

from trainc.cache.plan import Plan
from trainc.cache.sources import opening
from trainc.cache.sources.iceberg_file import IcebergReader, _deleted
from trainc.cache.sources.source import Source, Survey


def deleted_table(folder: Path) -> Table:
    """Deletes in one file, a whole file deleted, one position deleted twice."""
    table = plain_table(folder)
    first, second, third = (task.file.file_path for task in table.scan().plan_files())
    table = delete_positions(table, {first: [0, 3, 74], second: list(range(50))})
    return delete_positions(table, {first: [3, 4], third: [99]})


def many_row_groups(folder: Path) -> Table:
    table = plain_table(folder, (1000,), **{"write.parquet.row-group-limit": "64"})
    [task] = table.scan().plan_files()
    assert pq.ParquetFile(task.file.file_path.removeprefix("file://")).num_row_groups > 4
    return delete_positions(table, {task.file.file_path: [0, 63, 64, 65, *range(500, 700), 999]})


def overwritten_table(folder: Path) -> Table:
    """pyiceberg's own deletes: files rewritten without the rows."""
    table = plain_table(folder)
    table.delete("id >= 40 and id < 160")
    table.append(rows(1000, 1010))
    return table


def widened_table(folder: Path) -> Table:
    schema = Schema(
        NestedField(1, "id", IntegerType(), required=False),
        NestedField(2, "score", FloatType(), required=False),
        NestedField(3, "price", DecimalType(5, 2), required=False),
    )
    table = a_catalog(folder).create_table("db.widened", schema)
    data = {
        "id": pa.array([1, 2], pa.int32()),
        "score": pa.array([0.5, None], pa.float32()),
        "price": pa.array(["1.25", "2.50"]).cast(pa.decimal128(5, 2)),
    }
    table.append(pa.table(data))
    with table.update_schema() as update:
        update.update_column("id", LongType())
        update.update_column("score", DoubleType())
        update.update_column("price", DecimalType(9, 2))
    table.append(
        pa.table(
            {
                "id": [2**40],
                "score": [1.5],
                "price": pa.array(["9999999.99"]).cast(pa.decimal128(9, 2)),
            }
        )
    )
    return table


def nested_table(folder: Path) -> Table:
    """A struct gains and renames fields: beyond the row-group reader, left to pyiceberg's."""
    inner = StructType(
        NestedField(3, "a", StringType(), required=False),
        NestedField(4, "b", IntegerType(), required=False),
    )
    schema = Schema(
        NestedField(1, "id", IntegerType(), required=False),
        NestedField(2, "inner", inner, required=False),
        NestedField(5, "tags", ListType(6, StringType(), element_required=False), required=False),
    )
    table = a_catalog(folder).create_table("db.nested", schema)
    arrow = table.schema().as_arrow()
    first = [{"id": i, "inner": {"a": f"a{i}", "b": i}, "tags": ["x"] * i} for i in range(5)]
    table.append(pa.Table.from_pylist(first, arrow))
    with table.update_schema() as update:
        update.add_column(("inner", "c"), StringType())
        update.rename_column(("inner", "a"), "renamed")
    second = [{"id": 9, "inner": {"renamed": "r", "b": 1, "c": "c"}, "tags": None}]
    table.append(pa.Table.from_pylist(second, table.schema().as_arrow()))
    return table


def identity_of_partition(folder: Path) -> Table:
    """A file without the partition's column: its value stands in the manifest."""
    table = partitioned_table(folder)
    for task in table.scan().plan_files():
        path = task.file.file_path.removeprefix("file://")
        whole = pq.read_table(path)
        schema = pa.schema([whole.schema.field("id"), whole.schema.field("score")])
        pq.write_table(whole.select(["id", "score"]).cast(schema), path)
    return table


def empty_table(folder: Path) -> Table:
    return a_catalog(folder).create_table("db.empty", rows(0, 0).schema)


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    make: Callable[[Path], Table]
    columns: tuple[str, ...] = ()
    row_filter: str = ""
    snapshot: int | None = None  # its number, from the first
    beyond: bool = False  # pyiceberg's reader is needed


CASES = [
    TestCase("plain", plain_table),
    TestCase("an older snapshot", plain_table, snapshot=0),
    TestCase("columns", plain_table, columns=("score", "id")),
    TestCase("a filter on columns that are not read", plain_table, ("score",), "label is null"),
    TestCase("a filter", plain_table, row_filter="id > 30 and score < 40.0"),
    TestCase("a filter that nothing passes", plain_table, row_filter="id < 0"),
    TestCase("evolved", evolved_table),
    TestCase("evolved, as it was", evolved_table, snapshot=0),
    TestCase("evolved, filtered by a new column", evolved_table, row_filter="gone = 9"),
    TestCase("evolved, filtered by a renamed one", evolved_table, row_filter="name = 'e'"),
    TestCase("widened types", widened_table),
    TestCase("nested evolution", nested_table, beyond=True),
    TestCase("nested evolution, some columns", nested_table, ("inner",), beyond=True),
    TestCase("partitioned", partitioned_table),
    TestCase("a filter that is a partition", partitioned_table, row_filter="label = 'p1'"),
    TestCase("a partition and more", partitioned_table, (), "label = 'p1' and id > 50"),
    TestCase("values that stand in the partition", identity_of_partition, beyond=True),
    TestCase("position deletes", deleted_table),
    TestCase("position deletes and a filter", deleted_table, row_filter="id > 160"),
    TestCase("position deletes and columns", deleted_table, columns=("label",)),
    TestCase("position deletes over row groups", many_row_groups),
    TestCase("before the deletes", deleted_table, snapshot=2),
    TestCase("copy on write", overwritten_table),
    TestCase("empty", empty_table),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_read_is_what_pyiceberg_reads(
    case: TestCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = case.make(tmp_path)
    left: list[str] = []
    beyond = IcebergReader._beyond

    def counted(self: IcebergReader, task: Any, projection: Any) -> Any:
        left.append(task.file.file_path)
        return beyond(self, task, projection)

    monkeypatch.setattr(IcebergReader, "_beyond", counted)
    snapshot = table.snapshots()[case.snapshot].snapshot_id if case.snapshot is not None else None
    survey = opening.survey(
        Source(
            "iceberg",
            table.metadata_location,
            "db.table",
            str(snapshot or ""),
            case.columns,
            case.row_filter,
        )
    )
    scan = StaticTable.from_metadata(table.metadata_location).scan(
        row_filter=case.row_filter or AlwaysTrue(),
        selected_fields=case.columns or ("*",),
        snapshot_id=snapshot,
    )
    want = scan.to_arrow().cast(survey.schema)
    assert sum(piece.rows for piece in survey.pieces) == want.num_rows
    assert _sorted(_read(survey, 1)) == _sorted(want)
    assert _read(survey, 1).to_pylist() == _read(survey, 3).to_pylist()
    assert bool(left) is case.beyond


def _read(survey: Survey, workers: int) -> pa.Table:
    """The table as several workers read it, each its range."""
    plan = Plan(survey, workers)
    batches = []
    for index in range(workers):
        assignment = plan.assignment(index)
        reader = opening.open_reader(assignment.source, assignment.table)
        for part in assignment.parts:
            batches += reader.batches(part.piece, part.skip, part.take, 16)
        assert sum(part.take for part in assignment.parts) == assignment.range.rows
    return pa.Table.from_batches(batches, survey.schema)


def _sorted(table: pa.Table) -> list[dict[str, Any]]:
    return sorted(table.to_pylist(), key=repr)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"snapshot": "77"}, "db.table: no snapshot 77; there are: "),
        ({"columns": ("nope",)}, "nope"),
        ({"row_filter": "nope = 1"}, "nope"),
        ({"row_filter": "id ="}, "row filter 'id ='"),
    ],
)
def test_what_does_not_fit_is_said(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    table = plain_table(tmp_path)
    with pytest.raises(ValueError, match=message):
        opening.survey(Source("iceberg", table.metadata_location, "db.table", **changes))


def test_deletion_vectors_are_read(tmp_path: Path) -> None:
    """The Puffin file of format version 3, as the specification lays it out."""
    path = "s3://lake/a.parquet"
    wanted = [0, 7, 65_536, 2**33 + 5]
    puffin = tmp_path / "deletes.puffin"
    puffin.write_bytes(_puffin({path: wanted, "s3://lake/other.parquet": [1]}))
    delete = DataFile.from_args(file_path=str(puffin), file_format=FileFormat.PUFFIN)
    assert _deleted(PyArrowFileIO(), delete, path).to_pylist() == wanted
    assert _deleted(PyArrowFileIO(), delete, "s3://lake/none.parquet").to_pylist() == []


def _puffin(deletes: dict[str, list[int]]) -> bytes:
    data, blobs = b"PFA1", []
    for path, positions in deletes.items():
        keys = sorted({position >> 32 for position in positions})
        vector = len(keys).to_bytes(8, "little")
        for key in keys:
            bits = BitMap(position & 0xFFFFFFFF for position in positions if position >> 32 == key)
            vector += key.to_bytes(4, "little") + bits.serialize()
        body = bytes.fromhex("d1d33964") + vector
        blob = len(body).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
        properties = {"referenced-data-file": path, "cardinality": str(len(positions))}
        place = {"offset": len(data), "length": len(blob), "fields": [], "properties": properties}
        head = {"type": "deletion-vector-v1", "snapshot-id": -1, "sequence-number": -1}
        blobs.append({**head, **place})
        data += blob
    footer = json.dumps({"blobs": blobs}).encode()
    return data + b"PFA1" + footer + len(footer).to_bytes(4, "little") + bytes(4) + b"PFA1"


def test_equality_deletes_are_refused_not_ignored(tmp_path: Path) -> None:
    from pyiceberg.manifest import DataFileContent

    table = plain_table(tmp_path)
    [first, *_] = (task.file.file_path for task in table.scan().plan_files())
    table = delete_positions(table, {first: [1]}, DataFileContent.EQUALITY_DELETES)
    with pytest.raises(ValueError, match="equality deletes"):
        opening.survey(Source("iceberg", table.metadata_location, "db.table"))


def test_a_table_of_a_catalog_is_settled_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan names the metadata file, so a later commit changes nothing for it."""
    monkeypatch.setenv("PYICEBERG_CATALOG__TEST__TYPE", "sql")
    monkeypatch.setenv("PYICEBERG_CATALOG__TEST__URI", f"sqlite:///{tmp_path}/catalog.db")
    _reread_configuration(monkeypatch)
    table = plain_table(tmp_path)
    survey = opening.survey(Source("iceberg", "", "db.plain", catalog="test"))
    assert survey.source.location == table.metadata_location
    table.append(rows(0, 10))
    assert _read(survey, 2).num_rows == 225
    later = opening.survey(Source("iceberg", "", "db.plain", catalog="test"))
    assert (later.snapshot != survey.snapshot, sum(p.rows for p in later.pieces)) == (True, 235)


def _reread_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """pyiceberg reads the environment when it is imported."""
    import pyiceberg.catalog
    from pyiceberg.utils.config import Config

    monkeypatch.setattr(pyiceberg.catalog, "_ENV_CONFIG", Config())


def test_a_served_table_with_deletes(tmp_path: Path) -> None:
    table = deleted_table(tmp_path / "lake")
    source = Source("iceberg", table.metadata_location, "db.table")
    running = Running(source, tmp_path / "spill", workers=2).wait_ready()
    try:
        state = running.act("stats")
        assert (state["rows"], state["snapshot"]) == (
            170,
            str(table.current_snapshot().snapshot_id),
        )  # type: ignore[union-attr]
        want = table.scan().to_arrow().column("id").to_pylist()
        assert sorted(ids(running.dataset(seed=1))) == sorted(want)
    finally:
        running.close()


def test_an_empty_table_is_served(tmp_path: Path) -> None:
    table = empty_table(tmp_path / "lake")
    source = Source("iceberg", table.metadata_location, "db.empty")
    running = Running(source, tmp_path / "spill", workers=1).wait_ready()
    try:
        assert list(running.dataset(seed=1)) == []
        assert running.dataset().schema.names == ["id", "label", "score"]
        assert running.act("stats")["snapshot"] == "none"
    finally:
        running.close()


@pytest.mark.parametrize("zoned", [False, True], ids=["timestamp", "timestamptz"])
def test_files_of_spark_that_were_added_keep_their_dates(zoned: bool, tmp_path: Path) -> None:
    """They hold INT96, which nanoseconds cannot, and no field ids."""
    days = [dt.datetime(9999, 12, 31), dt.datetime(1, 1, 1), dt.datetime(2026, 11, 30)]
    file = tmp_path / "added.parquet"
    column = pa.array(days, pa.timestamp("us"))
    pq.write_table(pa.table({"at": column}), file, use_deprecated_int96_timestamps=True)
    kind = TimestamptzType() if zoned else TimestampType()
    schema = Schema(NestedField(1, "at", kind, required=False))
    table = a_catalog(tmp_path).create_table("db.added", schema)
    table = _added(table, file)
    source = Source("iceberg", table.metadata_location, "db.added")
    (ours,) = {tuple(row["at"].replace(tzinfo=None) for row in _served_rows(source))}
    assert list(ours) == days


def _added(table: Table, file: Path) -> Table:
    """The table with the file, as Spark's add_files leaves both.

    pyiceberg's own refuses a file whose timestamps are no microseconds, as INT96 says of itself.
    """
    mapping = table.schema().name_mapping.model_dump_json()
    with table.transaction() as transaction:
        transaction.set_properties({"schema.name-mapping.default": mapping})
        with transaction.update_snapshot().fast_append() as append:
            append.append_data_file(
                DataFile.from_args(
                    content=DataFileContent.DATA,
                    file_path=f"file://{file}",
                    file_format=FileFormat.PARQUET,
                    partition=Record(),
                    record_count=pq.read_metadata(file).num_rows,
                    file_size_in_bytes=file.stat().st_size,
                )
            )
    return table.refresh()


def _served_rows(source: Source) -> list[dict[str, Any]]:
    survey = opening.survey(source)
    assignment = Plan(survey, 1).assignment(0)
    reader = opening.open_reader(assignment.source, assignment.table)
    parts = assignment.parts
    batches = [b for p in parts for b in reader.batches(p.piece, p.skip, p.take, 1024)]
    return [row for batch in batches for row in batch.to_pylist()]
