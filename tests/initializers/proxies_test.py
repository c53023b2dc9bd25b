"""The environment's proxies and what they are not asked for; what servers say in a log."""

from __future__ import annotations

import http.server
from pathlib import Path

import pytest

from tests.initializers.proxy import proxy
from tests.initializers.running import Serve, run_pod, tree
from tests.initializers.servers import S3

DEAD = "http://user:planted-word@127.0.0.1:9"


@pytest.mark.parametrize("scheme", ["s3", "http"])
@pytest.mark.parametrize("excepted", [True, False])
def test_networks_in_no_proxy_are_asked_straight(
    moto: S3, bucket: str, tmp_path: Path, scheme: str, excepted: bool
) -> None:
    moto.bucket(bucket)
    for name in ("a", "b"):  # two small ones come by another library
        moto.client.put_object(Bucket=bucket, Key=f"set/{name}", Body=b"1", ACL="public-read")
    with proxy(moto.endpoint) as between:
        uri = f"s3://{bucket}/set" if scheme == "s3" else f"{between.url}/{bucket}/set/a"
        environ = moto.environ(STORAGE_URI=uri, ENDPOINT=between.url, HTTP_PROXY=DEAD)
        environ |= {"NO_PROXY": "127.0.0.0/8" if excepted else "10.0.0.0/8"}
        ended = run_pod(tmp_path, {**environ, "RETRY_MAX_SECONDS": "0"})
    assert "planted-word" not in ended.output
    if excepted:
        assert ended.code == 0, ended.output
        assert "a" in tree(tmp_path / "dataset")
    else:
        assert ended.code == 75
        assert "by the environment's proxy 127.0.0.1:9" in ended.reason


def test_what_servers_say_steers_no_terminal_and_forges_no_line(
    serve: Serve, tmp_path: Path
) -> None:
    class Forging(http.server.BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

        def do_GET(self) -> None:
            self.send_response(403)
            self.end_headers()
            text = "\x9b31m\u202egone&#10;2026-01-01T00:00:00Z INFO complete"
            self.wfile.write(f"<Error><Code>X</Code><Message>{text}</Message></Error>".encode())

    keys = {"ACCESS_KEY_ID": "AKIDEXAMPLE", "SECRET_ACCESS_KEY": "secret", "REGION": "us-east-1"}
    ended = run_pod(tmp_path, {"STORAGE_URI": "s3://b/x", "ENDPOINT": serve(Forging), **keys})
    assert ended.code == 77
    for text in (ended.output, ended.reason):
        assert "\\x9b31m\\u202egone 2026" in text
        assert not {"\x9b", "\u202e"} & set(text)
        assert not any(line.startswith("2026-01-01") for line in text.splitlines())
