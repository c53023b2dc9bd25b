"""Fresh key material: SSH pair for MPI, CURVE certificate for Flux, TLS pair and token for a cache.

In: names and, for certificates, the time. Out: text ready to be a Secret's data. One leaf, because
the compiler (``--secrets inline``) and the controller must mint the same formats; every key comes
from the operating system's secure source and from nothing the job's manifests tell.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

# ZeroMQ RFC 32: the digits of Z85, least first.
_Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
_SKEW = timedelta(minutes=5)  # certificates begin a little earlier: nodes' clocks differ


class TLSPair(NamedTuple):
    """A server certificate with its key, and the CA that signed it; all PEM."""

    ca: str
    certificate: str
    key: str


def ssh_key_pair() -> tuple[str, str]:
    """A fresh ECDSA P-521 pair, as Kubeflow Trainer's MPI plugin makes it.

    Returns:
        The private key (PEM of SEC1, ``EC PRIVATE KEY``) and its ``authorized_keys`` line, which
        ends with a newline.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP521R1())
    public = key.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    return _sec1_pem(key), public.decode("ascii") + "\n"


def curve_certificate(name: str) -> str:
    """A fresh ZeroMQ CURVE secret certificate (ZPL) whose metadata carries ``name``."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    key = X25519PrivateKey.generate()
    return (
        "#   ZeroMQ CURVE **Secret** Certificate\n"
        "#   Made by trainc. Do not show this file to others.\n"
        "\n"
        "metadata\n"
        f'    name = "{name}"\n'
        "curve\n"
        f'    public-key = "{z85(key.public_key().public_bytes_raw())}"\n'
        f'    secret-key = "{z85(key.private_bytes_raw())}"\n'
    )


def z85(data: bytes) -> str:
    """``data`` in Z85 (ZeroMQ RFC 32); its length must be a multiple of 4 bytes."""
    if len(data) % 4:
        raise ValueError(f"Z85 wants a multiple of 4 bytes, got {len(data)}")
    words = (int.from_bytes(data[at : at + 4], "big") for at in range(0, len(data), 4))
    return "".join(_Z85[word // 85**place % 85] for word in words for place in (4, 3, 2, 1, 0))


def tls_pair(hosts: Sequence[str], now: datetime, days: int = 3650) -> TLSPair:
    """A fresh P-256 server certificate for ``hosts``, signed by a fresh CA whose key is forgotten.

    Args:
        hosts: DNS names or IP addresses the server is called by; the first is its common name.
        now: The present time, with its zone.
        days: How long both certificates are valid.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca = _ca(ca_key, now, days)
    leaf = _server(hosts, key, ca, ca_key, now, days)
    pem = serialization.Encoding.PEM
    return TLSPair(
        ca.public_bytes(pem).decode("ascii"), leaf.public_bytes(pem).decode("ascii"), _sec1_pem(key)
    )


def token() -> str:
    """A fresh bearer token: 256 random bits as 64 hexadecimal digits."""
    return secrets.token_hex(32)


def _sec1_pem(key: EllipticCurvePrivateKey) -> str:
    from cryptography.hazmat.primitives import serialization

    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode("ascii")


def _ca(key: EllipticCurvePrivateKey, now: datetime, days: int) -> x509.Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    name = _name("trainc CA")
    return (
        _builder(name, name, key, now, days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _server(
    hosts: Sequence[str],
    key: EllipticCurvePrivateKey,
    ca: x509.Certificate,
    ca_key: EllipticCurvePrivateKey,
    now: datetime,
    days: int,
) -> x509.Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID

    issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    server = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    return (
        # RFC 5280 allows 64 characters in a common name; clients read the alternative names.
        _builder(_name(hosts[0][:64]), ca.subject, key, now, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
        .add_extension(server, critical=False)
        .add_extension(issuer_id, critical=False)
        .sign(ca_key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: EllipticCurvePrivateKey,
    now: datetime,
    days: int,
) -> x509.CertificateBuilder:
    from cryptography import x509

    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + timedelta(days=days))
    )


def _name(common_name: str) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _host(host: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
