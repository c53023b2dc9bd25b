"""What initializers report is what the progress server takes, and no claim of the trainer's."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.initializers.proxy import Fault, proxy
from tests.initializers.running import Serve
from trainc.controller.progress.payload import read
from trainc.initializers.progress import Snapshot
from trainc.initializers.status import payload, reporter
from trainc.names import STATUS_TOKEN_ENV, STATUS_URL_ENV

NOW = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)


def test_the_server_takes_all_of_it() -> None:
    body = payload(Snapshot(2**50, 2**60, 1, 2, 10.7, 2.0**40), "dataset-initializer", NOW)
    taken = read(json.dumps(body).encode())
    assert taken == body["trainerStatus"]


def test_it_says_how_far_the_fetch_is_and_nothing_of_the_job() -> None:
    body = payload(Snapshot(50, 100, 1, 2, 10.7, None), "model-initializer", NOW)
    assert body == {
        "trainerStatus": {
            "metrics": [
                {"name": "model-initializer/percentage", "value": "50"},
                {"name": "model-initializer/bytes", "value": "50"},
                {"name": "model-initializer/bytes_total", "value": "100"},
                {"name": "model-initializer/bytes_per_second", "value": "10"},
                {"name": "model-initializer/files", "value": "1"},
                {"name": "model-initializer/files_total", "value": "2"},
            ],
            "lastUpdatedTime": "2026-11-22T01:02:03Z",
        }
    }


def test_the_proxy_of_the_fetch_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with proxy("http://127.0.0.1:9") as endpoint:
        endpoint.plan = lambda seen: Fault(status=200)
        for name in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.delenv("no_proxy", raising=False)
        report = reporter({STATUS_URL_ENV: f"{endpoint.url}/status"}, "dataset")
        assert report is not None
        report(Snapshot(50, 100, 1, 2, 10.7, None))
        assert [each.path for each in endpoint.seen] == ["/status"]


def test_its_token_follows_no_redirect(
    serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[tuple[str, str]] = []

    class There(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(("there", self.headers.get("Authorization", "")))
            self.send_error(404)

        do_POST = do_GET  # noqa: N815 - http.server's names

    there = serve(There)

    class Here(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(("here", self.headers.get("Authorization", "")))
            self.send_response(302)
            self.send_header("Location", f"{there}/status")
            self.end_headers()

    (tmp_path / "token").write_text("planted-token")
    report = reporter(
        {STATUS_URL_ENV: f"{serve(Here)}/status", STATUS_TOKEN_ENV: str(tmp_path / "token")},
        "dataset",
    )
    assert report is not None
    report(Snapshot(50, 100, 1, 2, 10.7, None))
    assert seen == [("here", "Bearer planted-token")]
    assert "did not take the report: HTTP Error 302" in caplog.text
