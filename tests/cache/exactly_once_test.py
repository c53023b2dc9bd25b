"""Each row exactly once over real connections that are cut at any byte."""

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import flight
from tests.cache.proxy import Proxy
from tests.cache.running import Running, eventually, ids, write_parquet

from trainc.cache.client import CacheDataset
from trainc.cache.shard import Policy

# `make prove-cache` takes many more.
EXAMPLES = int(os.environ.get("TRAINC_CACHE_EXAMPLES", "8"))
ROWS = 7_003
WIDTH = 1_000  # 7 MB: several batches for each worker


@dataclass(frozen=True)
class Cut:
    cache: Running
    proxies: list[Proxy]


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cut]:
    folder = tmp_path_factory.mktemp("cuts")
    source = write_parquet(folder / "data", (3_000, 4_003), width=WIDTH)
    proxies: list[Proxy] = []

    def through_proxies(ports: object) -> list[str]:
        assert isinstance(ports, list)
        proxies.extend(Proxy(port) for port in ports)
        return [f"127.0.0.1:{proxy.port}" for proxy in proxies]

    running = Running(source, folder / "spill", workers=3, addresses=through_proxies)
    try:
        yield Cut(running.wait_ready(), proxies)
    finally:
        running.close()
        for proxy in proxies:
            proxy.close()


def test_the_head_refuses_while_a_range_is_missing_and_says_which(cut: Cut) -> None:
    table = flight.FlightDescriptor.for_path("db", "rows")
    proxy = cut.proxies[1]
    proxy.closed = True
    proxy.cut()
    eventually(lambda: not cut.cache.coordinator.ready)
    message = rf"missing rows \[2335, 4669\) on 127.0.0.1:{proxy.port}: unreachable"
    with pytest.raises(flight.FlightUnavailableError, match=message):
        cut.cache.client().get_flight_info(table)
    assert cut.cache.act("health") == {"ready": False}
    assert cut.cache.client().get_schema(table).schema.names == ["id", "text"]
    proxy.closed = False
    cut.cache.wait_ready()
    assert cut.cache.act("stats")["missing"] == []


@pytest.mark.parametrize("computes", [False, True])
def test_a_worker_that_hangs_is_asked_again(cut: Cut, computes: bool) -> None:
    batches = _paced(cut.cache.dataset(ahead=1, stall=0.5), computes)
    found = [next(batches)]
    for proxy in cut.proxies:
        proxy.silent = True
    back = threading.Timer(1.5, lambda: [_speak(proxy) for proxy in cut.proxies])
    back.start()
    found += batches
    assert ids(found) == list(range(ROWS))


def _read(dataset: CacheDataset, computes: bool) -> list[int]:
    return ids(_paced(dataset, computes))


def _paced(dataset: CacheDataset, computes: bool) -> Iterator[pa.RecordBatch]:
    """The batches as a reader takes them that computes (so it is read ahead for) or does not."""
    for batch in dataset:
        yield batch
        if computes:
            time.sleep(0.002)


def _speak(proxy: Proxy) -> None:
    proxy.silent = False


KILLS = st.lists(st.integers(1, 3_000_000), max_size=4)


@pytest.mark.parametrize("seed", [None, 4])
def test_a_stream_that_is_cut_goes_on(cut: Cut, seed: int | None) -> None:
    for proxy in cut.proxies:
        proxy.made, proxy.cuts = 0, [300_000, 5, 900_000]
    want = [*range(ROWS)] if seed is None else None
    found = ids(cut.cache.dataset(seed=seed))
    assert found == (want or found)
    assert sorted(found) == list(range(ROWS))
    assert sum(proxy.made for proxy in cut.proxies) >= 3


@given(
    kills=st.tuples(KILLS, KILLS, KILLS),
    world=st.integers(1, 4),
    parts=st.integers(1, 3),
    seed=st.none() | st.integers(0, 2**31),
    epoch=st.integers(0, 5),
    block=st.sampled_from([0, 97, 1000]),
    policy=st.sampled_from(["even", "pad", "drop"]),
    computes=st.booleans(),
)
@settings(deadline=None, max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
def test_the_union_is_the_table_wherever_streams_are_cut(
    cut: Cut,
    kills: tuple[list[int], ...],
    world: int,
    parts: int,
    seed: int | None,
    epoch: int,
    block: int,
    policy: Policy,
    computes: bool,
) -> None:
    for proxy, cuts in zip(cut.proxies, kills, strict=True):
        proxy.cuts = list(cuts)
    seen: Counter[int] = Counter()
    sizes = []
    for rank in range(world):
        dataset = cut.cache.dataset(
            rank=rank, world=world, seed=seed, epoch=epoch, block=block, policy=policy
        )
        rows = [row for part in range(parts) for row in _read(dataset.split(part, parts), computes)]
        seen.update(rows)
        sizes.append(len(rows))
    table = Counter(range(ROWS))
    if policy == "even":
        assert seen == table
        assert max(sizes) - min(sizes) <= 1
    elif policy == "drop":
        assert seen <= table
        assert set(sizes) == {ROWS // world}
    else:
        assert set(seen) == set(table)
        assert set(sizes) == {-(-ROWS // world)}
