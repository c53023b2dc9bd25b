"""A file or a folder of Parquet (or CSV, Arrow, ORC) files.

In: a ``Source`` of those kinds. Out: its ``Survey``, and a ``Reader``. Which files count, and what
their paths say, is in ``listing.py``. Columns are the union over all files; numbers of different
width become the wider one. A column of the path that is in the files too has the files' type, and
must have the path's value.
"""

import logging
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from trainc.cache.sources.columns import conform, plain
from trainc.cache.sources.filesystem import is_local, resolve
from trainc.cache.sources.listing import ENDINGS, DataFile, Listing, list_files
from trainc.cache.sources.parquet import row_group_batches, row_group_starts
from trainc.cache.sources.source import Piece, Source, Survey

if TYPE_CHECKING:
    from trainc.cache.sources.filtering import RowFilter

_FOOTERS_AT_ONCE: Final = 16
# Nanoseconds end in 2262, and a value beyond them would be read as another one. Spark, which writes
# INT96, has microseconds.
INT96: Final[Mapping[str, Any]] = {"coerce_int96_timestamp_unit": "us"}
_SAMPLE_ROWS: Final = 4096


def survey(source: Source) -> Survey:
    """List the files, count their rows, and measure a sample.

    Raises:
        OSError: The location is not there or not readable.
        ValueError: No file, a pinned snapshot that is no more, a column or filter that does not
            fit.
    """
    listing = list_files(source)
    snapshot = listing.digest
    if source.snapshot and source.snapshot != snapshot:
        raise ValueError(
            f"{source.location}: the files are not those of snapshot {source.snapshot} any more; "
            f"they are snapshot {snapshot} now"
        )
    if listing.passed_over:
        _report(source, listing.passed_over)
    table = _table(source, listing)
    definite = replace(source, snapshot=snapshot)
    reader = FilesReader.of(definite, table)
    with ThreadPoolExecutor(_FOOTERS_AT_ONCE) as pool:
        pieces = tuple(pool.map(lambda file: _piece(reader, file), listing.files))
    row_bytes = sampled_row_bytes(reader, pieces)
    return Survey(definite, snapshot, reader.schema, table, pieces, row_bytes)


def current_snapshot(source: Source) -> str:
    """The digest of the files that are there now.

    Raises:
        OSError: The location is not there or not readable.
        ValueError: No file.
    """
    return list_files(source).digest


def _report(source: Source, names: tuple[str, ...]) -> None:
    """Says which files of the folder are not served."""
    shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    wanted = ", ".join(source.files or ENDINGS[source.kind])
    logging.getLogger(__name__).warning(
        "%s: served are %s; passed over: %d files (%s)", source.location, wanted, len(names), shown
    )


def sampled_row_bytes(reader: Any, pieces: tuple[Piece, ...]) -> float:
    """Arrow bytes of a row: a sample of the first piece that has rows, scaled by file sizes."""
    for piece in pieces:
        if piece.rows:
            take = min(piece.rows, _SAMPLE_ROWS)
            sample = list(reader.batches(piece, 0, take, _SAMPLE_ROWS))
            measured = sum(b.nbytes for b in sample) / sum(b.num_rows for b in sample)
            if piece.filtered:
                return max(1.0, float(measured))
            rows, size = sum(p.rows for p in pieces), sum(p.size for p in pieces)
            scale = (size / rows) / (max(1, piece.size) / piece.rows)
            return max(1.0, float(measured * scale))
    return 1.0


