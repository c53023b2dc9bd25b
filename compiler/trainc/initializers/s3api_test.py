from __future__ import annotations

from dataclasses import dataclass

import pytest

from trainc.initializers.failure import FetchError, PermissionDeniedError, TransientError
from trainc.initializers.s3api import refused


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    status: int
    body: bytes
    kind: type[FetchError]
    says: str


@pytest.mark.parametrize(
    "case",
    [
        TestCase(
            "the server's own words",
            400,
            b"<Error><Code>ExpiredToken</Code><Message>too old</Message></Error>",
            PermissionDeniedError,
            "permission: a: 400 ExpiredToken: too old",
        ),
        TestCase("a page", 503, b"<p>Oh<br>", TransientError, "transient: a: 503 Service Unav"),
        TestCase(
            "a page in an encoding of many bytes",
            502,
            b"<?xml version='1.0' encoding='Shift_JIS'?><html/>",
            TransientError,
            "transient: a: 502 Bad Gateway",
        ),
        TestCase(
            "a page in an encoding that nobody knows",
            403,
            b"<?xml version='1.0' encoding='ours'?><html/>",
            PermissionDeniedError,
            "permission: a: 403 Forbidden",
        ),
    ],
    ids=lambda case: case.name,
)
def test_what_a_refusal_means(case: TestCase) -> None:
    error = refused("a", case.status, case.body, 0)
    assert isinstance(error, case.kind)
    assert str(error).startswith(case.says)
