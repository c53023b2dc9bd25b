"""How a table is divided: one range of rows for each worker, blocks of rows for shuffling.

In: a ``Survey`` and the number of workers. Out: a ``Plan`` for the head and an ``Assignment``
(JSON) for each worker. A plan's id names everything a ticket depends on, so that a ticket of one
plan cannot be answered from another.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Final

import pyarrow as pa

from trainc.cache.shard import Range, even
from trainc.cache.sources.source import Piece, Source, Survey

# Per-message cost dominates below, and gRPC clients that decode at most 4 MiB fail above.
BATCH_BYTES: Final = 1_400_000
# A table has at least so many shuffled blocks, or one for each row.
LEAST_BLOCKS: Final = 256


@dataclass(frozen=True)
class Part:
    """Rows ``skip`` to ``skip + take`` of a piece."""

    piece: Piece
    skip: int
    take: int


@dataclass(frozen=True)
class Assignment:
    """What one worker holds.

    Attributes:
        cache: Id of the plan.
        source: The definite source.
        snapshot: Its snapshot, as it is reported.
        rows: Rows of the whole table.
        block: Rows of a batch on the grid of the whole table.
        range: The worker's rows.
        row_bytes: Estimated Arrow bytes of a row.
        schema: Columns as they are served.
        table: Columns a reader needs to know of.
        parts: The pieces that hold the range, in row order.
    """

    cache: str
    source: Source
    snapshot: str
    rows: int
    block: int
    range: Range
    row_bytes: float
    schema: pa.Schema
    table: pa.Schema
    parts: tuple[Part, ...]

    def encode(self) -> bytes:
        """The assignment as JSON."""
        fields = {
            "cache": self.cache,
            "source": self.source.as_dict(),
            "snapshot": self.snapshot,
            "rows": self.rows,
            "block": self.block,
            "range": self.range,
            "row_bytes": self.row_bytes,
            "schema": _text(self.schema),
            "table": _text(self.table),
            "parts": [asdict(part) for part in self.parts],
        }
        return json.dumps(fields).encode()

    @classmethod
    def decode(cls, data: bytes) -> "Assignment":
        """The assignment that ``encode`` wrote.

        Raises:
            ValueError: It is none.
        """
        fields = json.loads(data)
        try:
            parts = tuple(
                Part(Piece(**part["piece"]), part["skip"], part["take"]) for part in fields["parts"]
            )
            changed = {
                "source": Source.from_dict(fields["source"]),
                "range": Range(*fields["range"]),
                "schema": _schema(fields["schema"]),
                "table": _schema(fields["table"]),
                "parts": parts,
            }
            return cls(**{**fields, **changed})
        except (KeyError, TypeError) as error:
            raise ValueError(f"assignment: {error}") from None


@dataclass(frozen=True)
class Plan:
    """The table, numbered and divided."""

    survey: Survey
    workers: int

    @cached_property
    def rows(self) -> int:
        """Rows of the table."""
        return sum(piece.rows for piece in self.survey.pieces)

    @cached_property
    def block(self) -> int:
        """Rows of a batch: about 1.4 MB of Arrow data, a multiple of 64 where that is possible."""
        rows = max(1, int(BATCH_BYTES / self.survey.row_bytes))
        return rows - rows % 64 if rows >= 64 else rows

    @cached_property
    def shuffle_block(self) -> int:
        """Rows of a shuffled block: a batch, or less where the table is small."""
        return max(1, min(self.block, -(-self.rows // LEAST_BLOCKS)))

    @cached_property
    def ranges(self) -> tuple[Range, ...]:
        """The rows of each worker."""
        return tuple(even(self.rows, index, self.workers) for index in range(self.workers))

    @cached_property
    def cache(self) -> str:
        """The plan's id: what is held, in which order, divided how."""
        digest = blake2b(digest_size=8)
        pieces = [[piece.path, piece.rows] for piece in self.survey.pieces if piece.rows]
        words = [self.survey.source.as_dict(), self.survey.snapshot, self.workers, self.block]
        digest.update(json.dumps([*words, pieces], sort_keys=True).encode())
        digest.update(self.survey.schema.serialize())
        return digest.hexdigest()

    def assignment(self, worker: int) -> Assignment:
        """What worker ``worker`` (from 0) holds."""
        survey, wanted = self.survey, self.ranges[worker]
        return Assignment(
            cache=self.cache,
            source=survey.source,
            snapshot=survey.snapshot,
            rows=self.rows,
            block=self.block,
            range=wanted,
            row_bytes=survey.row_bytes,
            schema=survey.schema,
            table=survey.table,
            parts=tuple(_parts(survey.pieces, wanted)),
        )


def _parts(pieces: tuple[Piece, ...], wanted: Range) -> Iterator[Part]:
    first = 0
    for piece in pieces:
        part = Range(first, first + piece.rows).within(wanted)
        if part.rows:
            yield Part(piece, part.start - first, part.rows)
        first += piece.rows


def _text(schema: pa.Schema) -> str:
    return base64.b64encode(schema.serialize().to_pybytes()).decode()


def _schema(text: str) -> pa.Schema:
    return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(text)))
