"""Fixtures: each server is started once a session, and only where a test asks for it."""

from __future__ import annotations

import http.server
import importlib.util
import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.initializers.running import Serve
from tests.initializers.servers import (
    S3,
    start_azurite,
    start_fake_gcs,
    start_moto,
    start_versitygw,
)
from tests.tools import AZURITE, FAKE_GCS, VERSITYGW, missing

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def versitygw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    """A real S3 server on a folder."""
    if why := missing(VERSITYGW):
        pytest.skip(why)
    pytest.importorskip("boto3")
    process, server = start_versitygw(tmp_path_factory.mktemp("versitygw"))
    yield server
    process.kill()  # nothing is lost, and asked to end some wait for their connections


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    """A mock of S3, of its token service too."""
    for module in ("boto3", "moto", "flask"):
        if importlib.util.find_spec(module) is None:
            pytest.skip("needs moto[server] and boto3")
    process, server = start_moto(tmp_path_factory.mktemp("moto"))
    yield server
    process.kill()  # nothing is lost, and asked to end some wait for their connections


@pytest.fixture(params=[pytest.param("versitygw", marks=pytest.mark.programs), "moto"])
def s3(request: pytest.FixtureRequest) -> S3:
    """Each of the two servers."""
    server: S3 = request.getfixturevalue(request.param)
    return server


@pytest.fixture
def bucket() -> str:
    """A bucket's name that no other test uses."""
    return f"bucket-{next(_numbers)}"


@pytest.fixture(scope="session")
def gcs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint of an emulator of Google Cloud Storage."""
    if why := missing(FAKE_GCS):
        pytest.skip(why)
    process, url = start_fake_gcs(tmp_path_factory.mktemp("gcs"))
    yield url
    process.kill()  # nothing is lost, and asked to end some wait for their connections


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint of an emulator of Azure Blob Storage."""
    if why := missing(AZURITE):
        pytest.skip(why)
    process, url = start_azurite(tmp_path_factory.mktemp("azurite"))
    yield url
    process.kill()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A folder that is not there yet."""
    return tmp_path / "workspace" / "dataset"


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Runs a handler of Python's own web server on loopback."""
    servers: list[http.server.ThreadingHTTPServer] = []

    def start(handler: type[http.server.BaseHTTPRequestHandler]) -> str:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
