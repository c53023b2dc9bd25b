from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from trainc.initializers.sigv4 import Keys, canonical_query, signed

pytest.importorskip("botocore")
KEYS = Keys("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
NOW = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    key: str = ""
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    keys: Keys = KEYS
    method: str = "GET"
    host: str = "http://127.0.0.1:7070/bucket"
    region: str = "us-east-1"


@pytest.mark.parametrize(
    "case",
    [
        TestCase("a key", "a/b.txt"),
        TestCase("odd letters", "ü n/日 本+&=?#%'\"~.txt"),
        TestCase("dots", "a/../b/./c//d/"),
        TestCase("a query", query={"prefix": "a b/ü+", "list-type": "2", "encoding-type": "url"}),
        TestCase(
            "a head", "a", {"partNumber": "1"}, {"x-amz-checksum-mode": "ENABLED"}, method="HEAD"
        ),
        TestCase("a range is not signed", "a", headers={"Range": "bytes=0-1", "If-Match": '"x"'}),
        TestCase("a token", "a", keys=Keys("AKID", "secret", "to/ken+==")),
        TestCase("the host's bucket", "a", host="https://b.s3.eu-central-1.amazonaws.com"),
        TestCase("another region", "a", region="eu-central-1"),
    ],
    ids=lambda case: case.name,
)
def test_the_signature_is_amazons_own(case: TestCase, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"/{quote(case.key, safe='/-_.~')}" if case.key else ""
    query = f"?{canonical_query(case.query)}" if case.query else ""
    url = f"{case.host}{path}{query}"
    ours = signed(case.method, url, case.headers, case.keys, case.region, NOW)
    theirs = amazons(case, url, monkeypatch)
    # Theirs signs further headers of the request where there are any; ours need not.
    for name in ("Authorization", "X-Amz-Date", "X-Amz-Content-SHA256"):
        assert lowered(ours)[name.lower()] == lowered(theirs)[name.lower()]


def amazons(case: TestCase, url: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The headers as botocore signs them, at the same moment."""
    from botocore import auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    stamp = NOW.strftime("%Y%m%dT%H%M%SZ")
    keys = case.keys
    credentials = Credentials(
        keys.access_key_id, keys.secret_access_key, keys.session_token or None
    )
    within = {n: v for n, v in case.headers.items() if n.lower().startswith("x-amz-")}
    request = AWSRequest(case.method, url, headers=within)
    request.context["timestamp"] = stamp
    signer = auth.S3SigV4Auth(credentials, "s3", case.region)
    monkeypatch.setattr(auth, "get_current_datetime", lambda **_: NOW.replace(tzinfo=None))
    signer.add_auth(request)
    return dict(request.headers.items())


def lowered(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def test_a_query_is_written_in_one_way_only() -> None:
    assert canonical_query({"b": "a b/ü", "a": "~+"}) == "a=~%2B&b=a%20b%2F%C3%BC"


def test_keys_do_not_show_their_secrets() -> None:
    assert "wJalr" not in repr(KEYS)
    assert "token" not in repr(Keys("AKID", "secret", "token0")).replace("session_token", "")
