from __future__ import annotations

import base64
import re
import shutil
import socket
import ssl
import subprocess
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from trainc.kube.keys import curve_certificate, ssh_key_pair, tls_pair, token, z85


def test_ssh_key_pair_is_p521_in_sec1_and_its_public_line() -> None:
    private, public = ssh_key_pair()
    assert private.startswith("-----BEGIN EC PRIVATE KEY-----\n")
    key = serialization.load_pem_private_key(private.encode(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.curve.name == "secp521r1"
    assert re.fullmatch(r"ecdsa-sha2-nistp521 [A-Za-z0-9+/=]+\n", public)


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs ssh-keygen")
def test_ssh_keygen_derives_the_same_public_line(tmp_path: Path) -> None:
    private, public = ssh_key_pair()
    file = tmp_path / "id_rsa"
    file.write_text(private)
    file.chmod(0o600)
    out = subprocess.run(
        ["ssh-keygen", "-y", "-f", str(file)], capture_output=True, text=True, check=True
    )
    assert out.stdout.split()[:2] == public.split()


def test_key_pairs_differ() -> None:
    assert ssh_key_pair() != ssh_key_pair()
    assert curve_certificate("m") != curve_certificate("m")
    assert token() != token()


@dataclass(frozen=True)
class Z85Case:
    __test__ = False
    name: str
    data: bytes
    want: str


@pytest.mark.parametrize(
    "case",
    [
        Z85Case("the example of ZeroMQ RFC 32", bytes.fromhex("864FD26FB559F75B"), "HelloWorld"),
        Z85Case("nothing", b"", ""),
        Z85Case("highest word", b"\xff" * 4, "%nSc0"),
    ],
    ids=lambda case: case.name,
)
def test_z85(case: Z85Case) -> None:
    assert z85(case.data) == case.want
    assert base64.b85decode(_to_b85(case.want)) == case.data


def test_z85_refuses_other_lengths() -> None:
    with pytest.raises(ValueError, match="multiple of 4"):
        z85(b"abc")


def _to_b85(text: str) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    z85_digits = digits + ".-:+=^!/*?&<>()[]{}@%$#"
    b85_digits = (
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
    )
    return text.translate(str.maketrans(z85_digits, b85_digits))


def test_curve_certificate_holds_a_matching_pair() -> None:
    lines = curve_certificate("flux-job").splitlines()
    assert [line[:1] for line in lines[:3]] == ["#", "#", ""]
    assert lines[3:6] == ["metadata", '    name = "flux-job"', "curve"]
    found = dict(re.findall(r'^    (public|secret)-key = "(.{40})"$', "\n".join(lines), re.M))
    secret = base64.b85decode(_to_b85(found["secret"]))
    public = X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
    assert z85(public) == found["public"]


@pytest.mark.parametrize("host", ["m-cache.team-a.svc", "127.0.0.1"])
def test_tls_pair_serves_its_hosts(host: str, tmp_path: Path) -> None:
    pair = tls_pair([host, "localhost"], datetime.now(UTC))
    (tmp_path / "tls.crt").write_text(pair.certificate)
    (tmp_path / "tls.key").write_text(pair.key)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")
    client = ssl.create_default_context(cadata=pair.ca)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    left, right = socket.socketpair()
    accepting = threading.Thread(target=lambda: server.wrap_socket(left, server_side=True).close())
    accepting.start()
    with client.wrap_socket(right, server_hostname=host) as talking:
        peer = talking.getpeercert()
    accepting.join()
    assert peer is not None
    names = peer["subjectAltName"]
    assert isinstance(names, tuple)
    assert host in [name[1] for name in names]


def test_token_is_256_bits() -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", token())
