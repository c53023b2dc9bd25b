"""Measures the progress server: 500 posts a second over 200 kept-alive connections.

A real plane, a pod's real token, the controller in a process of its own, the load in another.
``python -m tests.bench.progress_bench``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import ssl
import tempfile
import time
from pathlib import Path

from tests.bench.controller_bench import say
from tests.cluster.binaries import find
from tests.cluster.client import eventually
from tests.cluster.conftest import CRDS
from tests.cluster.jobs import a_jobset, a_trainjob
from tests.cluster.plane import Plane, listens
from tests.cluster.posting import a_report, pods, reported, token_of
from tests.cluster.process import free_ports
from tests.cluster.progress_test import write_certificate
from tests.cluster.running import process

NAMESPACE = "bench"
PATH = f"/apis/trainer.kubeflow.org/v1alpha1/namespaces/{NAMESPACE}/trainjobs/m/status"


def main() -> None:
    """Runs it and prints two lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=500)
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        plane = Plane(find(), Path(folder), sorted(CRDS.glob("*.yaml")))
        try:
            plane.start()
            _measure(plane, Path(folder), given)
        finally:
            plane.stop()


def _measure(plane: Plane, folder: Path, given: argparse.Namespace) -> None:
    admin = plane.client()
    admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    admin.apply(a_trainjob(NAMESPACE))
    admin.apply(a_jobset(NAMESPACE))
    (pod,) = eventually(lambda: pods(admin, NAMESPACE))
    token, port = token_of(admin, pod), free_ports(1)[0]
    authority = write_certificate(folder)
    options = ["--progress", f"127.0.0.1:{port}", "--progress-tls", str(folder)]
    with process(plane, NAMESPACE, "--no-leader-elect", *options):
        eventually(lambda: listens(port))
        with multiprocessing.Pool(1) as pool:
            load = (port, authority, token, given.rate, given.connections, given.seconds)
            codes, waits = pool.apply(_load, load)
        reported(admin, NAMESPACE, 100)
    what = f"{given.rate} posts/s, {given.connections} connections"
    waits = sorted(waits)
    p50, p99 = (waits[int(len(waits) * q)] * 1000 for q in (0.5, 0.99))
    say(what, f"{codes} in {given.seconds} s, p50 {p50:.1f}, p99 {p99:.1f} ms", "all 200")


def _load(
    port: int, authority: str, token: str, rate: int, connections: int, seconds: int
) -> tuple[dict[int, int], list[float]]:
    return asyncio.run(_posting(port, authority, token, rate, connections, seconds))


async def _posting(
    port: int, authority: str, token: str, rate: int, connections: int, seconds: int
) -> tuple[dict[int, int], list[float]]:
    """Posts at the rate, each connection in its turn; codes by number, and the waits."""
    context = ssl.create_default_context(cadata=authority)
    codes: dict[int, int] = {}
    waits: list[float] = []
    begin = time.monotonic() + 3  # after all have connected

    async def one(number: int) -> None:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=context, server_hostname="127.0.0.1"
        )
        for turn in range(rate * seconds // connections):
            at = begin + (turn * connections + number) / rate
            await asyncio.sleep(max(0.0, at - time.monotonic()))
            percent = min(100, turn * 100 // (rate * seconds // connections - 1))
            sent = time.monotonic()
            code = await _post(reader, writer, token, percent)
            waits.append(time.monotonic() - sent)
            codes[code] = codes.get(code, 0) + 1
        writer.close()

    await asyncio.gather(*(one(number) for number in range(connections)))
    return codes, waits


async def _post(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str, percent: int
) -> int:
    body = json.dumps(a_report(percent)).encode()
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    answer = await reader.readuntil(b"\r\n\r\n")
    length = int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    await reader.readexactly(length)
    return int(answer.split()[1])


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    main()
