"""Real Iceberg tables for the tests, made by pyiceberg on a SQLite catalog.

pyiceberg writes no position deletes, so ``delete_positions`` commits a delete file by its public
manifest writers, as an engine that merges on read would.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestWriterV2,
    write_manifest_list,
)
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import StaticTable, Table
from pyiceberg.table.snapshots import Snapshot
from pyiceberg.transforms import IdentityTransform
from pyiceberg.typedef import Record
from pyiceberg.types import DoubleType, LongType, NestedField, StringType

SCHEMA = Schema(
    NestedField(1, "id", LongType(), required=False),
    NestedField(2, "label", StringType(), required=False),
    NestedField(3, "score", DoubleType(), required=False),
)


def a_catalog(folder: Path) -> SqlCatalog:
    folder.mkdir(parents=True, exist_ok=True)
    catalog = SqlCatalog(
        "test", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}/warehouse"
    )
    catalog.create_namespace_if_not_exists("db")
    return catalog


def rows(start: int, stop: int) -> pa.Table:
    ids = list(range(start, stop))
    return pa.table(
        {
            "id": pa.array(ids, pa.int64()),
            "label": pa.array([f"row {i}" if i % 7 else None for i in ids], pa.string()),
            "score": pa.array([i / 4 for i in ids], pa.float64()),
        }
    )


def plain_table(folder: Path, appends: Sequence[int] = (100, 50, 75), **properties: str) -> Table:
    table = a_catalog(folder).create_table("db.plain", SCHEMA, properties=properties)
    start = 0
    for count in appends:
        table.append(rows(start, start + count))
        start += count
    return table


def evolved_table(folder: Path) -> Table:
    """Three files of three schemas: a column added, renamed, dropped, widened, moved."""
    catalog = a_catalog(folder)
    first = Schema(
        NestedField(1, "id", LongType(), required=False),
        NestedField(2, "label", StringType(), required=False),
        NestedField(3, "gone", StringType(), required=False),
    )
    table = catalog.create_table("db.evolved", first)
    table.append(pa.table({"id": [0, 1, 2], "label": ["a", "b", "c"], "gone": ["x", "y", "z"]}))
    with table.update_schema() as update:
        update.add_column("score", DoubleType())
        update.rename_column("label", "name")
        update.delete_column("gone")
    table.append(pa.table({"id": [3, 4], "name": ["d", "e"], "score": [0.5, 1.5]}))
    with table.update_schema() as update:
        update.move_first("score")
        update.add_column("gone", LongType())  # the old name, another column
    table.append(
        pa.table({"score": [2.5], "id": [5], "name": ["f"], "gone": pa.array([9], pa.int64())})
    )
    return table


def partitioned_table(folder: Path, count: int = 200) -> Table:
    spec = PartitionSpec(PartitionField(2, 1000, IdentityTransform(), "label"))
    table = a_catalog(folder).create_table("db.parted", SCHEMA, partition_spec=spec)
    data = rows(0, count)
    labels = pa.array([f"p{i % 4}" for i in range(count)])
    table.append(data.set_column(1, "label", labels))
    return table


def delete_positions(
    table: Table,
    wanted: Mapping[str, Sequence[int]],
    content: DataFileContent = DataFileContent.POSITION_DELETES,
) -> Table:
    """Commit one position delete file: data file -> positions deleted from it."""
    location = f"{table.location()}/data/deletes-{len(table.snapshots())}.parquet"
    entries = sorted((path, pos) for path, positions in wanted.items() for pos in positions)
    size = _write_deletes(location.removeprefix("file://"), entries)
    delete = DataFile.from_args(
        content=content,
        file_path=location,
        file_format=FileFormat.PARQUET,
        partition=Record(),
        record_count=len(entries),
        file_size_in_bytes=size,
        spec_id=table.spec().spec_id,
    )
    return _commit(table, delete)


def _write_deletes(path: str, entries: list[tuple[str, int]]) -> int:
    schema = pa.schema(
        [
            pa.field("file_path", pa.string(), False, {"PARQUET:field_id": "2147483546"}),
            pa.field("pos", pa.int64(), False, {"PARQUET:field_id": "2147483545"}),
        ]
    )
    columns = [[path for path, _ in entries], [pos for _, pos in entries]]
    pq.write_table(pa.table(columns, schema=schema), path)
    return Path(path).stat().st_size


class _DeleteManifest(ManifestWriterV2):
    def content(self) -> ManifestContent:
        return ManifestContent.DELETES

    @property
    def _meta(self) -> dict[str, str]:
        return {**super()._meta, "content": "deletes"}


def _commit(table: Table, delete: DataFile) -> Table:
    """A new metadata file whose current snapshot has the delete file; beside the old one."""
    io = PyArrowFileIO()
    old = table.current_snapshot()
    assert old is not None
    snapshot_id, sequence = old.snapshot_id + 1, len(table.metadata.snapshots) + 1
    where = f"{table.location()}/metadata"
    output = io.new_output(f"{where}/deletes-{snapshot_id}.avro")
    with _DeleteManifest(table.spec(), table.schema(), output, snapshot_id, "null") as writer:
        entry = ManifestEntry.from_args(
            status=ManifestEntryStatus.ADDED, snapshot_id=snapshot_id, data_file=delete
        )
        writer.add_entry(entry)
    manifests = [*old.manifests(table.io), writer.to_manifest_file()]
    listed = f"{where}/snap-{snapshot_id}.avro"
    with write_manifest_list(
        2, io.new_output(listed), snapshot_id, old.snapshot_id, sequence, "null"
    ) as lists:
        lists.add_manifests(manifests)
    snapshot = {
        "snapshot-id": snapshot_id,
        "parent-snapshot-id": old.snapshot_id,
        "sequence-number": sequence,
        "timestamp-ms": table.metadata.last_updated_ms + 1,
        "manifest-list": listed,
        "summary": {"operation": "delete"},
        "schema-id": table.schema().schema_id,
    }
    metadata = table.metadata.model_copy(
        update={
            "snapshots": [*table.metadata.snapshots, Snapshot.model_validate(snapshot)],
            "current_snapshot_id": snapshot_id,
            "last_sequence_number": sequence,
            "refs": {},
        }
    )
    path = f"{where}/{snapshot_id}.metadata.json"
    with io.new_output(path).create(overwrite=True) as stream:
        stream.write(metadata.model_dump_json(by_alias=True, exclude_none=True).encode())
    return StaticTable.from_metadata(path)
