"""A cache in this process: real Flight servers on the loopback, real loader processes."""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import flight

from trainc.cache.client import CacheDataset
from trainc.cache.coordinator import Coordinator
from trainc.cache.head import Head
from trainc.cache.security import Security
from trainc.cache.sources.source import Source
from trainc.cache.worker import Worker

MEMORY = 64 << 20
PATIENCE = 30.0


class Running:
    """A head and workers, in threads."""

    def __init__(
        self,
        source: Source,
        spill: Path,
        workers: int = 2,
        security: Security | None = None,
        addresses: Callable[[Sequence[int]], Sequence[str]] | None = None,
    ) -> None:
        self.security = security or Security()
        location = f"{self.security.scheme}://127.0.0.1:0"
        self.workers = [
            Worker(location, self.security, _folder(spill / f"w{index}"), MEMORY)
            for index in range(workers)
        ]
        for worker in self.workers:
            worker.warm(source.kind)
        ports = [worker.port for worker in self.workers]
        listed = addresses(ports) if addresses else [f"127.0.0.1:{port}" for port in ports]
        self.coordinator = Coordinator(source, listed, self.security, 10.0)
        self.head = Head(location, self.security, self.coordinator)
        self.coordinator.start()

    @property
    def address(self) -> str:
        return f"{self.security.scheme}://127.0.0.1:{self.head.port}"

    def dataset(self, **options: Any) -> CacheDataset:
        given: dict[str, Any] = {
            "rank": 0,
            "world": 1,
            "ca": self.security.ca,
            "token": self.security.token,
            "patience": PATIENCE,
        }
        return CacheDataset(self.address, **{**given, **options})

    def client(self) -> flight.FlightClient:
        return self.security.connect(self.address)

    def act(self, name: str, body: bytes = b"", address: str = "") -> Any:
        with self.security.connect(address or self.address) as client:
            results = client.do_action(flight.Action(name, body), self.security.call(10.0))
            return json.loads(next(iter(results)).body.to_pybytes())

    def wait_ready(self, seconds: float = 60.0) -> "Running":
        eventually(lambda: self.coordinator.ready, seconds, lambda: str(self.coordinator.state()))
        return self

    def close(self) -> None:
        self.coordinator.stop()
        self.head.shutdown()
        for worker in self.workers:
            worker.stop()
            worker.shutdown()


def eventually(
    true: Callable[[], Any], seconds: float = 30.0, say: Callable[[], str] = lambda: ""
) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {say()}"
        time.sleep(0.02)
    return found


def write_parquet(folder: Path, counts: Sequence[int], width: int = 0, groups: int = 1) -> Source:
    """Parquet files with ``id`` 0, 1, 2, ... and, where ``width``, a text of so many bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    first = 0
    for number, count in enumerate(counts):
        ids = range(first, first + count)
        columns: dict[str, Any] = {"id": pa.array(ids, pa.int64())}
        if width:
            columns["text"] = [f"{i}-".ljust(width, "x") for i in ids]
        path = folder / f"part-{number:03}.parquet"
        pq.write_table(pa.table(columns), path, row_group_size=max(1, -(-count // groups)))
        first += count
    return Source("parquet", str(folder), "db.rows")


def ids(batches: Any) -> list[int]:
    return [row for batch in batches for row in batch.column("id").to_pylist()]


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path
