from __future__ import annotations

import json
import math
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from trainc import progress
from trainc.controller.progress.payload import read
from trainc.kube.keys import tls_pair


class Server:
    """Takes reports by TLS; ``code`` is what it answers."""

    def __init__(self, folder: Path) -> None:
        pair = tls_pair(["127.0.0.1"], datetime.now(UTC))
        for name, text in (("ca", pair.ca), ("crt", pair.certificate), ("key", pair.key)):
            (folder / name).write_text(text)
        self.authority = folder / "ca"
        self.seen: list[tuple[str, dict[str, Any]]] = []
        self.code = 200
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "crt", folder / "key")
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._http.server_address[1]}/status"

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # noqa: N802 - http.server's name
                body = self.rfile.read(int(self.headers["Content-Length"]))
                read(body)  # within the bounds of the real server
                server.seen.append((self.headers["Authorization"], json.loads(body)))
                self.send_response(server.code)
                self.end_headers()

            def log_message(self, format: str, *arguments: Any) -> None:
                return

        return Handler


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    started = Server(tmp_path)
    (tmp_path / "token").write_text("first\n")
    monkeypatch.setenv("KUBEFLOW_TRAINER_SERVER_URL", started.url)
    monkeypatch.setenv("KUBEFLOW_TRAINER_SERVER_CA_CERT", str(started.authority))
    monkeypatch.setenv("KUBEFLOW_TRAINER_SERVER_TOKEN", str(tmp_path / "token"))
    monkeypatch.setattr(progress, "_REPORTER", progress._Reporter())
    monkeypatch.setattr(progress, "EVERY_SECONDS", 0.2)
    yield started
    progress._REPORTER.finish()
    started.stop()


def _wait(server: Server, count: int) -> None:
    end = time.monotonic() + 10
    while len(server.seen) < count:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_proxy_for_downloads_is_not_asked(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    progress.report(1)
    _wait(server, 1)


def test_a_report_is_posted(server: Server) -> None:
    progress.report(12.7, remaining=90.5, loss=0.123456789, epoch=3)
    _wait(server, 1)
    ((token, body),) = server.seen
    status = body["trainerStatus"]
    assert token == "Bearer first"
    assert status.pop("lastUpdatedTime")
    assert status == {
        "progressPercentage": 12,
        "estimatedRemainingSeconds": 90,
        "metrics": [{"name": "loss", "value": "0.123457"}, {"name": "epoch", "value": "3"}],
    }


def test_many_reports_are_few_posts_and_the_last_is_not_lost(
    server: Server, tmp_path: Path
) -> None:
    for percent in range(101):
        progress.report(percent)
        if percent == 50:
            (tmp_path / "token").write_text("second")
    progress._REPORTER.finish()
    assert server.seen[-1][1]["trainerStatus"]["progressPercentage"] == 100
    assert server.seen[-1][0] == "Bearer second"
    assert len(server.seen) < 20


@dataclass(frozen=True)
class OddCase:
    __test__ = False
    name: str
    percent: Any = None
    remaining: Any = None
    metrics: Any = None


class Broken:
    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    "case",
    [
        OddCase("no number", percent="half"),
        OddCase("not a number", percent=math.nan),
        OddCase("endless", remaining=math.inf),
        OddCase("a metric without a text", metrics={"x": Broken()}),
    ],
    ids=lambda case: case.name,
)
def test_nothing_is_raised_into_training(server: Server, case: OddCase) -> None:
    progress.report(case.percent, remaining=case.remaining, **(case.metrics or {}))
    progress.report(5)
    progress._REPORTER.finish()
    assert server.seen[-1][1]["trainerStatus"]["progressPercentage"] == 5


def test_bounds_are_kept(server: Server) -> None:
    metrics = {f"m{number}": "" for number in range(300)} | {"long" * 40: "x" * 100}
    progress.report(900, remaining=-5, **metrics)
    _wait(server, 1)
    status = server.seen[0][1]["trainerStatus"]
    assert (status["progressPercentage"], status["estimatedRemainingSeconds"]) == (100, 0)
    assert len(status["metrics"]) == 256


@pytest.mark.parametrize("missing", ["URL", "TOKEN"])
def test_outside_a_job_nothing_happens(
    server: Server, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.delenv(f"KUBEFLOW_TRAINER_SERVER_{missing}")
    progress.report(1)
    progress._REPORTER.finish()
    assert server.seen == []


@pytest.mark.parametrize(
    ("environ", "posts"),
    [
        ({"JOB_COMPLETION_INDEX": "0", "RANK": "0", "LOCAL_RANK": "0"}, True),
        ({"JOB_COMPLETION_INDEX": "0", "RANK": "5", "LOCAL_RANK": "5"}, False),
        # An elastic rendezvous gave this pod the second place.
        ({"JOB_COMPLETION_INDEX": "0", "RANK": "8", "LOCAL_RANK": "0"}, True),
        ({"JOB_COMPLETION_INDEX": "1", "RANK": "0", "LOCAL_RANK": "0"}, False),
        ({"JOB_COMPLETION_INDEX": "0", "RANK": "3"}, False),
        ({"OMPI_COMM_WORLD_LOCAL_RANK": "1", "OMPI_COMM_WORLD_RANK": "1"}, False),
        ({"OMPI_COMM_WORLD_LOCAL_RANK": "0", "OMPI_COMM_WORLD_RANK": "4"}, False),
        ({"OMPI_COMM_WORLD_LOCAL_RANK": "0", "OMPI_COMM_WORLD_RANK": "0"}, True),
        ({"JOB_COMPLETION_INDEX": "0", "MPI_LOCALRANKID": "2", "PMI_RANK": "2"}, False),
        ({"JOB_COMPLETION_INDEX": "0", "SLURM_LOCALID": "1"}, False),
        ({"JOB_COMPLETION_INDEX": "0", "LOCAL_RANK": ""}, True),
        ({}, True),
    ],
)
def test_one_process_of_all_posts(environ: dict[str, str], posts: bool) -> None:
    assert progress._is_first(environ) is posts


def test_what_cannot_be_reported_does_not_drop_the_rest(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    progress.report(math.nan, remaining=math.inf, **{"": 1, "loss": math.nan, "x": Broken()})
    _wait(server, 1)
    status = server.seen[0][1]["trainerStatus"]
    metrics = [{"name": "loss", "value": "nan"}, {"name": "x", "value": "-"}]
    assert (status.pop("metrics"), set(status)) == (metrics, {"lastUpdatedTime"})
    assert "a metric without a name is not reported: 1" in caplog.text


def test_other_ranks_are_silent(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOB_COMPLETION_INDEX", "3")
    progress.report(1)
    progress._REPORTER.finish()
    assert server.seen == []


def test_a_server_that_refuses_is_asked_again(server: Server) -> None:
    server.code = 500
    progress.report(1)
    _wait(server, 1)
    server.code = 200
    progress.report(2)
    _wait(server, 2)


def test_the_end_of_the_program_posts_the_last(server: Server) -> None:
    program = "from trainc.progress import report\nreport(1)\nreport(99)"
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert out.stderr == b""
    assert server.seen[-1][1]["trainerStatus"]["progressPercentage"] == 99


def test_it_needs_nothing_but_python() -> None:
    program = (
        "import sys; import trainc.progress;"
        "print(sorted({m.partition('.')[0] for m in sys.modules} - set(sys.stdlib_module_names)))"
    )
    out = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    names = {name for name in eval(out.stdout) if not name.startswith(("_", "sphinx"))}
    assert names <= {"trainc"}
