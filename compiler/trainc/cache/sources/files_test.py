from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.orc
import pyarrow.parquet as pq
import pytest

from trainc.cache.plan import Plan
from trainc.cache.sources import opening
from trainc.cache.sources.files import FilesReader, current_snapshot
from trainc.cache.sources.source import Kind, Source, Survey

Rows = list[dict[str, Any]]


def read(survey: Survey, workers: int = 1, size: int = 16) -> Rows:
    """All rows, as so many workers read them."""
    rows: Rows = []
    for index in range(workers):
        assignment = Plan(survey, workers).assignment(index)
        reader = opening.open_reader(assignment.source, assignment.table)
        for part in assignment.parts:
            for batch in reader.batches(part.piece, part.skip, part.take, size):
                assert batch.schema == survey.schema
                rows += batch.to_pylist()
    return rows


def a_source(folder: Path, kind: Kind = "parquet", **options: Any) -> Source:
    return Source(kind, str(folder), "rows", **options)


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    kind: Kind
    write: Callable[[pa.Table, str], object]


@pytest.mark.parametrize(
    "case",
    [
        TestCase("parquet", lambda table, path: pq.write_table(table, path, row_group_size=7)),
        TestCase("csv", pyarrow.csv.write_csv),
        TestCase("arrow", lambda t, path: pyarrow.feather.write_feather(t, path, "lz4")),
        TestCase("orc", pyarrow.orc.write_table),
    ],
    ids=lambda case: case.kind,
)
def test_every_kind_is_read_alike_by_any_number_of_workers(case: TestCase, tmp_path: Path) -> None:
    for number in range(3):
        ids = range(number * 20, number * 20 + 20)
        table = pa.table({"id": ids, "word": [f"w{i}" for i in ids]})
        case.write(table, str(tmp_path / f"{number}.{case.kind}"))
    survey = opening.survey(a_source(tmp_path, case.kind))
    assert [piece.rows for piece in survey.pieces] == [20, 20, 20]
    want = [{"id": i, "word": f"w{i}"} for i in range(60)]
    assert [read(survey, workers) for workers in (1, 3, 7)] == [want] * 3
    narrow = a_source(tmp_path, case.kind, columns=("word",), row_filter="id >= 15 and id < 45")
    assert read(opening.survey(narrow), 4) == [{"word": f"w{i}"} for i in range(15, 45)]


def test_partitions_become_columns(tmp_path: Path) -> None:
    for year, lang in ((2024, "de"), (2025, "en"), (2025, "__HIVE_DEFAULT_PARTITION__")):
        folder = tmp_path / f"year={year}" / f"lang={lang}"
        folder.mkdir(parents=True)
        pq.write_table(pa.table({"id": [year]}), folder / "x.parquet")
    survey = opening.survey(a_source(tmp_path))
    assert {str(f.name): str(f.type) for f in survey.schema} == {
        "id": "int64",
        "lang": "string",
        "year": "int32",
    }
    rows = [(2024, "de", 2024), (2025, None, 2025), (2025, "en", 2025)]
    assert sorted(map(str, read(survey))) == sorted(
        str({"id": i, "lang": lang, "year": year}) for i, lang, year in rows
    )
    only = opening.survey(a_source(tmp_path, row_filter="year = 2025", columns=("lang",)))
    assert sorted(map(str, read(only, 2))) == ["{'lang': 'en'}", "{'lang': None}"]


def test_files_of_different_columns_are_one_table(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": pa.array([1], pa.int32())}), tmp_path / "a.parquet")
    wider = {"id": pa.array([2**40], pa.int64()), "more": ["x"]}
    pq.write_table(pa.table(wider), tmp_path / "b.parquet")
    assert read(opening.survey(a_source(tmp_path))) == [
        {"id": 1, "more": None},
        {"id": 2**40, "more": "x"},
    ]


def test_one_file_is_a_table_and_hidden_files_are_none(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1, 2]}), tmp_path / "a.parquet")
    (tmp_path / "_SUCCESS").write_text("")
    (tmp_path / ".crc").write_text("")
    assert len(read(opening.survey(a_source(tmp_path)))) == 2
    assert len(read(opening.survey(a_source(tmp_path / "a.parquet")))) == 2


def test_a_pinned_listing_is_held_to(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1]}), tmp_path / "a.parquet")
    pinned = a_source(tmp_path, snapshot=current_snapshot(a_source(tmp_path)))
    assert opening.survey(pinned).snapshot == pinned.snapshot
    pq.write_table(pa.table({"id": [2]}), tmp_path / "b.parquet")
    with pytest.raises(ValueError, match="the files are not those of snapshot"):
        opening.survey(pinned)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": ("id", "nope")}, "no column nope in .*; there are: id"),
        ({"row_filter": "nope = 1"}, "nope"),
        ({"row_filter": "id !"}, "not understood from character 1"),
    ],
)
def test_what_does_not_fit_is_said(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1]}), tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=message):
        opening.survey(a_source(tmp_path, **options))


def test_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no parquet file"):
        opening.survey(a_source(tmp_path))
    with pytest.raises(FileNotFoundError):
        opening.survey(a_source(tmp_path / "nowhere"))


def test_reading_starts_at_the_row_group_that_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pq.write_table(pa.table({"id": range(1000)}), tmp_path / "a.parquet", row_group_size=100)
    survey = opening.survey(a_source(tmp_path))
    [piece] = survey.pieces
    reader = opening.open_reader(survey.source, survey.table)
    assert isinstance(reader, FilesReader)
    assert reader.cuts(piece) == list(range(0, 1000, 100))
    decoded: list[int] = []
    whole = pq.ParquetFile.iter_batches

    def counting(self: Any, *given: Any, row_groups: list[int], **more: Any) -> Any:
        decoded.extend(row_groups)
        return whole(self, *given, row_groups=row_groups, **more)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", counting)
    rows = [row for b in reader.batches(piece, 350, 200, 64) for row in b["id"].to_pylist()]
    assert rows == list(range(350, 550))
    assert decoded == [3, 4, 5]


def test_the_size_of_a_row_is_estimated_over_all_files(tmp_path: Path) -> None:
    words = [f"{i:032}" for i in range(20_000)]
    pq.write_table(pa.table({"t": words}), tmp_path / "a.parquet", compression="none")
    survey = opening.survey(a_source(tmp_path))
    assert 32 <= survey.row_bytes <= 40
