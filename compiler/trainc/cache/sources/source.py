"""What to cache (``Source``), what was found there (``Survey``), how to read it (``Reader``).

In: the environment's or the command line's words. Out: what head and loader pass to each other.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, Protocol, get_args

import pyarrow as pa

Kind = Literal["iceberg", "parquet", "csv", "arrow", "orc"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


@dataclass(frozen=True)
class Source:
    """A table and the part of it that is wanted.

    Attributes:
        kind: How it is stored.
        location: Metadata file (Iceberg) or file or folder (the rest); a path or URI. Empty for an
            Iceberg table that is named by its catalog.
        name: The name readers see, ``schema.table``.
        snapshot: The snapshot pinned, empty for the current one. For files it is the digest of the
            listing (paths, sizes, times), which ``survey`` reports.
        columns: Columns wanted, in the table's order; empty for all.
        row_filter: Rows wanted, in Iceberg's filter language (``a > 5 and b = 'x'``); empty for
            all.
        catalog: Name of the pyiceberg catalog, empty where ``location`` says all.
        files: Patterns of the files of a folder that are wanted (``train-*.parquet``), relative to
            the folder or of the last part; empty for those with an ending of the kind.
    """

    kind: Kind
    location: str
    name: str
    snapshot: str = ""
    columns: tuple[str, ...] = ()
    row_filter: str = ""
    catalog: str = ""
    files: tuple[str, ...] = ()

    @property
    def is_remote(self) -> bool:
        """Whether it is in a store of objects, where a folder may be an empty object too."""
        return "://" in self.location and not self.location.startswith("file://")

    def as_dict(self) -> dict[str, Any]:
        """The source as JSON holds it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "Source":
        """The source that ``as_dict`` wrote."""
        lists = {name: tuple(fields.get(name, ())) for name in ("columns", "files")}
        return cls(**{**fields, **lists})


@dataclass(frozen=True)
class Piece:
    """A file's rows, as numbered by the head.

    Attributes:
        path: The file.
        rows: Rows left of it after deletes and filter.
        size: Bytes of the file.
        deletes: Rows of it are deleted by other files.
        filtered: The row filter has to look at its rows.
        constants: Columns whose value stands in the path (Hive partitions).
    """

    path: str
    rows: int
    size: int
    deletes: bool = False
    filtered: bool = False
    constants: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Survey:
    """What a source holds now.

    Attributes:
        source: The source, made definite: a reader of it sees these pieces whatever happens to the
            catalog later.
        snapshot: Id of the snapshot, ``none`` for a table without one.
        schema: Columns as they are served.
        table: Columns a reader needs to know of, those of the filter among them.
        pieces: Files in row order.
        row_bytes: Estimated Arrow bytes of a row.
    """

    source: Source
    snapshot: str
    schema: pa.Schema
    table: pa.Schema
    pieces: tuple[Piece, ...]
    row_bytes: float


class Reader(Protocol):
    """Reads the pieces of one definite source."""

    def batches(self, piece: Piece, skip: int, take: int, size: int) -> Iterator[pa.RecordBatch]:
        """Rows ``skip`` to ``skip + take`` of a piece, in batches of at most ``size`` rows read.

        Raises:
            OSError: The file is gone or unreadable.
            ValueError: The file does not fit the schema.
        """
        ...

    def cuts(self, piece: Piece) -> list[int]:
        """Rows of a piece at which reading can start without decoding what stands before.

        Empty where it always starts at the beginning.
        """
        ...
