"""A proxy that does what networks and bad servers do: refuse, cut, stall, lie; and keeps count.

In: an upstream on loopback and a plan of faults. Out: a server on loopback. Everything but the
fault is the upstream's own answer, signatures included.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

_CHUNK = 64 * 1024


@dataclass(frozen=True)
class Fault:
    """What is done to one answer.

    Attributes:
        status: Answered instead of the upstream's.
        retry_after: Sent along.
        region: Sent along: where the bucket is.
        cut: The connection is closed after so many bytes of the body.
        stall: Nothing is sent for so many seconds after the first bytes.
        length: Added to the Content-Length that is told.
        flip: The byte at this place of the body is changed.
        encrypted: The answer is that of an object encrypted by KMS, whose etag is no digest.
    """

    status: int = 0
    retry_after: str = ""
    region: str = ""
    cut: int | None = None
    stall: float = 0.0
    length: int = 0
    flip: int | None = None
    encrypted: bool = False


@dataclass
class Seen:
    """One request, and what was sent for it."""

    method: str
    path: str
    range: str
    authorization: str
    query: str = ""
    status: int = 0
    sent: int = 0


@dataclass
class Proxy:
    """The running proxy.

    Attributes:
        plan: Says which fault a request meets; called with each request, from many threads.
        bytes_per_second: Of each connection, 0 is as fast as it goes.
    """

    upstream: str
    plan: Callable[[Seen], Fault | None] = lambda seen: None
    bytes_per_second: float = 0.0
    seen: list[Seen] = field(default_factory=list)
    url: str = ""

    def gets(self, part: str = "") -> list[Seen]:
        """The requests for objects whose path holds ``part``; listings are none."""
        return [
            each
            for each in list(self.seen)
            if each.method == "GET" and part in each.path and "list-type" not in each.query
        ]


def times(count: int, fault: Fault, part: str = "") -> Callable[[Seen], Fault | None]:
    """A plan: the first ``count`` GETs of objects whose path holds ``part`` meet the fault."""
    lock = threading.Lock()
    left = [count]

    def plan(seen: Seen) -> Fault | None:
        if seen.method != "GET" or part not in seen.path or "list-type" in seen.query:
            return None
        with lock:
            if left[0] == 0:
                return None
            left[0] -= 1
            return fault

    return plan


@contextmanager
def proxy(upstream: str) -> Iterator[Proxy]:
    """A proxy before ``upstream`` while the block runs."""
    running = Proxy(upstream)

    class Handler(_Handler):
        proxy = running

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    running.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    proxy: Proxy
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: ``Proxy.seen`` holds it all."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        seen = Seen(
            self.command,
            unquote(parts.path),
            self.headers.get("Range", ""),
            self.headers.get("Authorization", ""),
            parts.query,
        )
        self.proxy.seen.append(seen)
        self.close_connection = True
        # The client was killed, or has seen enough.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._answer(seen, self.proxy.plan(seen) or Fault())

    do_HEAD = do_POST = do_GET  # noqa: N815 - http.server's names

    def _answer(self, seen: Seen, fault: Fault) -> None:
        if fault.status:
            return self._refuse(seen, fault)
        host = urlsplit(self.proxy.upstream).netloc
        connection = http.client.HTTPConnection(host, timeout=60)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            connection.putheader(name, value)
        connection.endheaders(body or None)
        answer = connection.getresponse()
        seen.status = answer.status
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() == "content-length":
                value = str(int(value) + fault.length)
            if fault.encrypted and name.lower().startswith("x-amz-checksum"):
                continue
            if name.lower() not in ("connection", "transfer-encoding"):
                self.send_header(name, value)
        if fault.encrypted:
            self.send_header("x-amz-server-side-encryption", "aws:kms")
        self.send_header("Connection", "close")
        self.end_headers()
        self._pass_on(answer, seen, fault)
        connection.close()
        return None

    def _refuse(self, seen: Seen, fault: Fault) -> None:
        seen.status = fault.status
        self.send_response_only(fault.status)
        if fault.retry_after:
            self.send_header("Retry-After", fault.retry_after)
        if fault.region:
            self.send_header("x-amz-bucket-region", fault.region)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()

    def _pass_on(self, answer: http.client.HTTPResponse, seen: Seen, fault: Fault) -> None:
        rate = self.proxy.bytes_per_second
        while chunk := answer.read(_CHUNK):
            if fault.flip is not None and seen.sent <= fault.flip < seen.sent + len(chunk):
                at = fault.flip - seen.sent
                chunk = chunk[:at] + bytes([chunk[at] ^ 1]) + chunk[at + 1 :]
            if fault.cut is not None:
                chunk = chunk[: fault.cut - seen.sent]
            self.wfile.write(chunk)
            seen.sent += len(chunk)
            if fault.cut == seen.sent:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            if rate:
                time.sleep(len(chunk) / rate)
            if fault.stall:
                time.sleep(fault.stall)
