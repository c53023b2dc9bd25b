from __future__ import annotations

import base64
import io
import json
from urllib.parse import quote

import pytest

from trainc.initializers.redact import RedactedStream, Redactor, is_secret_name

SECRET = "pa/ss+w=ord \"x' ü"
MASK = "[redacted]"


@pytest.fixture
def knowing() -> Redactor:
    redactor = Redactor()
    redactor.learn([SECRET])
    return redactor


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        json.dumps(SECRET)[1:-1],
        repr(SECRET)[1:-1],
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(SECRET.encode()).decode().rstrip("="),
    ],
)
def test_every_form_is_masked(knowing: Redactor, form: str) -> None:
    assert knowing.redact(f"a {form} b") == f"a {MASK} b"


def test_the_longer_secret_goes_first() -> None:
    redactor = Redactor()
    redactor.learn(["abcd", "abcdef"])
    assert redactor.redact("abcdef abcd") == f"{MASK} {MASK}"


def test_each_line_of_a_secret_is_one() -> None:
    redactor = Redactor()
    redactor.learn(["-----BEGIN-----\nMIIEvQIBADANBg\n-----END-----\n"])
    assert "MIIEvQIBADANBg" not in redactor.redact("key: MIIEvQIBADANBg")


@pytest.mark.parametrize("short", ["", "a", "abc", "   "])
def test_what_is_too_short_is_no_secret(short: str) -> None:
    redactor = Redactor()
    redactor.learn([short])
    assert redactor.redact("a b abc   d") == "a b abc   d"


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("http://user:word@host/x", f"http://{MASK}@host/x"),
        ("https://h/x?X-Amz-Signature=ab12&a=1", f"https://h/x?X-Amz-Signature={MASK}&a=1"),
        ("https://h/x?sig=a%2Bb&se=2", f"https://h/x?sig={MASK}&se=2"),
        ("X-Goog-Signature=ab12", f"X-Goog-Signature={MASK}"),
        ("Authorization: Bearer abc.def", f"Authorization: Bearer {MASK}"),
        ("{'authorization': 'Basic dTpw'}", f"{{'authorization': 'Basic {MASK}'}}"),
        ("http://user:p@ss@host/x", f"http://{MASK}@host/x"),
        ("https://ghp_abc@host/x?a@b", f"https://{MASK}@host/x?a@b"),
        ("socks5://user:word@host", f"socks5://{MASK}@host"),
        ("https://h/x?private_token=ab&a=1", f"https://h/x?private_token={MASK}&a=1"),
        ("https://h/x?a=1&key=AIza", f"https://h/x?a=1&key={MASK}"),
        ("https://h/x?client_secret=ab", f"https://h/x?client_secret={MASK}"),
        ("redirect=https%3A%2F%2Fh%3Fauth%3Dab", f"redirect=https%3A%2F%2Fh%3Fauth%3D{MASK}"),
        ("AccountName=a;AccountKey=ab==;X", f"AccountName=a;AccountKey={MASK}"),
        ("<SecretAccessKey>ab</SecretAccessKey>", f"<SecretAccessKey>{MASK}</SecretAccessKey>"),
        ('{"SecretAccessKey" : "ab", "a": "b"}', f'{{"SecretAccessKey" : "{MASK}", "a": "b"}}'),
        (r'"{\"Token\": \"ab\"}"', rf'"{{\"Token\": \"{MASK}\"}}"'),
        ("{'X-Amz-Security-Token': b'ab'}", f"{{'X-Amz-Security-Token': b'{MASK}'}}"),
        ("(b'Set-Cookie', b'ab; Path=/')", f"(b'Set-Cookie', b'{MASK}')"),
        ("403 SignatureDoesNotMatch: The keys", "403 SignatureDoesNotMatch: The keys"),
        ("ExpiredToken: The provided token", "ExpiredToken: The provided token"),
        ("Looking for credentials via: env", "Looking for credentials via: env"),
        ("hf://squad@main", "hf://squad@main"),
        ("s3://bucket/key=1/a", "s3://bucket/key=1/a"),
        ("https://host/design?significant=1", "https://host/design?significant=1"),
        ("s3://bucket/a:b/c", "s3://bucket/a:b/c"),
        ("12:30 of 5@home", "12:30 of 5@home"),
    ],
)
def test_what_is_secret_by_its_place_is_masked(text: str, want: str) -> None:
    assert Redactor().redact(text) == want


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("ACCESS_TOKEN", True),
        ("SECRET_ACCESS_KEY", True),
        ("ACCESS_KEY_ID", True),
        ("SESSION_TOKEN", True),
        ("HF_TOKEN", True),
        ("SERVICE_ACCOUNT_KEY", True),
        ("AZURE_STORAGE_SAS_TOKEN", True),
        ("SAS_TOKEN", True),
        ("DB_PASSWORD", True),
        ("hf_token", True),
        ("AZURE_STORAGE_CONNECTION_STRING", True),
        ("REDIS_AUTH", True),
        ("TOKENIZERS_PARALLELISM", False),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", False),
        ("GOOGLE_APPLICATION_CREDENTIALS_PATH", False),
        ("KUBEFLOW_TRAINER_SERVER_TOKEN", False),
        ("STORAGE_URI", False),
        ("REGION", False),
        ("PATH", False),
    ],
)
def test_is_secret_name(name: str, secret: bool) -> None:
    assert is_secret_name(name) == secret


def test_the_environment_is_learnt() -> None:
    redactor = Redactor()
    redactor.learn_environment({"ACCESS_TOKEN": "hf_planted", "REGION": "us-east-1"})
    assert redactor.redact("hf_planted us-east-1") == f"{MASK} us-east-1"


@pytest.mark.parametrize(
    ("name", "value", "printed"),
    [
        ("HTTPS_PROXY", "http://bob:hunter22@proxy:3128", "nonnumeric port: 'hunter22@proxy'"),
        ("ENDPOINT", "http://bob:hunter%3222@h", "Basic Ym9iOmh1bnRlcjIyMg=="),
        ("STORAGE_URI", "https://ghp_abcd@host/x", "no such user ghp_abcd"),
        ("SERVICE_ACCOUNT_KEY", '{"private_key": "ab\\ncdef", "type": "user"}', "a user: cdef"),
    ],
)
def test_what_is_secret_in_a_variable_is_learnt(name: str, value: str, printed: str) -> None:
    redactor = Redactor()
    redactor.learn_environment({name: value})
    assert MASK in redactor.redact(printed)


@pytest.mark.parametrize("value", ["hf://squad@main", "s3://bucket/a@b", "true"])
def test_what_is_no_secret_in_a_variable_is_not(value: str) -> None:
    redactor = Redactor()
    redactor.learn_environment({"STORAGE_URI": value, "HF_HUB_DISABLE_IMPLICIT_TOKEN": "true"})
    assert redactor.redact(f"squad bucket true {value}") == f"squad bucket true {value}"


def test_a_stream_lets_no_secret_through(knowing: Redactor) -> None:
    under = io.StringIO()
    stream = RedactedStream(under, knowing)
    assert stream.write(f"it is {SECRET}\n") == len(f"it is {SECRET}\n")
    print("or", quote(SECRET), file=stream)  # noqa: T201 - what libraries do
    stream.flush()
    assert under.getvalue() == f"it is {MASK}\nor {MASK}\n"
    assert not stream.isatty()
