"""Measures the status controller against its bars, on a real API server.

As the reference was measured: etcd without fsync, kube-apiserver and kube-controller-manager on
loopback, no JobSet manager, no pods; a client patches the JobSets' status. Paced runs are "JobSet
event -> TrainJob event", bursts "JobSet PATCH sent -> TrainJob event"; both clients are processes
of their own, on one monotonic clock. ``python -m tests.bench.controller_bench --help``.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import re
import socket
import ssl
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import urllib3

from tests.cluster.binaries import find
from tests.cluster.client import Client, eventually, path_of
from tests.cluster.conftest import CRDS
from tests.cluster.jobs import a_jobset, a_trainjob
from tests.cluster.plane import Plane
from tests.cluster.process import Process, free_ports

NAMESPACE = "bench"
PADDING = "x" * 1000  # with managedFields a JobSet is about 4.4 kB, as the reference's were
Json = dict[str, Any]


def main() -> None:
    """Runs what is asked for and prints one line a bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--idle", type=int, default=300, help="seconds the idle run takes")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        plane = Plane(find(), Path(folder), sorted(CRDS.glob("*.yaml")))
        try:
            plane.start(operators=False)
            _all(plane, arguments.jobs, arguments.idle)
        finally:
            plane.stop()


def _all(plane: Plane, jobs: int, idle: int) -> None:
    admin = plane.client()
    admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    names = [f"job-{number:04}" for number in range(jobs)]
    _in_parallel(lambda name: _make(admin, name), names)
    done, rest = names[: jobs // 4], names[jobs // 4 :]
    with _controller(plane) as controller:
        _in_parallel(
            lambda name: admin.merge("JobSet", NAMESPACE, name, _completed(), "status"), done
        )
        _all_complete(admin, done)
    with _controller(plane) as controller:
        _cold_start(controller)
        with _watcher(plane) as seen:
            _paced(plane, rest[:100], seen)
            for number in range(2):
                _burst(plane, rest[100 + 200 * number : 300 + 200 * number], seen)
    with _controller(plane) as controller:
        time.sleep(5)
        _idle(controller, idle)
    _catch_up(plane, admin, names)


class Running:
    """A controller process and what it says of itself."""

    def __init__(self, process: Process, port: int, began: float) -> None:
        self.process = process
        self.began = began
        self._port = port
        self._http = urllib3.PoolManager()

    def metric(self, pattern: str) -> float:
        """The sum of all samples whose line begins with the pattern."""
        text = self._http.request("GET", f"http://127.0.0.1:{self._port}/metrics").data.decode()
        return sum(float(line.split()[-1]) for line in text.splitlines() if re.match(pattern, line))

    def ready(self) -> bool:
        """Whether it has listed everything."""
        try:
            return self._http.request("GET", f"http://127.0.0.1:{self._port}/readyz").status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def memory(self, key: str) -> float:
        """``VmRSS`` or ``VmHWM`` in MB (10**6 bytes)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{key}:\s+(\d+)", status)[1]) * 1024 / 1e6  # type: ignore[index]

    def cpu(self) -> float:
        """CPU seconds so far, user and system."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _controller(plane: Plane) -> Iterator[Running]:
    port = free_ports(1)[0]
    command = [sys.executable, "-m", "trainc", "controller", "--log-level", "warning"]
    command += ["--kubeconfig", str(plane.kubeconfig()), "--health", f"127.0.0.1:{port}"]
    began = time.monotonic()
    process = Process("controller", command, plane.folder / "controller.log")
    try:
        running = Running(process, port, began)
        process.wait_until(running.ready)
        yield running
    finally:
        process.stop()
        log = process.tail()
        if log:
            print(log, file=sys.stderr)


def _cold_start(controller: Running) -> None:
    eventually(lambda: controller.metric("trainc_reconcile_seconds_count") > 0)
    while controller.metric("trainc_queue_depth") > 0:
        time.sleep(0.01)
    seconds = time.monotonic() - controller.began
    reconciled = controller.metric("trainc_reconcile_seconds_count")
    requests = controller.metric("trainc_api_requests_total")
    writes = controller.metric('trainc_api_requests_total.*verb="PATCH"')
    say("cold start", f"{seconds:.2f} s to {reconciled:.0f} reconciled", "5 s")
    say("cold start, requests", f"{requests:.0f}, {writes:.0f} of them writes", "20")
    peak, now = controller.memory("VmHWM"), controller.memory("VmRSS")
    say("cold start, memory", f"peak {peak:.0f} MB, now {now:.0f} MB", "130 MB")


def _paced(plane: Plane, names: list[str], seen: Seen) -> None:
    with _writer() as writer:
        writer.apply(_patch_all, (plane.server, str(plane.ca_file), _token(plane), names, 20.0))
    seen.wait("TrainJob", names)
    waits = [seen.times["TrainJob", name] - seen.times["JobSet", name] for name in names]
    _percentiles("paced 20/s, event -> event", waits, "p99 30 ms")


def _burst(plane: Plane, names: list[str], seen: Seen) -> None:
    with _writer() as writer:
        given = (plane.server, str(plane.ca_file), _token(plane), names, 0.0)
        sent = writer.apply(_patch_all, given)
    seen.wait("TrainJob", names)
    waits = [seen.times["TrainJob", name] - sent[name] for name in names]
    _percentiles(f"burst of {len(names)}, PATCH -> event", waits, "p99 400 ms")
    alone = [seen.times["JobSet", name] - sent[name] for name in names]
    _percentiles("  of it PATCH -> JobSet event", alone, "")


def _idle(controller: Running, seconds: int) -> None:
    began, cpu = time.monotonic(), controller.cpu()
    time.sleep(seconds)
    share = (controller.cpu() - cpu) / (time.monotonic() - began)
    say(f"idle, {seconds} s", f"{share * 100:.2f} % of a core", "1 %")


def _catch_up(plane: Plane, admin: Client, names: list[str]) -> None:
    """1,000 completions while the controller is down."""
    chosen = names[-1000:]
    _in_parallel(
        lambda name: admin.merge("JobSet", NAMESPACE, name, _completed(), "status"), chosen
    )
    began = time.monotonic()
    with _controller(plane) as controller:
        _all_complete(admin, chosen)
        seconds = time.monotonic() - began
        writes = controller.metric('trainc_api_requests_total.*verb="PATCH"')
    say(f"{len(chosen)} missed, caught up", f"{seconds:.2f} s, {writes:.0f} writes", "6 s")


class Seen:
    """When each object's finish was first seen, by kind and name."""

    def __init__(self, times: Any) -> None:
        self.times = times

    def wait(self, kind: str, names: list[str], seconds: float = 60) -> None:
        """Waits until all were seen."""
        eventually(lambda: all((kind, name) in self.times for name in names), seconds, 0.2)


@contextmanager
def _watcher(plane: Plane) -> Iterator[Seen]:
    with multiprocessing.Manager() as manager:
        times = manager.dict()
        ready = [manager.Event() for _ in range(2)]
        kinds = [("JobSet", "Completed"), ("TrainJob", "Complete")]
        processes = [
            multiprocessing.Process(
                target=_watch,
                args=(plane.server, str(plane.ca_file), _token(plane), *kind, times, event),
                daemon=True,
            )
            for kind, event in zip(kinds, ready, strict=True)
        ]
        for process in processes:
            process.start()
        for event in ready:
            event.wait()
        yield Seen(times)
        for process in processes:
            process.terminate()


def _watch(
    server: str, ca: str, token: str, kind: str, condition: str, times: Any, ready: Any
) -> None:
    http = urllib3.PoolManager(ca_certs=ca)
    headers = {"Authorization": f"Bearer {token}"}
    path = path_of(kind, NAMESPACE)
    first = http.request("GET", f"{server}{path}?limit=1", headers=headers)
    version = json.loads(first.data)["metadata"]["resourceVersion"]
    url = f"{server}{path}?watch=1&resourceVersion={version}&timeoutSeconds=3600"
    response = http.request("GET", url, headers=headers, preload_content=False)
    ready.set()
    rest = b""
    for chunk in response.stream(1 << 16):
        now = time.monotonic()
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            found = json.loads(line)["object"]
            conditions = found.get("status", {}).get("conditions") or []
            name = found["metadata"]["name"]
            if any(each["type"] == condition for each in conditions):
                times.setdefault((kind, name), now)


@contextmanager
def _writer() -> Iterator[Any]:
    with multiprocessing.Pool(1) as pool:
        yield pool


def _patch_all(server: str, ca: str, token: str, names: list[str], rate: float) -> dict[str, float]:
    """Completes JobSets, ``rate`` a second or all at once; gives when each PATCH was sent."""
    sent: dict[str, float] = {}
    lines = [_Line(server, ca, token) for _ in range(1 if rate else 8)]
    begin = time.monotonic()

    def some(number: int) -> None:
        for at in range(number, len(names), len(lines)):
            if rate:
                time.sleep(max(0.0, begin + at / rate - time.monotonic()))
            request = lines[number].request(names[at])
            sent[names[at]] = time.monotonic()
            lines[number].exchange(request)

    with ThreadPoolExecutor(len(lines)) as pool:
        list(pool.map(some, range(len(lines))))
    return sent


class _Line:
    """A connection that sends prepared bytes: the client must not take the time it measures."""

    def __init__(self, server: str, ca: str, token: str) -> None:
        host, _, port = server.removeprefix("https://").partition(":")
        raw = socket.create_connection((host, int(port)))
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._tls = ssl.create_default_context(cafile=ca).wrap_socket(raw, server_hostname=host)
        self._body = json.dumps(_completed()).encode()
        self._head = (
            f"Host: {host}\r\nAuthorization: Bearer {token}\r\nAccept: application/json\r\n"
            f"Content-Type: application/merge-patch+json\r\nContent-Length: {len(self._body)}\r\n"
        )

    def request(self, name: str) -> bytes:
        """The bytes that complete a JobSet."""
        path = path_of("JobSet", NAMESPACE, name, "status")
        return f"PATCH {path} HTTP/1.1\r\n{self._head}\r\n".encode() + self._body

    def exchange(self, request: bytes) -> None:
        """Sends it and reads the answer."""
        self._tls.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._tls.recv(65536)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert b" 200 " in head.split(b"\r\n")[0], head
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if length is None:  # chunked
            while not body.endswith(b"0\r\n\r\n"):
                body += self._tls.recv(65536)
            return
        left = int(length[1]) - len(body)
        while left > 0:
            left -= len(self._tls.recv(65536))


def _make(admin: Client, name: str) -> None:
    for manifest in (
        a_jobset(NAMESPACE, name, labels={"bench": "yes"}),
        a_trainjob(NAMESPACE, name),
    ):
        if manifest["kind"] == "JobSet":
            manifest["metadata"]["annotations"]["padding"] = PADDING
        admin.create(manifest)
    counts = {"ready": 1, "succeeded": 0, "failed": 0, "active": 1, "suspended": 0}
    status = {"replicatedJobsStatus": [{"name": "node", **counts}]}
    admin.merge("JobSet", NAMESPACE, name, {"status": status}, "status")


def _completed() -> Json:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    condition = {
        "type": "Completed",
        "status": "True",
        "reason": "AllJobsCompleted",
        "message": "jobset completed successfully",
        "lastTransitionTime": now,
    }
    counts = {"ready": 0, "succeeded": 1, "failed": 0, "active": 0, "suspended": 0}
    return {
        "status": {
            "conditions": [condition],
            "replicatedJobsStatus": [{"name": "node", **counts}],
        }
    }


def _all_complete(admin: Client, names: list[str]) -> None:
    wanted = set(names)

    def check() -> bool:
        complete = {
            found["metadata"]["name"]
            for found in admin.list("TrainJob", NAMESPACE, resourceVersion="0")
            if any(c["type"] == "Complete" for c in found.get("status", {}).get("conditions") or [])
        }
        return wanted <= complete

    eventually(check, 120, 0.1)


def _in_parallel(work: Callable[[str], Any], names: list[str]) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, names))


def _token(plane: Plane) -> str:
    return plane.users["admin"].token


def _percentiles(what: str, waits: list[float], bar: str) -> None:
    waits = sorted(waits)
    p50, p99 = (waits[min(len(waits) - 1, int(len(waits) * q))] for q in (0.5, 0.99))
    text = f"p50 {p50 * 1000:.1f}, p99 {p99 * 1000:.1f}, max {waits[-1] * 1000:.1f} ms"
    say(what, text, bar)


def say(what: str, found: str, bar: str) -> None:
    """Prints one line: what, how much, the bar, and how busy the machine was."""
    load = os.getloadavg()[0]
    print(f"{what:34} {found:46} bar {bar:12} load {load:.1f}", flush=True)


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    main()
