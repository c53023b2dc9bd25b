"""What breaks in a cluster: workers killed, heads restarted, sources gone, slow or too large."""

import os
import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import flight
from tests.cache.running import eventually, ids, write_parquet

from trainc.cache.client import CacheDataset
from trainc.cache.local import LocalCache

ROWS = 30_000
WIDTH = 1_000
WAIT = 90.0
long = pytest.mark.cache_long


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_parquet(tmp_path / "data", (10_000, 20_000), width=WIDTH, groups=8)
    return tmp_path / "data"


@pytest.fixture
def cache(data: Path) -> Iterator[LocalCache]:
    with LocalCache(write_parquet(data, (10_000, 20_000), width=WIDTH, groups=8)) as running:
        running.wait_ready(WAIT)
        yield running


def dataset(cache: LocalCache, **options: Any) -> CacheDataset:
    return CacheDataset(cache.address, rank=0, world=1, patience=WAIT, **options)


def reload_from_source(cache: LocalCache, index: int) -> None:
    """Bring a killed worker back with an empty disk, as on another node."""
    shutil.rmtree(cache.workers[index].spill)
    cache.workers[index].start()


@pytest.mark.parametrize("seed", [pytest.param(None, marks=long), 8])
def test_a_worker_killed_in_mid_stream_loses_no_row(
    cache: LocalCache, caplog: pytest.LogCaptureFixture, seed: int | None
) -> None:
    batches = iter(dataset(cache, seed=seed, ahead=1))
    found = [next(batches) for _ in range(3)]
    cache.workers[0].kill()
    cache.workers[1].kill()
    back = threading.Timer(0.5, lambda: [reload_from_source(cache, i) for i in (0, 1)])
    back.start()
    found += batches
    back.join()
    assert sorted(ids(found)) == list(range(ROWS))
    assert "next try in" in caplog.text
    cache.wait_ready(WAIT)


@long
def test_the_head_refuses_while_a_range_is_missing_and_says_which(cache: LocalCache) -> None:
    cache.workers[1].kill()
    eventually(lambda: not cache.stats()["ready"])
    table = flight.FlightDescriptor.for_path("data")
    with cache.security.connect(cache.address) as client:
        message = rf"missing rows \[15000, 30000\) on {cache.workers[1].address}: unreachable"
        with pytest.raises(flight.FlightUnavailableError, match=message):
            client.get_flight_info(table)
        assert client.get_schema(table).schema.names == ["id", "text"]
    reload_from_source(cache, 1)
    assert cache.wait_ready(WAIT)["missing"] == []
    assert sorted(ids(dataset(cache))) == list(range(ROWS))


def test_a_head_that_comes_back_takes_up_the_plan_of_its_workers(
    cache: LocalCache, data: Path
) -> None:
    before = cache.stats()
    batches = iter(dataset(cache, seed=1, ahead=1))
    found = [next(batches)]
    assert cache.head
    cache.head.kill()
    shutil.rmtree(data)
    found += batches
    assert sorted(ids(found)) == list(range(ROWS))
    cache.head.start()
    after = cache.wait_ready(WAIT)
    assert (after["cache"], after["snapshot"]) == (before["cache"], before["snapshot"])
    assert [w["pid"] for w in after["workers"]] == [w["pid"] for w in before["workers"]]
    assert sorted(ids(dataset(cache))) == list(range(ROWS))


def test_a_source_file_that_is_gone(cache: LocalCache, data: Path) -> None:
    """What is loaded stays served, restarts included; what must be read again is missing."""
    gone = data / "part-001.parquet"
    gone.unlink()
    assert sorted(ids(dataset(cache))) == list(range(ROWS))
    cache.workers[1].kill()
    cache.workers[1].start()  # its files are still there
    cache.wait_ready(WAIT)
    assert sorted(ids(dataset(cache))) == list(range(ROWS))
    cache.workers[1].kill()
    reload_from_source(cache, 1)
    state = eventually(lambda: _failed(cache), WAIT)
    assert state["missing"][0]["rows"] == [15000, 30000]
    assert "part-001.parquet" in state["missing"][0]["reason"]
    write_parquet(data, (10_000, 20_000), width=WIDTH, groups=8)  # and comes back
    cache.wait_ready(WAIT)
    assert sorted(ids(dataset(cache))) == list(range(ROWS))