@dataclass(frozen=True)
class FilesReader:
    """Reads the files of a definite source.

    Attributes:
        fs: Where they are.
        kind: How they are stored.
        table: All columns of all files, as ``survey`` unified them.
        schema: The columns wanted.
        keep: The rows wanted, None for all.
    """

    fs: pafs.FileSystem
    kind: str
    table: pa.Schema
    schema: pa.Schema
    keep: "RowFilter | None"

    @classmethod
    def of(cls, source: Source, table: pa.Schema) -> "FilesReader":
        """The reader of a source.

        Raises:
            ValueError: A column or filter that does not fit.
        """
        fs, _ = resolve(source.location)
        keep = _row_filter(source.row_filter, table) if source.row_filter else None
        return cls(fs, source.kind, table, _projected(source, table), keep)

    def batches(self, piece: Piece, skip: int, take: int, size: int) -> Iterator[pa.RecordBatch]:
        """See ``Reader``."""
        try:
            yield from self._batches(piece, skip, take, size)
        except ValueError as error:
            raise ValueError(f"{piece.path}: {error}") from error

    def _batches(self, piece: Piece, skip: int, take: int, size: int) -> Iterator[pa.RecordBatch]:
        # Row groups can be skipped unread only where every row of them counts.
        unread = skip if self.kind == "parquet" and not self.keep else 0
        files = self._parquet(piece, unread, size) if self.kind == "parquet" else None
        rows = files if files is not None else self._scanned(piece, size)
        yield from clip(self._wanted(rows, piece), skip - unread, take)

    def cuts(self, piece: Piece) -> list[int]:
        """See ``Reader``."""
        if self.kind != "parquet" or self.keep:
            return []
        with open_parquet(self.fs, piece.path) as file:
            return row_group_starts(file, ())

    def count(self, file: DataFile) -> int:
        """Rows of a file, after the filter."""
        if not self.keep:
            return int(_fragment(self.kind, self.fs, file.path).count_rows())
        piece = Piece(file.path, 0, 0, constants=file.partition)
        narrow = replace(self, schema=_only(self.table, self.keep.columns))
        return sum(batch.num_rows for batch in narrow.batches(piece, 0, 1 << 62, 65536))

    @cached_property
    def _wide(self) -> pa.Schema:
        """The columns that are decoded: those wanted, and those the filter reads."""
        return _only(self.table, (*self.schema.names, *(self.keep.columns if self.keep else ())))

    def _wanted(self, rows: Iterator[pa.RecordBatch], piece: Piece) -> Iterator[pa.RecordBatch]:
        for batch in rows:
            names = {name: name for name in batch.schema.names}
            wide = conform(batch, self._wide, names, piece.constants)
            yield self.keep.keep(wide).select(self.schema.names) if self.keep else wide

    def _parquet(self, piece: Piece, skip: int, size: int) -> Iterator[pa.RecordBatch]:
        with open_parquet(self.fs, piece.path) as file:
            columns = [name for name in self._wide.names if name in file.schema_arrow.names]
            yield from row_group_batches(file, columns, size, skip, ())

    def _scanned(self, piece: Piece, size: int) -> Iterator[pa.RecordBatch]:
        fragment = _fragment(self.kind, self.fs, piece.path)
        scanner = fragment.scanner(
            batch_size=size, batch_readahead=1, fragment_readahead=1, use_threads=False
        )
        yield from scanner.to_batches()


def open_parquet(fs: pafs.FileSystem, path: str) -> pq.ParquetFile:
    """The file: mapped where it is local, else with its column chunks fetched together."""
    if is_local(fs):
        return pq.ParquetFile(pa.memory_map(path), **INT96)
    return pq.ParquetFile(fs.open_input_file(path), pre_buffer=True, **INT96)


def clip(batches: Iterator[pa.RecordBatch], skip: int, take: int) -> Iterator[pa.RecordBatch]:
    """Rows ``skip`` to ``skip + take`` of a stream; what follows is not read."""
    for batch in batches:
        if take <= 0:
            return
        if skip >= batch.num_rows:
            skip -= batch.num_rows
            continue
        part = batch.slice(skip, take)
        skip = 0
        take -= part.num_rows
        yield part


def _fragment(kind: str, fs: pafs.FileSystem, path: str) -> Any:
    """The file as pyarrow's datasets see it."""
    return _format(kind).make_fragment(path, fs)


def _format(kind: str) -> Any:
    if kind == "parquet":
        return ds.ParquetFileFormat(read_options=ds.ParquetReadOptions(**INT96))
    formats = {"csv": ds.CsvFileFormat, "arrow": ds.IpcFileFormat}
    if kind in formats:
        return formats[kind]()
    from pyarrow.dataset import OrcFileFormat  # absent from some builds of pyarrow

    return OrcFileFormat()


def _table(source: Source, listing: Listing) -> pa.Schema:
    def schema(file: DataFile) -> pa.Schema:
        found = _fragment(source.kind, listing.fs, file.path).physical_schema
        return plain(found).remove_metadata()

    with ThreadPoolExecutor(_FOOTERS_AT_ONCE) as pool:
        schemas = list(pool.map(schema, listing.files))
    try:
        table = pa.unify_schemas(schemas, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise ValueError(f"{source.location}: the files do not fit together: {error}") from error
    for name, kind in listing.partition_types.items():
        if name not in table.names:
            table = table.append(pa.field(name, kind))
    return plain(table)


def _piece(reader: FilesReader, file: DataFile) -> Piece:
    filtered = reader.keep is not None
    return Piece(file.path, reader.count(file), file.size, False, filtered, file.partition)


def _row_filter(text: str, table: pa.Schema) -> "RowFilter":
    # Brings pyiceberg, 40 MB of it, into a loader that mostly has no use for it.
    from trainc.cache.sources.filtering import of_arrow

    return of_arrow(text, table)


def _projected(source: Source, table: pa.Schema) -> pa.Schema:
    missing = [name for name in source.columns if name not in table.names]
    if missing:
        known = ", ".join(table.names)
        raise ValueError(f"no column {', '.join(missing)} in {source.location}; there are: {known}")
    return _only(table, source.columns) if source.columns else table


def _only(table: pa.Schema, names: tuple[str, ...]) -> pa.Schema:
    return pa.schema([field for field in table if field.name in names])
