"""The program as a pod runs it: exit codes, the reason for the kubelet, progress, no secrets."""

from __future__ import annotations

import base64
import json
import os
import pty
import re
import signal
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.initializers.hub import Repo, hub
from tests.initializers.proxy import Fault, proxy, times
from tests.initializers.running import Serve, command, full, pod_environ, run_pod, some_bytes, tree
from tests.initializers.servers import ACCESS_KEY_ID, S3, SECRET_ACCESS_KEY
from trainc.names import DATASET_SCHEMES, PERMANENT_EXITS

MiB = 1024 * 1024


@pytest.fixture
def filled(versitygw: S3, bucket: str) -> str:
    versitygw.bucket(bucket)
    versitygw.put(bucket, "set/a", b"1" * 1000)
    return bucket


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    uri: str
    code: int
    reason: str
    environ: dict[str, str] = field(default_factory=dict)


@pytest.mark.parametrize(
    "case",
    [
        TestCase("done", "s3://{bucket}/set", 0, ""),
        TestCase("no URI", "", 64, "configuration: STORAGE_URI is not set: it says what to fetch"),
        TestCase(
            "unknown scheme",
            "ftp://x/y",
            64,
            "configuration: no provider fetches a dataset from ftp://; known: "
            f"{', '.join(DATASET_SCHEMES)}",
        ),
        TestCase(
            "a setting that cannot be",
            "s3://x/y",
            64,
            "configuration: CONCURRENCY must be a whole number, got 'many'",
            {"CONCURRENCY": "many"},
        ),
        TestCase(
            "a server that is no URL",
            "s3://x/y",
            64,
            "configuration: ENDPOINT 'minio:9000' is not of the form http(s)://host[:port]",
            {"ENDPOINT": "minio:9000"},
        ),
        TestCase(
            "a server that is no URL, of Google",
            "gs://x/y",
            64,
            "configuration: ENDPOINT 'minio' is not of the form http(s)://host[:port]",
            {"ENDPOINT": "minio"},
        ),
        TestCase(
            "a hub that is no URL",
            "hf://x/y",
            64,
            "configuration: HF_ENDPOINT 'http://[::1' is not of the form http(s)://host[:port]",
            {"HF_ENDPOINT": "http://[::1"},
        ),
        TestCase(
            "a URL that is none",
            "http://[::1/x",
            64,
            "configuration: http://[::1/x: Invalid IPv6 URL",
        ),
        TestCase(
            "a port that is none",
            "http://127.0.0.1:many/x",
            64,
            "configuration: http://127.0.0.1:many/x: Invalid port: 'many'",
        ),
        TestCase(
            "a proxy that is none",
            "http://127.0.0.1/x",
            64,
            "configuration: the environment's proxies: "
            "Unknown scheme for proxy URL URL('proxy://host')",
            {"HTTP_PROXY": "proxy://host"},
        ),
        TestCase(
            "certificates that are not there",
            "https://127.0.0.1/x",
            64,
            "configuration: SSL_CERT_FILE: [Errno 2] No such file or directory",
            {"SSL_CERT_FILE": "/no/such"},
        ),
        TestCase(
            "certificates that are not there, of S3",
            "s3://x/y",
            64,
            "configuration: the CA bundle '/no/such': No such file or directory",
            {"AWS_CA_BUNDLE": "/no/such"},
        ),
        TestCase(
            "a token that is none",
            "http://127.0.0.1:9/x",
            64,
            "configuration: http://127.0.0.1:9/x: "
            "the request has a header that cannot be: is ACCESS_TOKEN a token?",
            {"ACCESS_TOKEN": "tök en"},
        ),
        TestCase(
            "a style that is none",
            "s3://x/y",
            64,
            "configuration: PATH_STYLE must be true or false, got 'maybe'",
            {"PATH_STYLE": "maybe"},
        ),
        TestCase(
            "a bucket that cannot be",
            "s3://my bucket/y",
            64,
            "configuration: s3://my bucket at {server}: URL can't contain control characters. "
            "'/my bucket?encoding-type=url&list-type=2&max-keys=1&prefix=y' (found at least ' ')",
        ),
        TestCase(
            "a role that cannot be",
            "s3://x/y",
            64,
            "configuration: credentials: Parameter validation failed: "
            "Invalid length for parameter RoleArn, value: 6, valid min length: 20",
            {"ROLE_ARN": "reader", "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9"},
        ),
        TestCase(
            "a role of another server",
            "s3://x/y",
            64,
            "configuration: ROLE_ARN: the keys of http://{server} would be sent to Amazon; set "
            "AWS_ENDPOINT_URL_STS to the server that hands out the role",
            {"ROLE_ARN": "reader"},
        ),
        TestCase(
            "a path that cannot be",
            "file:///a%00b",
            64,
            "configuration: file:///a%00b: embedded null byte",
        ),
        TestCase(
            "a head that cannot be",
            "cache://a/b",
            64,
            "configuration: CACHE_HEAD 'bad host:1' is not of the form host:port",
            {"CACHE_HEAD": "bad host:1"},
        ),
        TestCase(
            "nothing there",
            "s3://{bucket}/other",
            66,
            "not found: there is nothing at s3://{bucket}/other",
        ),
        TestCase(
            "nothing matched",
            "s3://{bucket}/set",
            66,
            "not found: none of the 1 files at s3://{bucket}/set is left by the patterns: "
            "allow *.csv, ignore none",
            {"ALLOW_PATTERNS": "*.csv"},
        ),
        TestCase(
            "refused",
            "s3://{bucket}/set",
            75,
            "transient: s3://{bucket} at 127.0.0.1:9: [Errno 111] Connection refused",
            {"ENDPOINT": "http://127.0.0.1:9", "RETRY_MAX_SECONDS": "0.1"},
        ),
    ],
    ids=lambda case: case.name,
)
def test_every_end_has_its_code_and_reason(
    versitygw: S3, filled: str, tmp_path: Path, case: TestCase
) -> None:
    environ = versitygw.environ(STORAGE_URI=case.uri.format(bucket=filled), **case.environ)
    ended = run_pod(tmp_path, environ)
    server = versitygw.endpoint.removeprefix("http://")
    want = case.reason.format(bucket=filled, server=server)
    assert (ended.code, ended.reason) == (case.code, want)
    assert "Traceback" not in ended.output
    assert ended.code == 0 or (ended.code in PERMANENT_EXITS) == (ended.code != 75)


