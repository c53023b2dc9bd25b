"""Which files of a folder count, and what their paths say."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pytest

from trainc.cache.sources.listing import list_files
from trainc.cache.sources.source import Kind, Source


@dataclass(frozen=True)
class TestCase:
    """Names of files (one that ends with / is an empty file), and those that count."""

    __test__ = False
    name: str
    kind: Kind
    files: tuple[str, ...]
    want: tuple[str, ...]
    passed_over: tuple[str, ...] = ()
    patterns: tuple[str, ...] = field(default=())


CASES = [
    TestCase("a README beside", "parquet", ("README.md", "LICENSE", "a.parquet", "b.PARQUET"),
             ("a.parquet", "b.PARQUET"), ("LICENSE", "README.md")),
    TestCase("marks of Spark", "parquet", ("_SUCCESS", ".a.parquet.crc", "a.parquet",
             "_temporary/b.parquet", ".cache/huggingface/c.parquet"), ("a.parquet",)),
    TestCase("CSV, packed too", "csv", ("a.csv", "b.csv.gz", "c.tsv", "notes"),
             ("a.csv", "b.csv.gz"), ("c.tsv", "notes")),
    TestCase("no ending at all", "parquet", ("part-00000", "part-00001"),
             ("part-00000", "part-00001")),
    TestCase("a choice", "parquet", ("train-0.parquet", "test-0.parquet"), ("train-0.parquet",),
             ("test-0.parquet",), ("train-*",)),
    TestCase("a choice by folder", "parquet", ("en/a.parquet", "de/a.parquet"), ("de/a.parquet",),
             ("en/a.parquet",), ("de/*",)),
    TestCase("a choice of another ending", "csv", ("a.txt", "b.csv"), ("a.txt",), ("b.csv",),
             ("*.txt",)),
    TestCase("below folders", "orc", ("x/y/a.orc", "x/b.orc", "x/c.json"),
             ("x/b.orc", "x/y/a.orc"), ("x/c.json",)),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_files_that_count(case: TestCase, tmp_path: Path) -> None:
    for name in case.files:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    listing = list_files(Source(case.kind, str(tmp_path), "rows", files=case.patterns))
    assert [str(Path(f.path).relative_to(tmp_path)) for f in listing.files] == [*case.want]
    assert listing.passed_over == case.passed_over


@pytest.mark.parametrize("name", ["a#b", "a?b=c", "a%20b", "a b", "é"])
def test_names_are_taken_letter_by_letter(name: str, tmp_path: Path) -> None:
    file = tmp_path / name / f"{name}.parquet"
    file.parent.mkdir()
    file.write_text("x")
    for location in (str(file), str(file.parent), f"file://{file.parent}"):
        assert [f.path for f in list_files(Source("parquet", location, "rows")).files] == [
            str(file)
        ]


@dataclass(frozen=True)
class PartitionCase:
    __test__ = False
    values: tuple[str, ...]
    want: pa.DataType
    read: tuple[str | None, ...]


@pytest.mark.parametrize("case", [
    PartitionCase(("1", "-2"), pa.int32(), ("-2", "1")),
    PartitionCase(("01", "02"), pa.int32(), ("01", "02")),
    PartitionCase(("1", "3000000000"), pa.int64(), ("1", "3000000000")),
    PartitionCase(("1", "99999999999999999999"), pa.string(), ("1", "99999999999999999999")),
    PartitionCase(("a%2Fb", "1"), pa.string(), ("1", "a/b")),
    PartitionCase(("__HIVE_DEFAULT_PARTITION__", "7"), pa.int32(), ("7", None)),
    PartitionCase(("2026-01-01",), pa.string(), ("2026-01-01",)),
], ids=lambda case: ",".join(case.values))  # fmt: skip
def test_columns_of_the_path(case: PartitionCase, tmp_path: Path) -> None:
    for value in case.values:
        file = tmp_path / f"k={value}" / "a.parquet"
        file.parent.mkdir()
        file.write_text("x")
    listing = list_files(Source("parquet", str(tmp_path), "rows"))
    assert listing.partition_types == {"k": case.want}
    assert sorted((f.partition["k"] for f in listing.files), key=str) == [*case.read]


def test_no_file_counts(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no parquet file"):
        list_files(Source("parquet", str(tmp_path), "rows"))
    (tmp_path / "a.parquet").write_text("x")
    with pytest.raises(ValueError, match=r"no x-\* file"):
        list_files(Source("parquet", str(tmp_path), "rows", files=("x-*",)))
    with pytest.raises(FileNotFoundError, match="no such file or folder"):
        list_files(Source("parquet", str(tmp_path / "gone"), "rows"))
