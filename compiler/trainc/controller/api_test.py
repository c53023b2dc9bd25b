from __future__ import annotations

import http.server
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import kubernetes
import pytest
import urllib3

from trainc.controller.api import MERGE_PATCH, Api, ApiError


@dataclass
class Server:
    """Answers with what it is given, in turn, and keeps what it was asked."""

    answers: list[tuple[int, bytes]] = field(default_factory=list)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    port: int = 0


@pytest.fixture
def server() -> Iterator[Server]:
    told = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            told.asked.append((self.command, self.path, json.loads(body) if body else None))
            code, data = told.answers.pop(0)
            self.send_response(code)
            if code == 302:
                self.send_header("Location", f"http://127.0.0.1:{told.port}/elsewhere")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    http_server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.port = http_server.server_port
    thread = threading.Thread(target=http_server.serve_forever, args=(0.01,))
    thread.start()
    yield told
    http_server.shutdown()
    thread.join()
    http_server.server_close()


@pytest.fixture
def counts() -> list[tuple[str, int]]:
    return []


@pytest.fixture
def api(server: Server, counts: list[tuple[str, int]]) -> Api:
    configuration = kubernetes.client.Configuration()
    configuration.host = f"http://127.0.0.1:{server.port}"
    client = kubernetes.client.ApiClient(configuration)
    return Api(client, lambda verb, code: counts.append((verb, code)))


def _status(code: int, reason: str, message: str = "no") -> tuple[int, bytes]:
    return code, json.dumps({"reason": reason, "message": message, "code": code}).encode()


def test_pages_are_followed_to_the_end(api: Api, server: Server) -> None:
    for token, items in (("more", [1, 2]), ("", None)):
        page = {"metadata": {"resourceVersion": "7", "continue": token}, "items": items}
        server.answers.append((200, json.dumps(page).encode()))
    pages: list[Any] = list(api.pages("/x"))
    assert pages == [([1, 2], "7"), ([], "7")]
    assert [path for _, path, _ in server.asked] == ["/x?limit=500", "/x?limit=500&continue=more"]


def test_watch_events_are_whole_lines(api: Api, server: Server) -> None:
    lines = [{"type": "ADDED", "object": {"n": number, "é": "ü" * 40_000}} for number in range(3)]
    said = b"\n".join(json.dumps(line, ensure_ascii=False).encode() for line in lines)
    server.answers.append((200, said + b"\n" + b'{"type": "cut off'))
    assert list(api.watch("/x", "5", 60)) == lines


def test_an_error_in_the_watch_is_raised(api: Api, server: Server) -> None:
    gone = {"type": "ERROR", "object": {"code": 410, "reason": "Expired", "message": "too old"}}
    server.answers.append((200, json.dumps(gone).encode() + b"\n"))
    with pytest.raises(ApiError) as refused:
        list(api.watch("/x", "5", 60))
    assert refused.value.is_expired


@pytest.mark.parametrize(
    ("answer", "made"), [((201, b"{}"), True), (_status(409, "AlreadyExists"), False)]
)
def test_create_says_whether_it_made_it(
    api: Api, server: Server, answer: tuple[int, bytes], made: bool
) -> None:
    server.answers.append(answer)
    assert api.create("/x", {"a": 1}) is made
    assert server.asked == [("POST", "/x?fieldManager=trainc-controller", {"a": 1})]


def test_a_conflict_of_another_kind_is_no_success(api: Api, server: Server) -> None:
    server.answers.append(_status(409, "Conflict"))
    with pytest.raises(ApiError):
        api.create("/x", {})


@pytest.mark.parametrize("code", [200, 404, 409])
def test_a_deletion_is_done_where_the_object_is_gone(api: Api, server: Server, code: int) -> None:
    server.answers.append(_status(code, "Any"))
    api.delete("/x", "uid")
    (_, _, options) = server.asked[0]
    assert options["preconditions"] == {"uid": "uid"}


@pytest.mark.parametrize("code", [403, 429, 500])
def test_a_refused_deletion_is_told(api: Api, server: Server, code: int) -> None:
    server.answers.append(_status(code, "Any"))
    with pytest.raises(ApiError) as refused:
        api.delete("/x", "uid")
    assert refused.value.is_passing is (code != 403)


@pytest.mark.parametrize("body", [b"<html>gateway</html>", b"[]", b"\xff", b""])
def test_an_answer_that_is_no_status_is_an_error_all_the_same(
    api: Api, server: Server, counts: list[tuple[str, int]], body: bytes
) -> None:
    server.answers.append((502, body))
    with pytest.raises(ApiError) as refused:
        api.patch("/x", {}, MERGE_PATCH)
    assert refused.value.code == 502
    assert counts == [("PATCH", 502)]


def test_a_server_behind_a_path(server: Server) -> None:
    configuration = kubernetes.client.Configuration()
    configuration.host = f"http://127.0.0.1:{server.port}/k8s/clusters/one/"
    server.answers.append((200, b"{}"))
    Api(kubernetes.client.ApiClient(configuration)).get("/api/v1")
    assert server.asked == [("GET", "/k8s/clusters/one/api/v1", None)]


def test_a_redirect_is_not_followed(api: Api, server: Server) -> None:
    """It would carry the token to whom it names."""
    server.answers.append((302, b"{}"))
    with pytest.raises(ApiError):
        api.get("/x")
    assert len(server.asked) == 1


def test_a_server_that_is_not_there(counts: list[tuple[str, int]]) -> None:
    configuration = kubernetes.client.Configuration()
    configuration.host = "http://127.0.0.1:1"
    client = kubernetes.client.ApiClient(configuration)
    api = Api(client, lambda verb, code: counts.append((verb, code)))
    with pytest.raises(ApiError) as refused:
        api.get("/x")
    assert (refused.value.code, refused.value.is_passing) == (0, True)
    assert counts == [("GET", 0)]


def test_a_200_that_is_no_json_is_an_error(api: Api, server: Server) -> None:
    """A proxy's page: not a traceback in the middle of a reconcile."""
    server.answers.append((200, b"<html>"))
    with pytest.raises(ApiError):
        api.get("/x")


def test_a_server_that_hangs_is_waited_for_as_long_as_there_is_patience() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        configuration = kubernetes.client.Configuration()
        configuration.host = f"http://127.0.0.1:{silent.getsockname()[1]}"
        client = kubernetes.client.ApiClient(configuration)
        api = Api(client, patience=urllib3.Timeout(total=0.2))
        with pytest.raises(ApiError) as caught:
            api.get("/x")
    assert caught.value.code == 0
    assert "timed out" in str(caught.value)