def test_a_wrong_key_and_a_rotten_object(versitygw: S3, filled: str, tmp_path: Path) -> None:
    environ = versitygw.environ(STORAGE_URI=f"s3://{filled}/set")
    denied = run_pod(tmp_path, {**environ, "SECRET_ACCESS_KEY": "wrong"})
    assert denied.code == 77
    assert "SignatureDoesNotMatch" in denied.reason
    (versitygw.folder / filled / "set/a").write_bytes(b"2" * 1000)
    rotten = run_pod(tmp_path, environ)
    assert rotten.code == 65
    assert "is not what it should be" in rotten.reason


@pytest.mark.parametrize("log", ["folder", "missing/log", "/proc/version"])
def test_a_reason_that_cannot_be_left_changes_no_code(tmp_path: Path, log: str) -> None:
    (tmp_path / "folder").mkdir()
    ended = run_pod(tmp_path, {"TRAINC_TERMINATION_LOG": str(tmp_path / log)})
    assert ended.code == 64
    assert "configuration: STORAGE_URI is not set" in ended.output
    assert "WARNING" in ended.output
    assert "Traceback" not in ended.output


def test_what_is_no_exception_is_a_bug_too_and_has_a_reason(tmp_path: Path) -> None:
    """As a library in Rust panics."""
    log = tmp_path / "log"
    code = (
        "import trainc.initializers.run as run\n"
        "class Panic(BaseException): pass\n"
        "def fetch(*_): raise Panic('at the disco')\n"
        "run.fetch = fetch\n"
        f"environ = {{'STORAGE_URI': 's3://x/y', 'TRAINC_TERMINATION_LOG': {str(log)!r}}}\n"
        "raise SystemExit(run.run('dataset', environ))\n"
    )
    environ = pod_environ(tmp_path, {})
    ended = subprocess.run([sys.executable, "-c", code], env=environ, check=False)
    assert (ended.returncode, log.read_text()) == (70, "bug: Panic: at the disco")


