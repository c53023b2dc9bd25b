from __future__ import annotations

import dataclasses
import http.client
import io
import itertools
import urllib.request
import urllib.response
from dataclasses import dataclass
from email.message import Message

import pytest

from trainc.initializers.failure import (
    ConfigurationError,
    FetchError,
    IntegrityError,
    PermissionDeniedError,
    TransientError,
)
from trainc.initializers.s3api import Bucket, refused


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


class Server(urllib.request.BaseHandler):
    """Answers each request by its method: with a status, a body and headers."""

    def __init__(self, answers: dict[str, tuple[int, bytes, dict[str, str]]]) -> None:
        self.answers = answers

    def http_open(self, request: urllib.request.Request) -> urllib.response.addinfourl:
        status, body, told = self.answers[request.get_method()]
        headers = Message()
        for name, text in told.items():
            headers[name] = text
        answer = urllib.response.addinfourl(io.BytesIO(body), headers, request.full_url, status)
        answer.msg = http.client.responses[status]  # type: ignore[attr-defined]
        return answer


def bucket(answers: dict[str, tuple[int, bytes, dict[str, str]]]) -> Bucket:
    opener = urllib.request.OpenerDirector()
    for handler in (
        Server(answers),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(handler)
    return Bucket("b", "http://host/b", "us-east-1", lambda: None, 1, "", opener)


def test_a_head_without_a_reason_is_asked_for_it() -> None:
    expired = b"<Error><Code>ExpiredToken</Code><Message>too old</Message></Error>"
    asked = bucket({"HEAD": (400, b"", {}), "GET": (400, expired, {})})
    with pytest.raises(PermissionDeniedError, match="ExpiredToken: too old"):
        asked.head("a")


def test_a_head_that_alone_is_refused_stays_so() -> None:
    asked = bucket({"HEAD": (400, b"", {}), "GET": (206, b"x", {})})
    with pytest.raises(ConfigurationError, match="400 Bad Request"):
        asked.head("a")


def test_a_wish_that_is_no_number_is_none() -> None:
    asked = bucket({"HEAD": (503, b"", {"Retry-After": "\xb2"})})
    with pytest.raises(TransientError) as raised:
        asked.head("a")
    assert raised.value.retry_after == 0


def test_a_page_without_end_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainc.initializers.s3api._PAGE_BYTES", 1000)
    page = b"<ListBucketResult>" + b" " * 2000 + b"</ListBucketResult>"
    with pytest.raises(IntegrityError, match="does not end"):
        list(bucket({"GET": (200, page, {})}).entries(""))


def test_a_listing_that_goes_round_in_circles_ends() -> None:
    tokens = itertools.cycle("abc")

    class Circling(Server):
        def http_open(self, request: urllib.request.Request) -> urllib.response.addinfourl:
            page = (
                "<ListBucketResult><IsTruncated>true</IsTruncated>"
                f"<NextContinuationToken>{next(tokens)}</NextContinuationToken></ListBucketResult>"
            )
            self.answers = {"GET": (200, page.encode(), {})}
            return super().http_open(request)

    opener = urllib.request.OpenerDirector()
    opener.add_handler(Circling({}))
    asked = Bucket("b", "http://host/b", "us-east-1", lambda: None, 1, "", opener)
    with pytest.raises(IntegrityError, match="breaks off"):
        list(asked.entries(""))


def test_the_reader_who_pays_says_so() -> None:
    asked = dataclasses.replace(bucket({}), requester_pays=True)
    assert asked.request("GET", "a")[1]["x-amz-request-payer"] == "requester"
    assert not bucket({}).request("GET", "a")[1]
