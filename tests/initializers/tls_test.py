"""S3 over TLS: which authorities are trusted, by both clients of the provider."""

from __future__ import annotations

import hashlib
import http.server
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.initializers.running import fetch_here, some_bytes, tree
from trainc.initializers.failure import ConfigurationError
from trainc.initializers.s3api import new_opener
from trainc.kube.keys import tls_pair

BODY = some_bytes(10_000, seed=7)
ETAG = f'"{hashlib.md5(BODY, usedforsecurity=False).hexdigest()}"'
LISTING = f"""<ListBucketResult><Contents><Key>a.bin</Key><Size>{len(BODY)}</Size>
<ETag>{ETAG}</ETag><LastModified>2026-01-01T00:00:00Z</LastModified></Contents></ListBucketResult>
"""


@dataclass(frozen=True)
class Server:
    """A server over TLS, and the files that tell whom to trust: its authority, another, none."""

    url: str
    ca: Path
    other: Path
    absent: Path


class OneObject(http.server.BaseHTTPRequestHandler):
    """A bucket that holds one small object."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        listing = "list-type" in self.path
        body = LISTING.encode() if listing else BODY
        part = "Range" in self.headers
        self.send_response(206 if part else 200)
        self.send_header("Content-Length", str(len(body)))
        if part:
            self.send_header("Content-Range", f"bytes 0-{len(BODY) - 1}/{len(BODY)}")
        if not listing:
            self.send_header("ETag", ETAG)
            self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    pair = tls_pair(["127.0.0.1"], datetime.now(UTC))
    other = tls_pair(["127.0.0.1"], datetime.now(UTC))
    texts = {"crt": pair.certificate, "key": pair.key, "ca": pair.ca, "other": other.ca}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "crt", tmp_path / "key")
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), OneObject)
    running.daemon_threads = True
    running.socket = context.wrap_socket(running.socket, server_side=True)
    threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
    url = f"https://127.0.0.1:{running.server_address[1]}"
    yield Server(url, tmp_path / "ca", tmp_path / "other", tmp_path / "absent")
    running.shutdown()
    running.server_close()


def subject_hash(certificate: Path) -> str:
    """What OpenSSL calls a certificate in a folder."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the program openssl")
    command = ["openssl", "x509", "-noout", "-subject_hash", "-in", str(certificate)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def fetched(
    server: Server, bundle: Path | str, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
    environ = {"ENDPOINT": server.url, "REGION": "us-east-1", "ANONYMOUS": "true"}
    fetch_here("s3://bucket/", target, environ)


def test_its_authority_is_trusted(
    server: Server, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched(server, server.ca, target, monkeypatch)
    assert tree(target) == {"a.bin": BODY}


def test_it_is_of_a_proxy_too(
    server: Server, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", server.url)
    fetched(replace(server, url="http://storage.invalid"), server.ca, target, monkeypatch)
    assert tree(target) == {"a.bin": BODY}


def test_folders_of_authorities_are_trusted(
    server: Server, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = server.ca.with_name("authorities")
    folder.mkdir()
    shutil.copy(server.ca, folder / f"{subject_hash(server.ca)}.0")
    monkeypatch.setenv("SSL_CERT_FILE", str(server.absent))
    monkeypatch.setenv("SSL_CERT_DIR", f"{server.absent}:{folder}")
    fetched(server, "", target, monkeypatch)
    assert tree(target) == {"a.bin": BODY}


def test_no_other_is(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="certificate verify failed"):
        fetched(server, server.other, target, monkeypatch)


def test_authorities_that_cannot_be_read_are_a_mistake_of_the_settings(
    server: Server, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigurationError, match=r"the CA bundle '.*absent'"):
        fetched(server, server.absent, target, monkeypatch)


def test_nothing_is_read_in_for_a_server_without_tls(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    monkeypatch.setattr(ssl, "create_default_context", lambda cafile=None: read.append(cafile))
    opener = new_opener(str(server.ca))
    with pytest.raises(OSError, match="refused"):
        opener.open("http://127.0.0.1:1/", timeout=5)
    assert read == []
