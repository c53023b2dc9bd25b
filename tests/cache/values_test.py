"""Values are served as another reader sees them, or refused: DuckDB reads the same files."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trainc.cache.plan import Plan
from trainc.cache.sources import opening
from trainc.cache.sources.source import Source

DATES = [dt.datetime(9999, 12, 31), dt.datetime(1, 1, 1), dt.datetime(2026, 11, 30, 1, 2, 3, 4)]


def served(folder: Path, **options: Any) -> pa.Table:
    """All rows that the cache would serve of a folder."""
    survey = opening.survey(Source("parquet", str(folder), "rows", **options))
    assignment = Plan(survey, 1).assignment(0)
    reader = opening.open_reader(assignment.source, assignment.table)
    batches = [
        batch for p in assignment.parts for batch in reader.batches(p.piece, p.skip, p.take, 1024)
    ]
    return pa.Table.from_batches(batches, survey.schema)


def by_duckdb(folder: Path) -> list[tuple[Any, ...]]:
    """The same rows, as DuckDB reads the files in the order of their names."""
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        files = [str(file) for file in sorted(folder.rglob("*.parquet"))]
        rows = connection.execute("select * from read_parquet(?, hive_partitioning=false)", [files])
        return rows.fetchall()


@dataclass(frozen=True)
class TestCase:
    """One column, as Parquet may hold it."""

    __test__ = False
    name: str
    column: pa.Array
    options: dict[str, Any]


CASES = [
    TestCase("INT96", pa.array(DATES, pa.timestamp("us")),
             {"use_deprecated_int96_timestamps": True}),
    TestCase("milliseconds", pa.array(DATES, pa.timestamp("ms", "UTC"), safe=False), {}),
    TestCase("microseconds", pa.array(DATES, pa.timestamp("us", "UTC")), {}),
    TestCase("dates", pa.array([dt.date(9999, 12, 31), dt.date(1, 1, 1)]), {}),
    TestCase("times", pa.array([dt.time(23, 59, 59, 999999)], pa.time64("us")), {}),
    TestCase("decimals", pa.array([Decimal("99999999999999999999999999999999999.999")],
             pa.decimal128(38, 3)), {}),
    TestCase("unsigned", pa.array([2**64 - 1, 0], pa.uint64()), {}),
    TestCase("unsigned, narrow", pa.array([2**32 - 1, 0], pa.uint32()), {}),
    TestCase("whole numbers past a double", pa.array([2**53 + 1, -(2**63)], pa.int64()), {}),
    TestCase("half a float", pa.array([1.5, 65504.0], pa.float32()), {}),
    TestCase("words in a dictionary", pa.array(["a", None, "b", "a"]).dictionary_encode(), {}),
    TestCase("large text", pa.array(["x" * 1000, ""], pa.large_string()), {}),
    TestCase("bytes of a fixed size", pa.array([b"abcd"], pa.binary(4)), {}),
    TestCase("lists", pa.array([[1, None], [], None]), {}),
    TestCase("structs", pa.array([{"a": 1, "b": "x"}, None]), {}),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_values_are_those_of_the_file(case: TestCase, tmp_path: Path) -> None:
    pq.write_table(pa.table({"v": case.column}), tmp_path / "a.parquet", **case.options)
    ours = [_alike(value) for value in served(tmp_path).column("v").to_pylist()]
    assert ours == [_alike(row[0]) for row in by_duckdb(tmp_path)]
    assert len(ours) == len(case.column)


def _alike(value: Any) -> Any:
    """A value without its time zone, which one reader names and the other applies."""
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value.astimezone(dt.UTC).replace(tzinfo=None)
    return value


def test_nanoseconds_keep_their_digits(tmp_path: Path) -> None:
    column = pa.array([1, 1_700_000_000_123_456_789], pa.timestamp("ns"))
    pq.write_table(pa.table({"v": column}), tmp_path / "a.parquet")
    assert served(tmp_path).column("v").combine_chunks().equals(column)


@dataclass(frozen=True)
class Pair:
    """Columns of two files, and what is served of both, or the column that is refused."""

    __test__ = False
    name: str
    columns: tuple[pa.Array, pa.Array]
    want: list[Any] | None


PAIRS = [
    Pair("a wider number", (pa.array([1], pa.int32()), pa.array([2**40])), [1, 2**40]),
    Pair("more digits", (pa.array([Decimal("1.5")]), pa.array([Decimal("2.125")])),
         [Decimal("1.500"), Decimal("2.125")]),
    Pair("whole numbers beside fractions", (pa.array([7]), pa.array([0.5])), [7.0, 0.5]),
    Pair("a whole number that is no double", (pa.array([2**53 + 1]), pa.array([0.5])), None),
    Pair("a number that has no sign", (pa.array([2**64 - 1], pa.uint64()), pa.array([-1])), None),
    Pair("a date past nanoseconds", (pa.array([DATES[0]], pa.timestamp("us")),
         pa.array([1], pa.timestamp("ns"))), None),
    Pair("text beside numbers", (pa.array(["a"]), pa.array([1])), None),
]  # fmt: skip


@pytest.mark.parametrize("case", PAIRS, ids=lambda case: case.name)
def test_files_of_several_types(case: Pair, tmp_path: Path) -> None:
    for name, column in zip("ab", case.columns, strict=True):
        pq.write_table(pa.table({"v": column}), tmp_path / f"{name}.parquet")
    if case.want is None:
        with pytest.raises(ValueError, match=r"\bv\b"):
            served(tmp_path)
    else:
        assert served(tmp_path).column("v").to_pylist() == case.want


@dataclass(frozen=True)
class Both:
    """A column that the path and the file have, and whether they agree."""

    __test__ = False
    name: str
    folder: str
    column: pa.Array
    agrees: bool = True


BOTH = [
    Both("int64", "1", pa.array([1, 1], pa.int64())),
    Both("large text", "de", pa.array(["de", "de"], pa.large_string())),
    Both("a date", "2026-01-02", pa.array([dt.date(2026, 1, 2)] * 2)),
    Both("text that looks like a number", "01", pa.array(["01", "01"])),
    Both("a number with a zero before it", "01", pa.array([1, 1])),
    Both("words", "a", pa.array(["a", "a"]).dictionary_encode()),
    Both("no value", "__HIVE_DEFAULT_PARTITION__", pa.array([None, None], pa.int64())),
    Both("another value", "1", pa.array([1, 2]), agrees=False),
    Both("a null among them", "1", pa.array([1, None]), agrees=False),
    Both("no number", "x", pa.array([1, 1]), agrees=False),
]


@pytest.mark.parametrize("case", BOTH, ids=lambda case: case.name)
def test_a_column_of_the_path_that_is_in_the_file(case: Both, tmp_path: Path) -> None:
    folder = tmp_path / f"k={case.folder}"
    folder.mkdir()
    pq.write_table(pa.table({"k": case.column, "v": [1, 2]}), folder / "a.parquet")
    if not case.agrees:
        with pytest.raises(ValueError, match=r"a\.parquet: column k: "):
            served(tmp_path)
        return
    table = served(tmp_path)
    assert table.column("k").to_pylist() == case.column.to_pylist()
    assert not pa.types.is_dictionary(table.schema.field("k").type)
    assert [(row[0], row[1]) for row in by_duckdb(tmp_path)] == [
        (row["k"], row["v"]) for row in table.to_pylist()
    ]
