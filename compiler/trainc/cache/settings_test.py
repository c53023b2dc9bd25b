from dataclasses import dataclass, field
from pathlib import Path

import pytest

from trainc.cache.settings import name_of, settings, source, workers
from trainc.cache.sources.source import Source
from trainc.errors import TraincError

METADATA = "s3://lake/db/reviews/metadata/v3.metadata.json"


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    environ: dict[str, str]
    want: Source | None = None
    message: str = ""
    addresses: tuple[str, ...] = field(default=())


@pytest.mark.parametrize(
    "case",
    [
        TestCase(
            "the reference's three",
            {"METADATA_LOC": METADATA, "SCHEMA_NAME": "db", "TABLE_NAME": "reviews"},
            Source("iceberg", METADATA, "db.reviews"),
        ),
        TestCase(
            "a cache URI and a catalog",
            {"STORAGE_URI": "cache://db/reviews", "CATALOG_NAME": "lake", "SNAPSHOT_ID": "7"},
            Source("iceberg", "", "db.reviews", "7", catalog="lake"),
        ),
        TestCase(
            "a metadata file as a URI",
            {"STORAGE_URI": f"cache+iceberg://{METADATA}"},
            Source("iceberg", METADATA, "reviews"),
        ),
        TestCase(
            "a prefix, columns and a filter",
            {
                "STORAGE_URI": "cache+parquet://s3://lake/rows",
                "COLUMNS": "a, b,",
                "ROW_FILTER": "a > 5",
                "METADATA_LOC": METADATA,
            },
            Source("parquet", "s3://lake/rows", "rows", "", ("a", "b"), "a > 5"),
        ),
        TestCase(
            "a local folder, named",
            {"STORAGE_URI": "cache+csv:///data/x/", "SCHEMA_NAME": "s", "TABLE_NAME": "t"},
            Source("csv", "/data/x/", "s.t"),
        ),
    ],
    ids=lambda case: case.name,
)
def test_source(case: TestCase) -> None:
    assert source(case.environ) == case.want


@pytest.mark.parametrize(
    "case",
    [
        TestCase("nothing", {}, message="no table named: set STORAGE_URI"),
        TestCase(
            "no metadata",
            {"SCHEMA_NAME": "db", "TABLE_NAME": "t"},
            message="db.t: where is its metadata\\? set METADATA_LOC or CATALOG_NAME",
        ),
        TestCase(
            "three words",
            {"STORAGE_URI": "cache://a/b/c"},
            message="expected format cache://<SCHEMA_NAME>/<TABLE_NAME>",
        ),
        TestCase(
            "another scheme", {"STORAGE_URI": "hf://a/b"}, message="not a source of the cache"
        ),
        TestCase("another kind", {"STORAGE_URI": "cache+lance://a"}, message="cache\\+parquet://"),
        TestCase("no place", {"STORAGE_URI": "cache+parquet://"}, message="not a source"),
    ],
    ids=lambda case: case.name,
)
def test_sources_that_are_refused(case: TestCase) -> None:
    with pytest.raises(TraincError, match=case.message):
        source(case.environ)


@pytest.mark.parametrize(
    "case",
    [
        TestCase(
            "a LeaderWorkerSet",
            {"LWS_LEADER_ADDRESS": "job-cache-0.job-cache.ns", "LWS_GROUP_SIZE": "3"},
            addresses=("job-cache-0-1.job-cache.ns:50051", "job-cache-0-2.job-cache.ns:50051"),
        ),
        TestCase(
            "the reference's local switch",
            {"RUNTIME_ENV": "local"},
            addresses=("localhost:50052", "localhost:50053"),
        ),
        TestCase(
            "a list goes before all",
            {"TRAINC_CACHE_WORKERS": "a:1, b:2", "RUNTIME_ENV": "x", "LWS_LEADER_ADDRESS": "l.d"},
            addresses=("a:1", "b:2"),
        ),
    ],
    ids=lambda case: case.name,
)
def test_workers(case: TestCase) -> None:
    assert workers(case.environ) == case.addresses


@pytest.mark.parametrize(
    "environ", [{}, {"LWS_LEADER_ADDRESS": "l.d", "LWS_GROUP_SIZE": "1"}, {"LWS_GROUP_SIZE": "4"}]
)
def test_a_head_without_workers_is_refused(environ: dict[str, str]) -> None:
    with pytest.raises(TraincError, match="no worker to hold the rows"):
        workers(environ)


@pytest.mark.parametrize(("text", "want"), [("", 192 << 20), ("1000", 1000), ("2Gi", 2 << 30)])
def test_memory(text: str, want: int) -> None:
    assert settings({"TRAINC_CACHE_MEMORY_LIMIT": text}).memory == want


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"TRAINC_CACHE_MEMORY_LIMIT": "much"}, "TRAINC_CACHE_MEMORY_LIMIT"),
        ({"TRAINC_CACHE_MEMORY_LIMIT": "0"}, "TRAINC_CACHE_MEMORY_LIMIT"),
        ({"HEALTH_PORT": "x"}, "HEALTH_PORT: a whole number"),
        ({"TRAINC_CACHE_TLS_CERT": "/no/such"}, "TRAINC_CACHE_TLS_CERT: no file /no/such"),
    ],
)
def test_settings_that_are_refused(environ: dict[str, str], message: str) -> None:
    with pytest.raises(TraincError, match=message):
        settings(environ)


def test_the_spill_folder_is_the_processes_own_unless_it_is_given(tmp_path: Path) -> None:
    assert settings({}).own_spill
    given = settings({"TRAINC_CACHE_SPILL_DIR": str(tmp_path)})
    assert (given.spill, given.own_spill) == (tmp_path, False)


@pytest.mark.parametrize(
    ("location", "name"),
    [
        ("s3://lake/rows/", "rows"),
        ("/data/rows.parquet", "rows"),
        (METADATA, "reviews"),
        ("v1.metadata.json", "v1.metadata.json"),
        ("/", "table"),
    ],
)
def test_a_place_gives_a_name(location: str, name: str) -> None:
    assert name_of(location) == name
