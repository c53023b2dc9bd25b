"""How fast a table is loaded, and in how much memory."""

import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds

from trainc import names
from trainc.cache.coordinator import Coordinator
from trainc.cache.local import LocalCache, Process, environment
from trainc.cache.security import Security
from trainc.cache.sources.source import Source

_WARM_SECONDS = 4.0  # the loaders import meanwhile, as they do while a cluster starts
_WORKERS = 2


@dataclass(frozen=True)
class Load:
    """Seconds from the head's start to the last row served; the most a worker held meanwhile."""

    seconds: float
    anonymous: int


def load(source: Source, environ: dict[str, str]) -> Load:
    """Load a table into two new workers."""
    with tempfile.TemporaryDirectory(prefix="bench-load-") as folder:
        workers = []
        for index in range(_WORKERS):
            own = {names.CACHE_SPILL_ENV: f"{folder}/w{index}", names.HEALTH_PORT_ENV: "0"}
            told = {**environ, **environment(source), **own}
            workers.append(Process(names.CACHE_WORKER, told).wait_listening())
        time.sleep(_WARM_SECONDS)
        coordinator = Coordinator(source, [w.address for w in workers], Security(), 20.0)
        memory = Memory([worker.pid for worker in workers])
        start = time.perf_counter()
        coordinator.start()
        while not coordinator.ready:
            time.sleep(0.002)
        seconds = time.perf_counter() - start
        most = memory.stop()
        coordinator.stop()
        for worker in workers:
            worker.terminate()
        return Load(seconds, most)


class Memory:
    """Watches the anonymous memory of processes and their children."""

    def __init__(self, pids: list[int]) -> None:
        self.most = 0
        self._pids = pids
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> int:
        """The most that one of them and its children held together, in bytes."""
        self._stopped.set()
        self._thread.join()
        return self.most

    def _run(self) -> None:
        while not self._stopped.wait(0.02):
            for pid in self._pids:
                self.most = max(self.most, sum(anonymous(p) for p in [pid, *_children(pid)]))


def anonymous(pid: int) -> int:
    """Bytes of a process that are not file-backed; 0 where it has ended."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    [line] = [line for line in text.splitlines() if line.startswith("Anonymous:")]
    return int(line.split()[1]) * 1024


def serving_memory(cache: LocalCache) -> int:
    """The most that a worker holds, in bytes."""
    return max(anonymous(worker.pid) for worker in cache.workers)


def dataset_alone(path: Path) -> float:
    """Seconds that pyarrow.dataset takes to read the same files and keep nothing."""
    return _in_a_process(f"import cache_load as c; c.read_dataset({str(path)!r})")


def pyiceberg_alone(metadata: str) -> float:
    """Seconds that pyiceberg's reader takes to write the same rows into one IPC file."""
    return _in_a_process(f"import cache_load as c; c.write_by_pyiceberg({metadata!r})")


def read_dataset(path: str) -> None:
    """In a process of its own: prints the seconds."""
    _timed(lambda: [None for _ in ds.dataset(path).to_batches()])


def write_by_pyiceberg(metadata: str) -> None:
    """In a process of its own: prints the seconds."""
    from pyiceberg.table import StaticTable

    def write() -> None:
        reader = StaticTable.from_metadata(metadata).scan().to_arrow_batch_reader()
        with tempfile.TemporaryDirectory(prefix="bench-load-") as folder:
            sink = pa.OSFile(f"{folder}/rows.arrow", "wb")
            with sink, pa.ipc.new_file(sink, reader.schema) as writer:
                for batch in reader:
                    writer.write_batch(batch)

    _timed(write)


def _timed(act: Callable[[], object]) -> None:
    start = time.perf_counter()
    act()
    print(time.perf_counter() - start)


def _in_a_process(code: str) -> float:
    here = str(Path(__file__).parent)
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=here, check=True, capture_output=True, text=True)
    return float(done.stdout)


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(word) for word in text.split()]


def median_load(loads: list[Load]) -> Load:
    """The median of the seconds, the most of the memory."""
    seconds = statistics.median(one.seconds for one in loads)
    return Load(seconds, max(one.anonymous for one in loads))