def _failed(cache: LocalCache) -> dict[str, Any] | None:
    state = cache.stats()
    return state if any(worker.get("error") for worker in state["workers"]) else None


@long
def test_a_source_that_is_not_there_yet(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "data", (100,))
    moved = (tmp_path / "data").rename(tmp_path / "elsewhere")
    with LocalCache(source) as running:
        state = eventually(lambda: _with_error(running), WAIT)
        assert "FileNotFoundError" in state["error"] and not state["ready"]
        client = running.security.connect(running.address)
        with pytest.raises(flight.FlightUnavailableError, match="data: FileNotFoundError"):
            client.get_flight_info(flight.FlightDescriptor.for_path("data"))
        moved.rename(tmp_path / "data")
        running.wait_ready(WAIT)
        assert sorted(ids(dataset(running))) == list(range(100))


def _with_error(cache: LocalCache) -> dict[str, Any] | None:
    state = cache.stats()
    return state if state.get("error") else None


@long
def test_a_reload_takes_up_what_is_new_and_old_tickets_are_refused(
    cache: LocalCache, data: Path
) -> None:
    table = flight.FlightDescriptor.for_path("data")
    with cache.security.connect(cache.address) as client:
        old = client.get_flight_info(table).endpoints[0]
        same = cache.stats()["cache"]
        list(client.do_action("reload"))
        assert cache.stats()["cache"] == same
        write_parquet(data, (10_000, 20_000, 5_000), width=WIDTH)
        list(client.do_action("reload"))
        state = cache.wait_ready(WAIT)
        assert (state["rows"], state["cache"] != same) == (35_000, True)
    assert sorted(ids(dataset(cache))) == list(range(35_000))
    worker = flight.connect(old.locations[0])
    with pytest.raises(pa.ArrowInvalid, match="stale ticket"):
        worker.do_get(old.ticket).read_all()


@long
def test_a_forced_reload_reads_the_same_again(cache: LocalCache) -> None:
    stats = cache.stats()
    with cache.security.connect(cache.address) as client:
        list(client.do_action(flight.Action("reload", b'{"force": true}')))
        assert not cache.stats()["ready"]
    assert cache.wait_ready(WAIT)["cache"] == stats["cache"]
    assert sorted(ids(dataset(cache))) == list(range(ROWS))


@long
def test_two_caches_stand_side_by_side(tmp_path: Path) -> None:
    """Ports and folders are the processes' own."""
    sources = [write_parquet(tmp_path / name, (n,)) for name, n in (("a", 10), ("b", 20))]
    with LocalCache(sources[0], workers=1) as a, LocalCache(sources[1], workers=1) as b:
        a.wait_ready(WAIT)
        b.wait_ready(WAIT)
        assert [len(dataset(a)), len(dataset(b))] == [10, 20]


@long
def test_probes(tmp_path: Path) -> None:
    """A head is alive before, and ready only after, its rows are held."""
    source = write_parquet(tmp_path / "data", (100,))
    (tmp_path / "data").rename(tmp_path / "elsewhere")
    with LocalCache(source, workers=1, environ={**os.environ, "PYTHONUNBUFFERED": "1"}) as running:
        ports = [process.health_port for process in running.processes]
        assert [_probe(port, "/healthz") for port in ports] == [200, 200]
        assert [_probe(port, "/ready") for port in ports] == [503, 503]
        assert [_probe(port, "/other") for port in ports] == [404, 404]
        (tmp_path / "elsewhere").rename(tmp_path / "data")
        running.wait_ready(WAIT)
        assert [_probe(port, "/ready") for port in ports] == [200, 200]


def _probe(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@long
def test_no_process_is_left_behind(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "data", (100,))
    with LocalCache(source) as running:
        running.wait_ready(WAIT)
        pids = [process.pid for process in running.processes]
        spills = [worker.spill for worker in running.workers]
        assert all(spill.is_dir() for spill in spills)
    assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)
    assert not any(spill.exists() for spill in spills)
