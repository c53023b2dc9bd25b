from __future__ import annotations

import os
import socket
import ssl
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from trainc.controller.progress.tls import Certificate
from trainc.kube.keys import tls_pair


def _write(folder: Path, moment: int) -> str:
    """A new certificate, written at that moment; gives its CA."""
    pair = tls_pair(["localhost"], datetime.now(UTC))
    for name, text in (("ca.crt", pair.ca), ("tls.key", pair.key), ("tls.crt", pair.certificate)):
        (folder / name).write_text(text)
        os.utime(folder / name, (moment, moment))
    return pair.ca


def _shakes_hands(server: ssl.SSLContext, authority: str) -> bool:
    """Whether a client that trusts ``authority`` accepts what the context shows."""
    client = ssl.create_default_context(cadata=authority)
    ours, theirs = socket.socketpair()

    def serve() -> None:
        try:
            server.wrap_socket(theirs, server_side=True).close()
        except (ssl.SSLError, OSError):
            theirs.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        client.wrap_socket(ours, server_hostname="localhost").close()
    except ssl.SSLError:
        return False
    finally:
        ours.close()
        thread.join()
    return True


def test_it_follows_its_files(tmp_path: Path) -> None:
    certificate = Certificate(tmp_path)
    assert not certificate.refresh()
    assert certificate.authority() == ""
    first = _write(tmp_path, 1000)
    assert certificate.refresh()
    assert certificate.authority() == first
    assert _shakes_hands(certificate.context, first)
    second = _write(tmp_path, 2000)
    assert certificate.refresh()
    assert _shakes_hands(certificate.context, second)
    assert not _shakes_hands(certificate.context, first)


def test_what_is_looked_for_often_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    certificate = Certificate(tmp_path)
    with caplog.at_level("INFO"):
        for _ in range(5):
            assert not certificate.refresh()
        assert len(caplog.records) == 1
        (tmp_path / "tls.crt").write_text("")
        certificate.refresh()
    assert len(caplog.records) == 2


@pytest.mark.parametrize("broken", ["tls.crt", "tls.key"])
def test_files_that_are_being_replaced_change_nothing(tmp_path: Path, broken: str) -> None:
    certificate = Certificate(tmp_path)
    first = _write(tmp_path, 1000)
    certificate.refresh()
    _write(tmp_path, 2000)
    whole = (tmp_path / broken).read_text()
    (tmp_path / broken).write_text(whole[: len(whole) // 2])
    assert certificate.refresh()
    assert _shakes_hands(certificate.context, first)
    (tmp_path / broken).write_text(whole)
    assert certificate.refresh()
    assert _shakes_hands(certificate.context, certificate.authority())
