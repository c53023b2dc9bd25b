"""The rows of one data file of an Iceberg table.

In: a planned file. Out: its live, wanted rows with the table's columns. A Parquet file whose
columns are the table's (renamed, widened or missing ones included) is read row group by row group,
with position deletes and deletion vectors taken out, in little memory. Whatever is beyond that
(nested schema evolution, defaults, values that stand in the partition, ORC) is left to pyiceberg's
reader.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Final
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyiceberg.io import FileIO
from pyiceberg.io.pyarrow import ArrowScan, schema_to_pyarrow
from pyiceberg.manifest import DataFile, FileFormat
from pyiceberg.schema import Schema
from pyiceberg.table import DataScan, FileScanTask
from pyiceberg.table.deletion_vector import deletion_vectors_from_puffin_file
from pyiceberg.table.puffin import PuffinFile
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import NestedField

from trainc.cache.sources.columns import conform, plain_type
from trainc.cache.sources.files import INT96, clip
from trainc.cache.sources.filtering import RowFilter, of_iceberg
from trainc.cache.sources.parquet import row_group_batches, row_group_starts
from trainc.cache.sources.source import Piece, Source

_FIELD_ID: Final = b"PARQUET:field_id"
_WIDENED: Final = {(pa.int32(), pa.int64()), (pa.float32(), pa.float64())}


class IcebergReader:
    """Reads the data files of one scan."""

    def __init__(self, source: Source, io: FileIO, scan: DataScan, schema: pa.Schema) -> None:
        """Binds the row filter.

        Raises:
            ValueError: A filter that does not fit the table.
        """
        self.io = io
        self.scan = scan
        self.schema = schema
        self.projection = scan.projection()
        self._full = scan.update(selected_fields=("*",)).projection()
        self.keep = of_iceberg(source.row_filter, self._full) if source.row_filter else None

    def batches(self, piece: Piece, skip: int, take: int, size: int) -> Iterator[pa.RecordBatch]:
        """See ``Reader``."""
        task = self._tasks[piece.path] if piece.deletes or piece.filtered else None
        yield from self._batches(piece, task, self.projection, self.schema, skip, take, size)

    def cuts(self, piece: Piece) -> list[int]:
        """See ``Reader``."""
        if piece.filtered:
            return []
        dead = self._dead(self._tasks[piece.path]) if piece.deletes else ()
        with _parquet(self.io, piece.path) as file:
            return (
                row_group_starts(file, dead) if file and self._names(file, self.projection) else []
            )

    def count(self, piece: Piece, task: FileScanTask) -> int:
        """Live rows of a file that pass the filter; only the filter's columns are read."""
        if not piece.filtered:
            return piece.rows - len(self._dead(task))
        narrow = self._full.select(*(self.keep.columns if self.keep else ()))
        schema = pa.schema([(f.name, _served(f).type) for f in narrow.fields])
        rows = self._batches(piece, task, narrow, schema, 0, 1 << 62, 65536)
        return sum(batch.num_rows for batch in rows)

    @cached_property
    def _tasks(self) -> dict[str, FileScanTask]:
        return {task.file.file_path: task for task in self.scan.plan_files()}

    def _batches(
        self,
        piece: Piece,
        task: FileScanTask | None,
        projection: Schema,
        schema: pa.Schema,
        skip: int,
        take: int,
        size: int,
    ) -> Iterator[pa.RecordBatch]:
        keep = self.keep if piece.filtered else None
        wide = self._widened(projection, keep)
        with _parquet(self.io, piece.path) as file:
            names = self._names(file, wide) if file else None
            if file is None or names is None:
                rows, unread = self._beyond(task or self._tasks[piece.path], projection), 0
            else:
                dead = self._dead(task) if task else ()
                unread = 0 if keep else skip
                raw = row_group_batches(file, list(names.values()), size, unread, dead)
                rows = _wanted(raw, wide, names, keep)
            same = (conform(b, schema, {n: n for n in schema.names}, {}) for b in rows)
            yield from clip(same, skip - unread, take)

    def _widened(self, projection: Schema, keep: RowFilter | None) -> Schema:
        """The columns that are decoded: those wanted, and those the filter reads."""
        names = {f.name for f in projection.fields} | set(keep.columns if keep else ())
        return Schema(*(f for f in self._full.fields if f.name in names))

    def _names(self, file: pq.ParquetFile, wide: Schema) -> dict[str, str] | None:
        """The table's name -> the file's name of each column; None where pyiceberg must read."""
        found = self._fields(file)
        names: dict[str, str] = {}
        for wanted in wide.fields:
            there = found.get(str(wanted.field_id).encode())
            if there is not None:
                if not _readable(there, wanted, there.name in _int96(file)):
                    return None
                names[wanted.name] = there.name
            elif wanted.required or wanted.initial_default is not None or self._placed(wanted):
                return None
        return names if found else None

    def _fields(self, file: pq.ParquetFile) -> dict[bytes, pa.Field]:
        """The file's columns by field id; of a file without ids by the table's name mapping.

        Source: "Column Projection" of Iceberg's specification.
        """
        found = {field.metadata[_FIELD_ID]: field for field in file.schema_arrow if _marked(field)}
        mapping = self.scan.table_metadata.name_mapping()
        if found or mapping is None:
            return found
        ids = {name: str(each.field_id).encode() for each in mapping.root for name in each.names}
        return {ids[field.name]: field for field in file.schema_arrow if field.name in ids}

    def _placed(self, field: NestedField) -> bool:
        """Whether a column missing from a file may have its value in the partition."""
        specs = self.scan.table_metadata.specs().values()
        fields = (f for spec in specs for f in spec.fields_by_source_id(field.field_id))
        return any(isinstance(f.transform, IdentityTransform) for f in fields)

    def _dead(self, task: FileScanTask) -> Sequence[int]:
        """Positions of the file's deleted rows, ascending, each once."""
        path = task.file.file_path
        chunks = [c for delete in task.delete_files for c in _deleted(self.io, delete, path).chunks]
        positions = pc.unique(pa.chunked_array(chunks, pa.int64())).sort()
        positions = positions.filter(pc.less(positions, task.file.record_count))
        return memoryview(positions.buffers()[1] or b"").cast("q")[: len(positions)]

    def _beyond(self, task: FileScanTask, projection: Schema) -> Iterator[pa.RecordBatch]:
        self._refuse_int96(task.file.file_path)
        scan = ArrowScan(
            self.scan.table_metadata, self.io, projection, self.scan.row_filter, case_sensitive=True
        )
        yield from scan.to_record_batches([task])

    def _refuse_int96(self, path: str) -> None:
        """Pyiceberg reads INT96 as nanoseconds, which wrap around after 2262."""
        with _parquet(self.io, path) as file:
            names = sorted(_int96(file)) if file else []
        if names:
            raise ValueError(
                f"{path}: column {names[0]}: INT96 timestamps of such a file are not read; "
                "rewrite the file (Iceberg's rewrite_data_files)"
            )


