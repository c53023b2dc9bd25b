"""The two tables of the cache's bench: wide rows (text) and narrow ones (three numbers)."""

import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog

FILES = 8
TEXT_ROWS = 2_000_000
NARROW_ROWS = 20_000_000
_TEXT_BYTES = 210  # with id, label and offset: 226 bytes a row
_DISTINCT = 50_000


def text(folder: Path) -> Path:
    """2 million rows of 226 bytes: 8 files of one row group each, zstd."""
    where = folder / "text"
    if not where.exists():
        unfinished = folder / "text.part"
        unfinished.mkdir(parents=True, exist_ok=True)
        chance = random.Random(7)
        words = ["".join(chance.choices("abcdefghijklmnopqrst", k=6)) for _ in range(2000)]
        texts = [" ".join(chance.choices(words, k=31))[:_TEXT_BYTES] for _ in range(_DISTINCT)]
        for number in range(FILES):
            _text_file(unfinished / f"part-{number}.parquet", number, pa.array(texts), chance)
        unfinished.rename(where)
    return where


def narrow(folder: Path) -> Path:
    """20 million rows of 20 bytes: 8 files of three row groups each."""
    where = folder / "narrow"
    if not where.exists():
        unfinished = folder / "narrow.part"
        unfinished.mkdir(parents=True, exist_ok=True)
        count = NARROW_ROWS // FILES
        for number in range(FILES):
            ids = pa.array(range(number * count, (number + 1) * count), pa.int64())
            labels = pa.array([i % 1000 for i in range(1000)] * (count // 1000), pa.int32())
            scores = ids.cast(pa.float64())
            table = pa.table({"id": ids, "label": labels, "score": scores})
            path = unfinished / f"part-{number}.parquet"
            pq.write_table(table, path, row_group_size=-(-count // 3))
        unfinished.rename(where)
    return where


def iceberg(folder: Path, files: Path) -> str:
    """An Iceberg table of the same rows and files; gives its metadata file."""
    marker = folder / "iceberg.metadata"
    if not marker.exists():
        where = folder / "iceberg"
        where.mkdir(exist_ok=True)
        catalog = SqlCatalog("b", uri=f"sqlite:///{where}/c.db", warehouse=f"file://{where}")
        catalog.create_namespace_if_not_exists("db")
        table = None
        for path in sorted(files.iterdir()):
            data = pq.read_table(path)
            table = table or catalog.create_table("db.text", data.schema)
            table.append(data)
        assert table is not None
        marker.write_text(table.metadata_location)
    return marker.read_text()


def _text_file(path: Path, number: int, texts: pa.Array, chance: random.Random) -> None:
    count = TEXT_ROWS // FILES
    chosen = pa.array((chance.randrange(_DISTINCT) for _ in range(count)), pa.int32())
    ids = pa.array(range(number * count, (number + 1) * count), pa.int64())
    labels = pa.array((i % 5 for i in range(count)), pa.int32())
    table = pa.table({"id": ids, "label": labels, "text": texts.take(chosen)})
    pq.write_table(table, path, compression="zstd", row_group_size=count, use_dictionary=False)