@pytest.mark.parametrize("words", [[], ["both"], ["dataset", "model"]])
def test_wrong_usage(words: list[str], tmp_path: Path) -> None:
    ended = subprocess.run(
        [*command("dataset")[:-1], *words],
        env=pod_environ(tmp_path, {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (64, "")
    assert ended.stderr.startswith("usage: trainc-initializer dataset|model")


def test_a_model_goes_to_its_own_folder(versitygw: S3, bucket: str, tmp_path: Path) -> None:
    versitygw.bucket(bucket)
    for name in ("config.json", "model.safetensors", "pytorch_model.bin"):
        versitygw.put(bucket, f"m/{name}", name.encode())
    ended = run_pod(tmp_path, versitygw.environ(STORAGE_URI=f"s3://{bucket}/m"), "model")
    assert ended.code == 0
    assert set(tree(tmp_path / "model")) == {"config.json", "model.safetensors"}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_it_at_once_and_the_next_start_goes_on(
    versitygw: S3, bucket: str, tmp_path: Path, number: int, code: int
) -> None:
    versitygw.bucket(bucket)
    body = some_bytes(8 * MiB)
    versitygw.put(bucket, "a", body)
    with proxy(versitygw.endpoint) as between:
        between.bytes_per_second = MiB
        uri = {"STORAGE_URI": f"s3://{bucket}/a", "ENDPOINT": between.url}
        environ = pod_environ(tmp_path, versitygw.environ(**uri))
        process = subprocess.Popen(
            command("dataset"), env=environ, stderr=subprocess.PIPE, text=True
        )
        while not between.gets():
            time.sleep(0.01)
        process.send_signal(number)
        said = process.communicate(timeout=30)[1]
        assert process.returncode == code
        assert "Traceback" not in said
        between.bytes_per_second = 0
        subprocess.run(command("dataset"), env=environ, check=True)
    assert tree(tmp_path / "dataset") == {"a": body}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize("scheme", ["s3", "gs", "az"])
def test_a_signal_ends_the_wait_for_a_silent_server(
    serve: Serve, tmp_path: Path, scheme: str, number: int, code: int
) -> None:
    asked, over = threading.Event(), threading.Event()

    class Silent(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.set()
            over.wait(120)

        do_HEAD = do_GET  # noqa: N815 - http.server's names

    more = {"ACCOUNT_NAME": "a", "ANONYMOUS": "true", "REGION": "r", "READ_TIMEOUT_SECONDS": "300"}
    uri = {"STORAGE_URI": f"{scheme}://bucket/set", "ENDPOINT": serve(Silent)}
    process = subprocess.Popen(command("dataset"), env=pod_environ(tmp_path, {**uri, **more}))
    try:
        assert asked.wait(60)
        process.send_signal(number)
        assert process.wait(60) == code
    finally:
        process.kill()
        over.set()


# --- progress


def slow_environ(versitygw: S3, bucket: str, url: str) -> dict[str, str]:
    return versitygw.environ(STORAGE_URI=f"s3://{bucket}/set", ENDPOINT=url)


@full
def test_a_pod_logs_a_line_now_and_then(versitygw: S3, bucket: str, tmp_path: Path) -> None:
    versitygw.bucket(bucket)
    versitygw.put(bucket, "set/a", some_bytes(7 * MiB))
    with proxy(versitygw.endpoint) as between:
        between.bytes_per_second = MiB
        ended = run_pod(tmp_path, slow_environ(versitygw, bucket, between.url))
    assert ended.code == 0
    assert re.search(
        r"INFO     fetched \d\.\d MiB of 7\.0 MiB \(\d+ %\), 0 of 1 files, "
        r"\d+\.\d [KM]iB/s, ETA \d+ s",
        ended.output,
    )


def test_a_terminal_shows_a_bar(versitygw: S3, bucket: str, tmp_path: Path) -> None:
    versitygw.bucket(bucket)
    versitygw.put(bucket, "set/a", some_bytes(3 * MiB))
    ours, theirs = pty.openpty()
    with proxy(versitygw.endpoint) as between:
        between.bytes_per_second = 2 * MiB
        environ = pod_environ(tmp_path, slow_environ(versitygw, bucket, between.url))
        process = subprocess.Popen(command("dataset"), env=environ, stderr=theirs)
        os.close(theirs)
        shown = read_all(ours)
        assert process.wait() == 0
    assert re.search(r"\r\x1b\[K\[#*\.+\] \d\.\d MiB of 3\.0 MiB \(\d+ %\)", shown)
    assert shown.rstrip().endswith("dataset")  # the bar is gone, the last line says what is there


def read_all(terminal: int) -> str:
    text = b""
    try:
        while chunk := os.read(terminal, 65536):
            text += chunk
    except OSError:  # the other side is closed
        pass
    return text.decode()


@contextmanager
def status_server() -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """Takes reports; refuses the first one."""
    reports: list[tuple[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            reports.append((self.headers["Authorization"], body))
            self.send_response(200)
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/status", reports
    finally:
        server.shutdown()
        server.server_close()


def test_the_status_endpoint_is_told(versitygw: S3, filled: str, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("planted-status-token\n")
    with status_server() as (url, reports):
        environ = versitygw.environ(
            STORAGE_URI=f"s3://{filled}/set",
            KUBEFLOW_TRAINER_SERVER_URL=url,
            KUBEFLOW_TRAINER_SERVER_TOKEN=str(token),
        )
        ended = run_pod(tmp_path, environ)
    assert ended.code == 0
    authorization, body = reports[-1]
    assert authorization == "Bearer planted-status-token"
    status = body["trainerStatus"]
    assert {"name": "dataset-initializer/percentage", "value": "100"} in status["metrics"]
    assert {"name": "dataset-initializer/bytes", "value": "1000"} in status["metrics"]
    assert all(0 < len(metric["name"]) <= 64 for metric in status["metrics"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", status["lastUpdatedTime"])


def test_a_status_endpoint_that_is_not_there_ends_nothing(
    versitygw: S3, filled: str, tmp_path: Path
) -> None:
    environ = versitygw.environ(
        STORAGE_URI=f"s3://{filled}/set", KUBEFLOW_TRAINER_SERVER_URL="http://127.0.0.1:9/status"
    )
    ended = run_pod(tmp_path, environ)
    assert ended.code == 0
    assert "the status endpoint did not take the report" in ended.output


def test_a_status_endpoint_that_speaks_no_http_ends_nothing(
    versitygw: S3, filled: str, tmp_path: Path
) -> None:
    class Nonsense(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65536)
            self.request.sendall(b"nonsense\r\n\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Nonsense) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/status"
        uri = {"STORAGE_URI": f"s3://{filled}/set", "KUBEFLOW_TRAINER_SERVER_URL": url}
        ended = run_pod(tmp_path, versitygw.environ(**uri))
        server.shutdown()
    assert ended.code == 0
    assert "the status endpoint did not take the report: nonsense" in ended.output


# --- secrets

PLANTED = {
    "ACCESS_TOKEN": "hf_plantedAccess/Token+0001=",
    "SESSION_TOKEN": "planted/session+token==0002",
    "HF_TOKEN": "hf_plantedHubToken0003",
    "AWS_SECRET_ACCESS_KEY": "planted/aws+secret=0004",
    "AZURE_STORAGE_ACCOUNT_KEY": base64.b64encode(b"planted-azure-key-0005").decode(),
    "SERVICE_ACCOUNT_KEY": '{"private_key": "planted-google-0006"}',
}
IN_URL = ("planted-user-0007", "planted-password-0008", "planted-signature-0009")


def forms(secret: str) -> set[str]:
    encoded = base64.b64encode(secret.encode()).decode()
    return {secret, quote(secret, safe=""), quote(secret), json.dumps(secret)[1:-1], encoded}


SECRETS = {
    form
    for secret in (*PLANTED.values(), *IN_URL, SECRET_ACCESS_KEY, ":".join(IN_URL[:2]))
    for form in forms(secret)
} | {"planted-google-0006"}


def check_nothing_secret(tmp_path: Path, output: str) -> None:
    found = {secret for secret in SECRETS if secret in output}
    assert not found
    for path in tmp_path.rglob("*"):
        if path.is_file():
            text = path.read_bytes().decode(errors="replace")
            assert not {secret for secret in SECRETS if secret in text}, path


@pytest.mark.parametrize("level", [pytest.param("info", marks=full), "debug"])
@pytest.mark.parametrize(
    ("uri", "environ", "fault", "code"),
    [
        ("s3://{bucket}/set", {}, None, 0),
        ("s3://{bucket}/set", {"SECRET_ACCESS_KEY": "planted/aws+secret=0004"}, None, 77),
        (
            "s3://{bucket}/set",
            {"ACCESS_KEY_ID": "", "SECRET_ACCESS_KEY": "", "AWS_ACCESS_KEY_ID": "AKIDPLANTED"},
            None,
            77,
        ),
        ("s3://{bucket}/set", {"ENDPOINT": "http://127.0.0.1:9"}, None, 75),
        ("s3://{bucket}/set", {"ENDPOINT": f"http://{':'.join(IN_URL[:2])}@127.0.0.1:9"}, None, 64),
        ("s3://{bucket}/set", {"ENDPOINT": f"http://[{IN_URL[1]}@127.0.0.1"}, None, 64),
        ("hf://org/x", {"HF_ENDPOINT": f"http://{':'.join(IN_URL[:2])}@127.0.0.1:9"}, None, 75),
        ("http://127.0.0.1:9/x", {"HTTP_PROXY": f"x://{':'.join(IN_URL[:2])}@h"}, None, 64),
        ("http://127.0.0.1:9/x", {"HTTP_PROXY": f"http://{':'.join(IN_URL[:2])}@[::1"}, None, 64),
        ("http://{s}@127.0.0.1:9/x?private_token={s}&key={s}", {}, None, 75),
        ("s3://{bucket}/set", {}, Fault(status=500), 75),
        ("s3://{bucket}/set", {}, Fault(cut=0), 75),
        ("http://{u}:{p}@{proxy}/{bucket}/set/a?sig={s}", {}, None, 77),
        ("http://{u}:{p}@127.0.0.1:9/x?X-Amz-Signature={s}&token={s}", {}, None, 75),
        ("http://{u}:{p}@{proxy}/a?Signature={s}", {}, Fault(status=500), 75),
        ("hf://org/private", {}, None, 77),
        ("hf://org/large", {}, None, 0),
        ("gs://bucket/x", {"ENDPOINT": ""}, None, 64),
        ("gs://bucket/x", {"ENDPOINT": "http://127.0.0.1:9"}, None, 75),
        (
            "az://container/x",
            {"ACCOUNT_NAME": "a", "ACCOUNT_KEY": "not//base64=planted", "ENDPOINT": "http://[::1"},
            None,
            64,
        ),
        (
            "az://container/x",
            {
                "ACCOUNT_NAME": "a",
                "ACCOUNT_KEY": PLANTED["AZURE_STORAGE_ACCOUNT_KEY"],
                "ENDPOINT": "http://127.0.0.1:9/a",
            },
            None,
            75,
        ),
        ("nonsense {u} {p} {s}", {"ACCOUNT_KEY": " ".join(IN_URL)}, None, 64),
    ],
)
def test_no_secret_is_ever_printed_or_kept(
    versitygw: S3,
    filled: str,
    tmp_path: Path,
    uri: str,
    environ: dict[str, str],
    fault: Fault | None,
    code: int,
    level: str,
) -> None:
    with proxy(versitygw.endpoint) as between, hub() as server:
        server.repos = {
            "org/private": Repo("datasets", {"main": {"a": b"1"}}, token="another"),
            "org/large": Repo("datasets", {"main": {"a": b"1"}}, large=frozenset({"a"})),
        }
        if fault:
            between.plan = times(10**6, fault)
        user, password, signature = IN_URL
        words = {"u": user, "p": password, "s": signature, "bucket": filled}
        text = uri.format(proxy=between.url.removeprefix("http://"), **words)
        given = {
            "STORAGE_URI": text,
            "LOG_LEVEL": level,
            "HF_ENDPOINT": server.url,
            "RETRY_MAX_SECONDS": "0.1",
            **PLANTED,
        }
        own = {"ENDPOINT": between.url, "ACCESS_KEY_ID": ACCESS_KEY_ID, "SESSION_TOKEN": ""}
        own |= {"SECRET_ACCESS_KEY": SECRET_ACCESS_KEY, "REGION": "us-east-1"}
        ended = run_pod(tmp_path, {**given, **own, **environ})
    assert ended.code == code, ended.output
    check_nothing_secret(tmp_path, ended.output + ended.reason)
    if level == "debug" and "AWS_ACCESS_KEY_ID" in environ:
        assert "DEBUG    Looking for credentials via: env" in ended.output  # libraries talk too


def test_keys_that_a_server_makes_are_not_printed_either(
    moto: S3, bucket: str, tmp_path: Path
) -> None:
    moto.bucket(bucket)
    moto.put(bucket, "set/a", b"1")
    with proxy(moto.endpoint) as between:
        role = "arn:aws:iam::123456789012:role/reader"
        uri = {"STORAGE_URI": f"s3://{bucket}/set", "ROLE_ARN": role, "LOG_LEVEL": "debug"}
        ended = run_pod(tmp_path, moto.environ(AWS_ENDPOINT_URL_STS=between.url, **uri))
    assert ended.code == 0
    assert "<SecretAccessKey>[redacted]<" in ended.output  # libraries print whole answers
    assert "<SessionToken>[redacted]<" in ended.output


def test_what_differs_in_secrets_alone_is_not_taken_for_the_same(
    versitygw: S3, bucket: str, tmp_path: Path
) -> None:
    versitygw.bucket(bucket)
    for name in ("alpha", "omega"):
        versitygw.put(bucket, f"{name}/a", name.encode())
        # A name that happens to be somebody's password is masked, and still another name.
        environ = versitygw.environ(STORAGE_URI=f"s3://{bucket}/{name}", DB_PASSWORD=name)
        ended = run_pod(tmp_path, environ)
        assert (ended.code, tree(tmp_path / "dataset")) == (0, {"a": name.encode()})
        assert name not in ended.output


def test_the_scan_finds_what_is_planted(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(f"x {quote(PLANTED['ACCESS_TOKEN'], safe='')} y")
    with pytest.raises(AssertionError):
        check_nothing_secret(tmp_path, "")
    with pytest.raises(AssertionError):
        check_nothing_secret(tmp_path / "nowhere", f"Basic {base64.b64encode(b'x')!r} {IN_URL[1]}")
