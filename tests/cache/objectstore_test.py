"""Sources behind a network: a real S3 server on the loopback, at full speed and slow."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq
import pytest
from tests.cache.proxy import Proxy
from tests.cache.running import Running, eventually, ids

from trainc.cache.sources.source import Source

ROWS = 20_000
KEYS = {"ACCESS_KEY_ID": "key", "SECRET_ACCESS_KEY": "secret", "REGION": "us-east-1"}


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    """Port of an S3 server with bucket ``lake``: rows/ (Parquet) and rows-other/ (not ours)."""
    moto = pytest.importorskip("moto.server", reason="needs moto[server]")
    running = moto.ThreadedMotoServer("127.0.0.1", 0)
    running.start()
    _, port = running.get_host_and_port()
    options = {"access_key": "key", "secret_key": "secret", "region": "us-east-1"}
    endpoint = {"scheme": "http", "endpoint_override": f"127.0.0.1:{port}"}
    store = pafs.S3FileSystem(**options, **endpoint, allow_bucket_creation=True)
    store.create_dir("lake")
    ids = pa.array(range(ROWS), pa.int64())
    table = pa.table({"id": ids, "text": [f"{i}".ljust(200, "x") for i in range(ROWS)]})
    for part in range(4):
        piece = table.slice(part * ROWS // 4, ROWS // 4)
        path = f"lake/rows/part-{part}.parquet"
        pq.write_table(piece, path, filesystem=store, row_group_size=500, compression="none")
    pq.write_table(table.slice(0, 7), "lake/rows-other/x.parquet", filesystem=store)
    try:
        yield int(port)
    finally:
        running.stop()


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_a_prefix_in_s3(server: int, credentials: pytest.MonkeyPatch, tmp_path: Path) -> None:
    credentials.setenv("ENDPOINT", f"http://127.0.0.1:{server}")
    running = Running(Source("parquet", "s3://lake/rows", "rows"), tmp_path).wait_ready()
    try:
        assert ids(running.dataset()) == list(range(ROWS))
        # What the head sends to workers names files, never secrets.
        sent = running.coordinator.plan().assignment(0).encode()
        assert b"lake/rows/part-0.parquet" in sent
        assert KEYS["SECRET_ACCESS_KEY"].encode() not in sent
    finally:
        running.close()


def test_an_iceberg_table_in_s3(
    server: int, credentials: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from pyiceberg.catalog.sql import SqlCatalog

    endpoint = f"http://127.0.0.1:{server}"
    credentials.setenv("ENDPOINT", endpoint)
    properties = {
        "s3.endpoint": endpoint,
        "s3.access-key-id": "key",
        "s3.secret-access-key": "secret",
        "s3.region": "us-east-1",
    }
    uri = f"sqlite:///{tmp_path}/catalog.db"
    catalog = SqlCatalog("test", uri=uri, warehouse="s3://lake/warehouse", **properties)
    catalog.create_namespace("db")
    data = pa.table({"id": pa.array(range(1000), pa.int64())})
    table = catalog.create_table("db.rows", data.schema)
    table.append(data)
    source = Source("iceberg", table.metadata_location, "db.rows")
    running = Running(source, tmp_path / "spill").wait_ready()
    try:
        assert ids(running.dataset()) == list(range(1000))
    finally:
        running.close()


def test_a_slow_source_loads_in_the_background_and_tells_how_far_it_is(
    server: int, credentials: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    slow = Proxy(server, rate=500_000)  # seconds, so that a busy machine sees some of them
    credentials.setenv("ENDPOINT", f"http://127.0.0.1:{slow.port}")
    running = Running(Source("parquet", "s3://lake/rows", "rows"), tmp_path)
    try:
        seen = set()

        def progress() -> bool:
            state = running.act("stats")
            seen.add(sum(worker.get("rows", 0) for worker in state.get("workers", ())))
            return bool(state["ready"])

        eventually(progress, 60)
        assert seen & set(range(1, ROWS)), "no progress was seen between nothing and all"
        assert ids(running.dataset()) == list(range(ROWS))
    finally:
        running.close()
        slow.close()


def test_a_source_that_stops_to_answer_is_read_to_the_end_later(
    server: int, credentials: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shaky = Proxy(server, cuts=[400_000, 300_000, 200_000])
    credentials.setenv("ENDPOINT", f"http://127.0.0.1:{shaky.port}")
    running = Running(Source("parquet", "s3://lake/rows", "rows"), tmp_path)
    try:
        running.wait_ready(90)
        assert shaky.made >= 3
        assert ids(running.dataset()) == list(range(ROWS))
    finally:
        running.close()
        shaky.close()