def _int96(file: pq.ParquetFile) -> set[str]:
    """The columns that hold INT96, at any depth."""
    columns = (file.schema.column(index) for index in range(len(file.schema)))
    return {c.path.partition(".")[0] for c in columns if c.physical_type == "INT96"}


def _wanted(
    raw: Iterator[pa.RecordBatch], wide: Schema, names: dict[str, str], keep: RowFilter | None
) -> Iterator[pa.RecordBatch]:
    schema = pa.schema([_served(field) for field in wide.fields])
    for batch in raw:
        whole = conform(batch, schema, names, {})
        yield keep.keep(whole) if keep else whole


@contextmanager
def _parquet(io: FileIO, path: str) -> Iterator[pq.ParquetFile | None]:
    """The open file; None where it is no Parquet file."""
    if not path.endswith(".parquet"):
        yield None
        return
    with _opened(io, path) as file:
        yield file


def _opened(io: FileIO, path: str) -> pq.ParquetFile:
    parts = urlsplit(path)
    if parts.scheme in ("", "file"):
        return pq.ParquetFile(pa.memory_map(parts.path), **INT96)
    return pq.ParquetFile(io.new_input(path).open(), pre_buffer=True, **INT96)


def _marked(field: pa.Field) -> bool:
    return bool(field.metadata) and _FIELD_ID in field.metadata


def _served(field: NestedField) -> pa.Field:
    one = schema_to_pyarrow(Schema(field), include_field_ids=False).field(0)
    return pa.field(one.name, plain_type(one.type), one.nullable)


def _readable(there: pa.Field, wanted: NestedField, is_int96: bool) -> bool:
    """Whether a cast of the file's column gives the table's column.

    INT96 is in UTC by convention, and says no zone.
    """
    want = schema_to_pyarrow(Schema(wanted)).field(0)
    pair = (there.type, want.type)
    if pair in _WIDENED or all(pa.types.is_decimal(kind) for kind in pair):
        return True
    if is_int96 and pa.types.is_timestamp(there.type) and pa.types.is_timestamp(want.type):
        return True
    return _alike(there, want)


def _alike(there: pa.Field, want: pa.Field) -> bool:
    """Whether two columns have the same type, and the same field ids at every depth."""
    if _marked(there) and _marked(want) and there.metadata[_FIELD_ID] != want.metadata[_FIELD_ID]:
        return False
    if not pa.types.is_nested(want.type):
        return bool(plain_type(there.type) == plain_type(want.type))
    return (
        plain_type(there.type).id == plain_type(want.type).id
        and there.type.num_fields == want.type.num_fields
        and all(
            (not pa.types.is_struct(want.type) or a.name == b.name) and _alike(a, b)
            for a, b in zip(_children(there.type), _children(want.type), strict=True)
        )
    )


def _children(kind: pa.DataType) -> list[pa.Field]:
    if pa.types.is_map(kind):
        return [kind.key_field, kind.item_field]
    return [kind.field(i) for i in range(kind.num_fields)]


def _deleted(io: FileIO, delete: DataFile, path: str) -> pa.ChunkedArray:
    """Positions that one delete file (or deletion vector) deletes from the file at ``path``."""
    with io.new_input(delete.file_path).open() as stream:
        if delete.file_format == FileFormat.PUFFIN:
            vectors = deletion_vectors_from_puffin_file(PuffinFile(stream.read()))
            chunks = [v.to_vector().chunks for v in vectors if v.referenced_data_file == path]
            return pa.chunked_array(sum(chunks, []), pa.int64())
        if delete.file_format != FileFormat.PARQUET:
            raise ValueError(f"{delete.file_path}: deletes in {delete.file_format} are not read")
        table = pq.read_table(stream, filters=[("file_path", "==", path)])
        return table.column("pos").cast(pa.int64())
