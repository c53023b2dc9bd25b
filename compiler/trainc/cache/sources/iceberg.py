"""An Iceberg table: found and planned by pyiceberg.

In: a metadata file, or a table of a catalog. Out: its ``Survey``. pyiceberg reads the metadata, the
snapshot and the manifests and says which delete files belong to which data file; the rows are read
by ``iceberg_file.py``.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final

import pyarrow as pa
from pyiceberg.catalog import load_catalog
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.table import DataScan, FileScanTask, StaticTable, Table

from trainc.cache.sources.columns import plain
from trainc.cache.sources.files import sampled_row_bytes
from trainc.cache.sources.filesystem import iceberg_properties
from trainc.cache.sources.filtering import parse_filter
from trainc.cache.sources.iceberg_file import IcebergReader
from trainc.cache.sources.source import Piece, Source, Survey

NO_SNAPSHOT: Final = "none"
_COUNTED_AT_ONCE: Final = 8


def survey(source: Source) -> Survey:
    """Plan the table's files and count their live rows.

    Raises:
        OSError: The metadata, a manifest or a delete file is not readable.
        ValueError: No such snapshot or column, a filter that does not fit, equality deletes.
    """
    table = open_table(source)
    # From here on the metadata file is named, which never changes, so that workers and a head that
    # comes back see the same table even where the catalog has moved on.
    definite = replace(source, location=table.metadata_location)
    reader = open_reader(definite, table)
    tasks = list(reader.scan.plan_files())
    with ThreadPoolExecutor(_COUNTED_AT_ONCE) as pool:
        pieces = tuple(pool.map(lambda task: _piece(reader, task), tasks))
    snapshot = reader.scan.snapshot()
    name = str(snapshot.snapshot_id) if snapshot else NO_SNAPSHOT
    row_bytes = sampled_row_bytes(reader, pieces)
    return Survey(definite, name, reader.schema, reader.schema, pieces, row_bytes)


def current_snapshot(source: Source) -> tuple[str, str]:
    """Id of the table's newest snapshot, and the metadata file that has it.

    Raises:
        OSError: The metadata is not readable.
        ValueError: The table has no snapshot.
    """
    table = open_table(source)
    snapshot = table.current_snapshot()
    if snapshot is None:
        raise ValueError(f"{source.name}: the table has no snapshot yet")
    return str(snapshot.snapshot_id), table.metadata_location


def open_table(source: Source) -> Table:
    """The table, by its metadata file where one is named, else by its catalog.

    Raises:
        ValueError: Neither is named.
    """
    properties = iceberg_properties()
    if source.catalog:
        table = load_catalog(source.catalog, **properties).load_table(source.name)
        if source.location in ("", table.metadata_location):
            return table
        # The catalog's credentials, the metadata file that was settled on.
        return StaticTable.from_metadata(source.location, properties=table.io.properties)
    if not source.location:
        raise ValueError(f"{source.name}: name a metadata file or a catalog")
    return StaticTable.from_metadata(source.location, properties=properties)


def open_reader(source: Source, table: Table | None = None) -> IcebergReader:
    """The reader of a definite source.

    Raises:
        ValueError: No such snapshot or column, or a filter that does not fit.
    """
    table = table or open_table(source)
    scan = _scan(source, table)
    return IcebergReader(source, table.io, scan, served_schema(scan))


def served_schema(scan: DataScan) -> pa.Schema:
    """The columns a scan gives, as they are served."""
    return plain(schema_to_pyarrow(scan.projection(), include_field_ids=False))


def _scan(source: Source, table: Table) -> DataScan:
    columns = source.columns or ("*",)
    pinned = int(source.snapshot) if source.snapshot not in ("", NO_SNAPSHOT) else None
    if pinned is not None and table.snapshot_by_id(pinned) is None:
        known = ", ".join(str(s.snapshot_id) for s in table.snapshots()) or "none"
        raise ValueError(f"{source.name}: no snapshot {pinned}; there are: {known}")
    wanted = parse_filter(source.row_filter) if source.row_filter else AlwaysTrue()
    return table.scan(row_filter=wanted, selected_fields=columns, snapshot_id=pinned)


def _piece(reader: IcebergReader, task: FileScanTask) -> Piece:
    piece = Piece(
        path=task.file.file_path,
        rows=task.file.record_count,
        size=task.file.file_size_in_bytes,
        deletes=bool(task.delete_files),
        filtered=not isinstance(task.residual, AlwaysTrue),
    )
    return replace(piece, rows=reader.count(piece, task)) if _uncertain(piece) else piece


def _uncertain(piece: Piece) -> bool:
    return piece.deletes or piece.filtered
