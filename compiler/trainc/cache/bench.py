"""Measures a cache as a reader sees it, and the machine's loopback beside it.

In: an address. Out: figures. Every reader is a process of its own, as it is in training; all of
them begin a pass together. The loopback is the ceiling: what can pass through TCP here.
Rates are medians, because the machine is rarely quiet.
"""

import json
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from trainc.cache.child import module_command

LOOPBACK_BYTES: Final = 1 << 30
_BLOCK: Final = 1 << 20
_SAMPLE_ROWS: Final = 1_000_000
MB: Final = 1e6


@dataclass(frozen=True)
class Pass:
    """One pass of all readers over the table.

    Attributes:
        rows: Read by all.
        size: Arrow bytes read by all.
        seconds: From the common start to the last reader's end.
        first: Seconds to the first batch, connecting included, of the slowest reader.
        cpu: CPU seconds of all readers.
    """

    rows: int
    size: int
    seconds: float
    first: float
    cpu: float


@dataclass(frozen=True)
class Figures:
    """The passes, and bytes a second through loopback TCP."""

    passes: tuple[Pass, ...]
    loopback: float

    def median(self, rate: str) -> float:
        """The median of ``rows`` or ``size`` a second."""
        return statistics.median(float(getattr(one, rate)) / one.seconds for one in self.passes)


class Readers:
    """Processes that read disjoint shares of a cache, pass by pass."""

    def __init__(self, commands: Sequence[Sequence[str]]) -> None:
        """Starts them; they connect anew in each pass.

        Args:
            commands: One for each reader; ``main`` says what they answer.
        """
        self._processes = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for command in commands
        ]
        for process in self._processes:
            _answer(process)

    @classmethod
    def of(cls, address: str, clients: int) -> "Readers":
        """Readers of a cache by the shipped client, each its share."""
        line = module_command("trainc.cache.bench", "read", address)
        return cls([[*line, str(rank), str(clients)] for rank in range(clients)])

    def read(self) -> Pass:
        """One pass.

        Raises:
            RuntimeError: A reader failed; the reason is on stderr.
        """
        start = time.perf_counter()
        for process in self._processes:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        answers = [_answer(process) for process in self._processes]
        seconds = time.perf_counter() - start
        return Pass(
            rows=sum(answer["rows"] for answer in answers),
            size=sum(answer["size"] for answer in answers),
            seconds=seconds,
            first=max(answer["first"] for answer in answers),
            cpu=sum(answer["cpu"] for answer in answers),
        )

    def close(self) -> None:
        """End them."""
        for process in self._processes:
            assert process.stdin
            process.stdin.close()
            process.wait()


def measure(address: str, passes: int, clients: int) -> Figures:
    """Read a cache ``passes`` times after one pass that does not count."""
    readers = Readers.of(address, clients)
    try:
        readers.read()
        found, rates = [], []
        for _ in range(passes):
            found.append(readers.read())
            rates.append(loopback())
        return Figures(tuple(found), statistics.median(rates))
    finally:
        readers.close()


def report(figures: Figures) -> str:
    """The figures as lines of text."""
    last = figures.passes[-1]
    first = statistics.median(one.first for one in figures.passes) * 1000
    cpu = statistics.median(one.cpu for one in figures.passes)
    size = figures.median("size")
    return (
        f"rows            {last.rows}, {last.size / MB:.0f} MB of Arrow data\n"
        f"rate            {figures.median('rows') / MB:.2f} Mrow/s, {size / MB:.0f} MB/s\n"
        f"first batch     {first:.1f} ms, connecting included\n"
        f"readers' CPU    {cpu:.2f} s a pass\n"
        f"loopback TCP    {figures.loopback / MB:.0f} MB/s, "
        f"of which the cache has {size / figures.loopback:.0%}\n"
        f"passes          {len(figures.passes)}, medians\n"
    )


def loopback(size: int = LOOPBACK_BYTES) -> float:
    """Bytes a second of one TCP stream through the loopback, written in blocks of 1 MiB.

    Two processes and nothing but system calls: what a program in C reaches too.
    """
    received, buffer = 0, memoryview(bytearray(_BLOCK))
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        sender = subprocess.Popen(
            module_command("trainc.cache.bench", "send", str(port), str(size))
        )
        connection, _ = server.accept()
        with connection:
            start = time.perf_counter()
            while count := connection.recv_into(buffer):
                received += count
            seconds = time.perf_counter() - start
        sender.wait()
    return received / seconds


def sample_table(folder: Path) -> str:
    """A folder with a Parquet file of a million rows of about 200 bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    ids = pa.array(range(_SAMPLE_ROWS), pa.int64())
    words = [f"{i * 2654435761 % 2**32:032x}" * 6 for i in range(10_000)]
    texts = pa.array(words).take(pa.array(i % len(words) for i in range(_SAMPLE_ROWS)))
    where = folder / "sample"
    where.mkdir()
    table = pa.table({"id": ids, "text": texts})
    pq.write_table(table, where / "rows.parquet", row_group_size=_SAMPLE_ROWS // 16)
    return str(where)


def main(mode: str, *arguments: str) -> None:
    """One of the processes that measure: ``read ADDRESS RANK WORLD`` or ``send PORT BYTES``.

    A reader makes a pass for every line of stdin and answers with a line of JSON.
    """
    if mode == "send":
        _send(int(arguments[0]), int(arguments[1]))
        return
    from trainc.cache.client import CacheDataset

    address, rank, world = arguments
    dataset = CacheDataset(address, rank=int(rank), world=int(world))
    _say({"ready": True})
    for _ in sys.stdin:
        start, cpu = time.perf_counter(), time.process_time()
        rows = size = 0
        first = 0.0
        for batch in dataset:
            first = first or time.perf_counter() - start
            rows += batch.num_rows
            size += batch.nbytes
        _say({"rows": rows, "size": size, "first": first, "cpu": time.process_time() - cpu})


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _answer(process: "subprocess.Popen[str]") -> dict[str, Any]:
    assert process.stdout
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"a reader ended with status {process.wait()}")
    answer: dict[str, Any] = json.loads(line)
    return answer


def _send(port: int, size: int) -> None:
    block = bytes(_BLOCK)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for _ in range(size // _BLOCK):
            connection.sendall(block)


if __name__ == "__main__":
    main(*sys.argv[1:])
