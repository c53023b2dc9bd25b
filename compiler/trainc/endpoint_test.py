from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.error import HTTPError

import pytest

from trainc.endpoint import post


@dataclass(frozen=True)
class TestCase:
    """What a server answers, and whether the post is taken for done."""

    __test__ = False
    name: str
    code: int
    done: bool


CASES = [
    TestCase("taken", 200, True),
    TestCase("taken, without a body", 204, True),
    TestCase("moved: the token would follow", 302, False),
    TestCase("moved for good", 308, False),
    TestCase("refused", 403, False),
    TestCase("broken", 500, False),
]


@contextmanager
def serving(code: int, seen: list[tuple[str, str | None, Any]], there: str = "") -> Iterator[str]:
    """A server that answers everything with one status; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802 - http.server's name
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "0")
            seen.append((self.command, self.headers["Authorization"], body))
            self.send_response(code)
            if there:
                self.send_header("Location", there)
            self.end_headers()

        do_GET = do_POST  # noqa: N815 - http.server's name

        def log_message(self, format: str, *arguments: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/status"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_post_goes_straight_there_and_nowhere_else(
    case: TestCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    here: list[tuple[str, str | None, Any]] = []
    elsewhere: list[tuple[str, str | None, Any]] = []
    with serving(200, elsewhere) as other, serving(case.code, here, other) as url:
        if case.done:
            post(url, {"a": 1}, "planted", "")
        else:
            with pytest.raises(HTTPError, match=str(case.code)):
                post(url, {"a": 1}, "planted", "")
    assert here == [("POST", "Bearer planted", {"a": 1})]
    assert elsewhere == []


def test_no_token_is_no_header() -> None:
    seen: list[tuple[str, str | None, Any]] = []
    with serving(200, seen) as url:
        post(url, [], "", "")
    assert seen == [("POST", None, [])]


@pytest.mark.parametrize("url", ["", "status", "file:///etc/hostname", "ftp://127.0.0.1/x"])
def test_what_is_no_address_of_a_server_is_refused(url: str) -> None:
    with pytest.raises((ValueError, OSError)):
        post(url, {}, "planted", "")
