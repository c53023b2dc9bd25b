"""TLS and token on a real cache: what they let in and what they keep out."""

import ssl
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyarrow import flight
from tests.cache.running import Running, ids, write_parquet

from trainc.cache.client import CacheDataset, CacheUnavailable
from trainc.cache.health import Health
from trainc.cache.local import mint_token
from trainc.cache.security import Security
from trainc.kube.keys import tls_pair

ROWS = 5_000
TABLE = flight.FlightDescriptor.for_path("db", "rows")


def minted(folder: Path) -> Security:
    pair = tls_pair(["127.0.0.1", "localhost"], datetime.now(UTC))
    for name, text in (("ca", pair.ca), ("cert", pair.certificate), ("key", pair.key)):
        (folder / name).write_text(text)
    return Security(folder / "cert", folder / "key", folder / "ca", mint_token(folder))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("security")
    source = write_parquet(folder / "data", (2_000, 3_000), width=300)
    running = Running(source, folder / "spill", security=minted(folder))
    try:
        yield running.wait_ready()
    finally:
        running.close()


def test_with_both_the_table_is_read(cache: Running) -> None:
    assert cache.address.startswith("grpc+tls://")
    assert sorted(ids(cache.dataset(seed=1))) == list(range(ROWS))


@pytest.mark.parametrize("token", [None, b"wrong", b""])
def test_without_the_token_every_call_is_refused(cache: Running, token: bytes | None) -> None:
    headers = [] if token is None else [(b"authorization", b"Bearer " + token)]
    options = flight.FlightCallOptions(headers=headers)
    worker = cache.security.connect(f"grpc+tls://127.0.0.1:{cache.workers[0].port}")
    calls = [
        lambda: cache.client().get_flight_info(TABLE, options),
        lambda: cache.client().get_schema(TABLE, options),
        lambda: list(cache.client().list_flights(b"", options)),
        lambda: list(cache.client().do_action("stats", options)),
        lambda: list(worker.do_action(flight.Action("load", b"{}"), options)),
        lambda: worker.do_get(flight.Ticket(b"\x00\x01"), options).read_all(),
    ]
    for call in calls:
        # pyarrow's get_schema raises what a server says as OSError.
        refused = (flight.FlightUnauthenticatedError, OSError)
        with pytest.raises(refused, match="asks for its token.*Unauthenticated"):
            call()


def test_a_rotated_token_is_taken_up_without_a_restart(cache: Running) -> None:
    path = cache.security.token
    assert path
    old = path.read_text()
    path.write_text("another\n")
    try:
        assert len(cache.dataset()) == ROWS
    finally:
        path.write_text(old)


def test_another_ca_is_not_trusted(cache: Running, tmp_path: Path) -> None:
    other = minted(tmp_path)
    dataset = replace(cache.dataset(), ca=other.ca, patience=0.3)
    with pytest.raises(CacheUnavailable):
        list(dataset)


def test_plaintext_is_not_spoken(cache: Running) -> None:
    address = cache.address.replace("grpc+tls", "grpc")
    with pytest.raises(CacheUnavailable):
        list(CacheDataset(address, rank=0, world=1, patience=0.3))


def test_a_token_without_tls_is_asked_for_on_the_loopback(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "data", (10,))
    running = Running(source, tmp_path / "spill", security=Security(token=mint_token(tmp_path)))
    try:
        running.wait_ready()
        assert ids(running.dataset()) == list(range(10))
        with pytest.raises(flight.FlightUnauthenticatedError):
            list(running.dataset(token=None))
    finally:
        running.close()


def test_probes_are_answered_over_tls_and_say_one_word(tmp_path: Path) -> None:
    security = minted(tmp_path)
    health = Health("127.0.0.1", 0, security, lambda: True)
    try:
        trust = ssl.create_default_context(cafile=str(security.ca))
        url = f"https://127.0.0.1:{health.port}/ready"
        with urllib.request.urlopen(url, context=trust, timeout=10) as answer:
            assert answer.read() == b"ready\n"
    finally:
        health.close()
