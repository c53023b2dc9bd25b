from __future__ import annotations

import socket
import time
import urllib.request
from collections.abc import Iterator

import pytest

from trainc.controller.serving import Server, health


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


# A container of Docker has no IPv6 as a rule; that is no fault of the run.
@pytest.fixture(params=["127.0.0.1", *(["::1"] if _has_ipv6() else [])])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    started = Server(health(lambda: True, str, bytes), request.param, 0)
    started.start()
    yield started
    started.stop()


def test_it_answers_on_an_address_of_either_kind(
    server: Server, request: pytest.FixtureRequest
) -> None:
    host = request.node.callspec.params["server"]
    address = f"[{host}]" if ":" in host else host
    with urllib.request.urlopen(f"http://{address}:{server.port}/healthz") as response:
        assert response.read() == b"ok\n"


def test_it_ends_when_it_is_asked_to() -> None:
    for _ in range(20):
        server = Server(health(lambda: True, str, bytes), "127.0.0.1", 0)
        server.start()
        assert server.alive()
        server.stop()
        assert not server.alive()


def test_its_dates_go_on() -> None:
    server = Server(health(lambda: True, str, bytes), "127.0.0.1", 0)
    server.start()
    url = f"http://127.0.0.1:{server.port}/healthz"
    first = _date(url)
    end = time.monotonic() + 30
    while _date(url) == first:
        assert time.monotonic() < end
        time.sleep(0.1)
    server.stop()


def _date(url: str) -> str:
    with urllib.request.urlopen(url) as response:
        return str(response.headers["Date"])
