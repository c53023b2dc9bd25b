"""What the controller's bench does to the cluster, and when it saw what came of it.

In: a plane of 2,000 jobs. Out: completions, paced or at once, with the time each was sent and the
time each event came. Clients are processes of their own, on one monotonic clock; no JobSet manager
runs, the JobSets' status is patched.
"""

from __future__ import annotations

import json
import multiprocessing
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import urllib3

from tests.cluster.client import Client, eventually, path_of
from tests.cluster.jobs import a_jobset, a_trainjob
from tests.cluster.plane import Plane

NAMESPACE = "bench"
PADDING = "x" * 1000  # with managedFields a JobSet is about 4.4 kB, as the reference's were
Json = dict[str, Any]


class Seen:
    """When each object's finish was first seen, by kind and name; kept by the watchers."""

    def __init__(self, watchers: dict[str, Any]) -> None:
        """``watchers`` are the ends of pipes to them, by kind."""
        self._watchers = watchers

    def times(self, kind: str, names: list[str], seconds: float = 60) -> dict[str, float]:
        """When each was seen; waits until all were."""
        pipe = self._watchers[kind]

        def seen() -> dict[str, float]:
            pipe.send(None)
            found: dict[str, float] = pipe.recv()
            return found if found.keys() >= set(names) else {}

        found: dict[str, float] = eventually(seen, seconds, 0.2)
        return found


@contextmanager
def watching(plane: Plane) -> Iterator[Seen]:
    """Watches both kinds, each by a process of its own."""
    processes, pipes = [], {}
    for kind, condition in (("JobSet", "Completed"), ("TrainJob", "Complete")):
        pipes[kind], theirs = multiprocessing.Pipe()
        given = (plane.server, str(plane.ca_file), admin_token(plane), kind, condition, theirs)
        processes.append(multiprocessing.Process(target=_watch, args=given, daemon=True))
        processes[-1].start()
    try:
        for pipe in pipes.values():
            assert pipe.recv() == "ready"
        yield Seen(pipes)
    finally:
        for process in processes:
            process.terminate()


def _watch(server: str, ca: str, token: str, kind: str, condition: str, pipe: Any) -> None:
    """Notes when each object is first seen with the condition; tells it when asked."""
    times: dict[str, float] = {}
    http = urllib3.PoolManager(ca_certs=ca)
    headers = {"Authorization": f"Bearer {token}"}
    path = path_of(kind, NAMESPACE)
    first = http.request("GET", f"{server}{path}?limit=1", headers=headers)
    version = json.loads(first.data)["metadata"]["resourceVersion"]
    url = f"{server}{path}?watch=1&resourceVersion={version}&timeoutSeconds=3600"
    response = http.request("GET", url, headers=headers, preload_content=False)
    threading.Thread(target=_note, args=(response, condition, times), daemon=True).start()
    pipe.send("ready")
    while True:
        pipe.recv()
        pipe.send(dict(times))


def _note(response: urllib3.BaseHTTPResponse, condition: str, times: dict[str, float]) -> None:
    rest = b""
    for chunk in response.stream(1 << 16):
        now = time.monotonic()
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            found = json.loads(line)["object"]
            conditions = found.get("status", {}).get("conditions") or []
            if any(each["type"] == condition for each in conditions):
                times.setdefault(found["metadata"]["name"], now)


def complete(plane: Plane, names: list[str], rate: float) -> dict[str, float]:
    """Completes JobSets from a process of its own; when each PATCH was sent.

    Args:
        plane: Where.
        names: Which.
        rate: How many a second; 0 for all at once.
    """
    with multiprocessing.Pool(1) as pool:
        given = (plane.server, str(plane.ca_file), admin_token(plane), names, rate)
        sent: dict[str, float] = pool.apply(_patch_all, given)
    return sent


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
        self._body = json.dumps(completed()).encode()
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


def make(admin: Client, name: str) -> None:
    """A TrainJob and its JobSet, running."""
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


def completed() -> Json:
    """A merge patch that completes a JobSet."""
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


def all_complete(admin: Client, names: list[str]) -> None:
    """Waits until these TrainJobs are."""
    wanted = set(names)

    def check() -> bool:
        complete = {
            found["metadata"]["name"]
            for found in admin.list("TrainJob", NAMESPACE, resourceVersion="0")
            if any(c["type"] == "Complete" for c in found.get("status", {}).get("conditions") or [])
        }
        return wanted <= complete

    eventually(check, 120, 0.1)


def in_parallel(work: Callable[[str], Any], names: list[str]) -> None:
    """Does the work for each name, eight at a time."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, names))


def admin_token(plane: Plane) -> str:
    """The token of whoever may do everything."""
    return plane.users["admin"].token
