"""The bars of the progress server: 500 posts a second over 200 kept-alive connections.

In: a plane with pods. A pod's real token, the controller in a process of its own, the load in
another.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import ssl
import time
from collections.abc import Iterator

from tests.bench.bars import Bar
from tests.cluster.client import eventually
from tests.cluster.jobs import a_jobset, a_trainjob
from tests.cluster.plane import Plane, listens
from tests.cluster.posting import a_report, pods, reported, token_of
from tests.cluster.process import free_ports
from tests.cluster.progress_test import write_certificate
from tests.cluster.running import process

NAMESPACE = "bench"
PATH = f"/apis/trainer.kubeflow.org/v1alpha1/namespaces/{NAMESPACE}/trainjobs/m/status"
RATE = 500  # posts a second
CONNECTIONS = 200
SECONDS = 20


def posting(plane: Plane) -> Iterator[Bar]:
    """Posts of one pod, all of them answered 200, and the newest written."""
    admin = plane.client()
    admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    admin.apply(a_trainjob(NAMESPACE))
    admin.apply(a_jobset(NAMESPACE))
    (pod,) = eventually(lambda: pods(admin, NAMESPACE))
    token, port = token_of(admin, pod), free_ports(1)[0]
    authority = write_certificate(plane.folder / "progress")
    options = ["--progress", f"127.0.0.1:{port}", "--progress-tls", f"{plane.folder}/progress"]
    with process(plane, NAMESPACE, "--no-leader-elect", *options):
        eventually(lambda: listens(port))
        began = time.monotonic()
        with multiprocessing.Pool(1) as pool:
            codes, waits = pool.apply(_load, (port, authority, token))
        reported(admin, NAMESPACE, 100)
        seconds = time.monotonic() - began
    waits = sorted(waits)
    p50, p99 = (waits[int(len(waits) * q)] * 1000 for q in (0.5, 0.99))
    answered = ", ".join(f"{count:,} times {code}" for code, count in sorted(codes.items()))
    what = f"{RATE} progress posts a second over {CONNECTIONS} kept-alive TLS connections"
    found = f"{answered} in {SECONDS} s, p50 {p50:.1f}, p99 {p99:.1f} ms"
    is_met = codes == {200: RATE * SECONDS} and seconds < SECONDS + 20
    yield Bar(what, "each answered 200", found, is_met)


def _load(port: int, authority: str, token: str) -> tuple[dict[int, int], list[float]]:
    return asyncio.run(_posting(port, authority, token, RATE, CONNECTIONS, SECONDS))


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
