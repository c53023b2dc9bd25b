import ctypes
from pathlib import Path

import pytest

from trainc.cache.allocator import keep_buffers
from trainc.cache.local import environment, kind_of
from trainc.cache.settings import source
from trainc.cache.sources.source import Kind, Source


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ([], "parquet"),
        (["a.parquet", "b.csv"], "parquet"),
        (["a.csv", "b.csv"], "csv"),
        (["sub/a.feather"], "arrow"),
        (["a.orc", "_SUCCESS"], "orc"),
        (["a.orc", "b.csv"], "parquet"),
    ],
)
def test_the_kind_of_a_folder(files: list[str], kind: Kind, tmp_path: Path) -> None:
    for file in files:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    assert kind_of(str(tmp_path)) == kind


@pytest.mark.parametrize(
    ("place", "kind"),
    [("/x/v1.metadata.json", "iceberg"), ("s3://lake/rows", "parquet"), ("rows.csv", "csv")],
)
def test_the_kind_of_a_place(place: str, kind: Kind) -> None:
    assert kind_of(place) == kind


def test_the_environment_says_the_source_again() -> None:
    wanted = Source("parquet", "s3://lake/rows", "rows", "7", ("a", "b"), "a > 5")
    assert source(environment(wanted)) == wanted


def test_malloc_is_left_alone_where_that_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise AssertionError("malloc was touched")

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    monkeypatch.setenv("TRAINC_CACHE_MALLOPT", "0")
    assert keep_buffers() is False
    monkeypatch.delenv("TRAINC_CACHE_MALLOPT")
    monkeypatch.setattr("platform.libc_ver", lambda: ("musl", "1.2"))
    assert keep_buffers() is False
