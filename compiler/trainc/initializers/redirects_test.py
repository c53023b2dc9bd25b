from __future__ import annotations

import socket
from dataclasses import dataclass

import pytest

from trainc.initializers.failure import ConfigurationError, FetchError, PermissionDeniedError
from trainc.initializers.redirects import check_redirect

PUBLIC = "https://93.184.215.14/file"
PRIVATE = "http://10.1.2.3/file"
HERE = "http://127.0.0.1:8000/file"


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    first: str
    to: str
    allowed: tuple[str, ...] = ()
    refused: type[FetchError] | None = None


@pytest.mark.parametrize(
    "case",
    [
        TestCase(PUBLIC, "https://1.1.1.1/x"),
        TestCase(PRIVATE, "http://192.168.0.9/x"),
        TestCase(HERE, "http://127.0.0.1:9000/x"),
        TestCase(HERE, "http://10.0.0.1/x"),
        TestCase(PUBLIC, "http://10.0.0.1/x", refused=PermissionDeniedError),
        TestCase(PUBLIC, "http://127.0.0.1/x", refused=PermissionDeniedError),
        TestCase(PUBLIC, "http://[::1]/x", refused=PermissionDeniedError),
        TestCase(PUBLIC, "http://0.0.0.0/x", refused=PermissionDeniedError),
        TestCase(PUBLIC, "http://100.64.0.1/x", refused=PermissionDeniedError),
        TestCase(PUBLIC, "http://[::ffff:10.0.0.1]/x", refused=PermissionDeniedError),
        TestCase(PUBLIC, "http://[64:ff9b::a9fe:a9fe]/x", refused=PermissionDeniedError),
        TestCase(PUBLIC, "http://2130706433/x", refused=PermissionDeniedError),
        TestCase(PRIVATE, PUBLIC, refused=PermissionDeniedError),
        TestCase(PRIVATE, HERE, refused=PermissionDeniedError),
        TestCase(PRIVATE, "http://169.254.169.254/latest", refused=PermissionDeniedError),
        TestCase(HERE, "http://[fd00:ec2::254]/latest", refused=PermissionDeniedError),
        TestCase(HERE, "http://[fe80::1]/x", refused=PermissionDeniedError),
        TestCase(PUBLIC, "http://168.63.129.16/x", refused=PermissionDeniedError),
        TestCase(PUBLIC, "http://metadata.google.internal/x", refused=PermissionDeniedError),
        TestCase(PUBLIC, "http://METADATA.google.internal./x", refused=PermissionDeniedError),
        TestCase(PUBLIC, "http://10.0.0.1/x", ("10.0.0.0/8",)),
        TestCase(PUBLIC, "http://10.0.0.1/x", ("10.0.0.1",)),
        TestCase(PUBLIC, "http://11.0.0.1:80/x", ("10.0.0.0/8",)),
        TestCase(PUBLIC, "http://192.168.0.1/x", ("10.0.0.0/8",), PermissionDeniedError),
        TestCase(PRIVATE, "http://169.254.169.254/x", ("169.254.169.254",)),
        TestCase(PUBLIC, "http://mirror.lab.internal/x", ("*.lab.internal",)),
        TestCase(PUBLIC, "file:///etc/passwd", refused=ConfigurationError),
        TestCase(PUBLIC, "gopher://1.1.1.1/x", refused=ConfigurationError),
        TestCase(PUBLIC, "http://[nowhere/x", refused=ConfigurationError),
    ],
    ids=lambda case: f"{case.first} -> {case.to} {case.allowed}",
)
def test_where_a_redirect_may_lead(case: TestCase) -> None:
    if case.refused is None:
        check_redirect(case.first, case.to, case.allowed)
        return
    with pytest.raises(case.refused) as raised:
        check_redirect(case.first, case.to, case.allowed)
    if case.refused is PermissionDeniedError:
        assert "ALLOW_REDIRECTS_TO=" in str(raised.value)


def test_one_bad_address_of_a_name_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    def both(host: str, *args: object, **options: object) -> list[tuple[object, ...]]:
        named = ["1.1.1.1", "169.254.169.254"] if host == "rebound.example" else [host]
        return [(0, 0, 0, "", (address, 0)) for address in named]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    with pytest.raises(PermissionDeniedError, match="metadata"):
        check_redirect(PUBLIC, "http://rebound.example/x", ())
