"""The other schemes: web servers, mounted folders and claims, the data cache, two more clouds."""

from __future__ import annotations

import base64
import contextlib
import errno
import functools
import hashlib
import hmac
import http.server
import json
import os
import re
import time
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.initializers.proxy import Fault, Seen, proxy, times
from tests.initializers.running import Serve, complete, fetch_here, some_bytes, tree
from tests.initializers.servers import S3
from trainc.cache.health import Health
from trainc.cache.security import Security
from trainc.initializers.failure import (
    ConfigurationError,
    FetchError,
    IntegrityError,
    NotFoundError,
    PermissionDeniedError,
    TransientError,
)
from trainc.initializers.manifest import NAME
from trainc.initializers.paths import PARTIAL
from trainc.kube.keys import tls_pair

if TYPE_CHECKING:
    from obstore.store import AzureStore

MiB = 1024 * 1024
BODY = some_bytes(5 * MiB + 1, seed=5)


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Python's own file server: it knows no ranges."""

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


# --- http -----------------------------------------------------------------------------------------


def presigned(s3: S3, bucket: str, key: str) -> str:
    """A URL that needs no credentials: it has them in its query."""
    url: str = s3.client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key})
    return url


@pytest.mark.parametrize("size", [0, 1, 5 * MiB, 40 * MiB])
def test_a_url_of_a_server_that_knows_ranges(
    moto: S3, bucket: str, target: Path, size: int
) -> None:
    moto.bucket(bucket)
    body = some_bytes(size)
    moto.put(bucket, "set/a b.bin", body)
    fetch_here(presigned(moto, bucket, "set/a b.bin"), target, {})
    assert tree(target) == {"a b.bin": body}
    (file,) = complete(target)["files"]
    assert file["digest"] == f"sha256:{hashlib.sha256(body).hexdigest()}"


@pytest.mark.parametrize("fault", [Fault(cut=MiB), Fault(status=503, retry_after="1")])
def test_a_url_whose_server_stumbles(moto: S3, bucket: str, target: Path, fault: Fault) -> None:
    moto.bucket(bucket)
    moto.client.put_object(Bucket=bucket, Key="file", Body=BODY, ACL="public-read")
    with proxy(moto.endpoint) as between:
        between.plan = times(2, fault)
        fetch_here(f"{between.url}/{bucket}/file", target, {})
    assert tree(target) == {"file": BODY}


def test_a_url_of_a_server_that_knows_no_ranges(serve: Serve, target: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(BODY)
    upstream = serve(functools.partial(Quiet, directory=str(tmp_path)))  # type: ignore[arg-type]
    with proxy(upstream) as between:
        # The first answer only tells of the file; the second breaks off, the third is whole.
        asked = [0]

        def plan(seen: object) -> Fault | None:
            asked[0] += 1
            return Fault(cut=MiB) if asked[0] == 2 else None

        between.plan = plan
        fetch_here(f"{between.url}/file", target, {})
        assert asked[0] == 3
    assert tree(target) == {"file": BODY}


@pytest.mark.parametrize(
    ("fragment", "right"),
    [
        (f"sha256={hashlib.sha256(BODY).hexdigest()}", True),
        (f"SHA256={hashlib.sha256(BODY).hexdigest().upper()}", True),
        (f"sha512={hashlib.sha512(BODY).hexdigest()}", True),
        (f"md5={hashlib.md5(BODY).hexdigest()}", True),
        (f"sha256={'0' * 64}", False),
    ],
)
def test_a_promised_digest_is_kept(
    serve: Serve, target: Path, tmp_path: Path, fragment: str, right: bool
) -> None:
    (tmp_path / "file").write_bytes(BODY)
    url = serve(functools.partial(Quiet, directory=str(tmp_path)))  # type: ignore[arg-type]
    if right:
        fetch_here(f"{url}/file#{fragment}", target, {})
        assert tree(target) == {"file": BODY}
        return
    with pytest.raises(IntegrityError):
        fetch_here(f"{url}/file#{fragment}", target, {})
    assert tree(target) == {}


class Page(Quiet):
    """Whatever is asked for, a login page comes, as from many a server of files."""

    body = b"<html>please log in</html>"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "Text/HTML; charset=utf-8")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)


@pytest.mark.parametrize("name", ["model.safetensors", "set.tar.gz", "a.BIN?page=login.html"])
def test_a_login_page_is_no_model(serve: Serve, target: Path, name: str) -> None:
    with pytest.raises(IntegrityError, match=r"sent a web page .* may want a login"):
        fetch_here(f"{serve(Page)}/{name}", target, {})
    assert tree(target) == {}


@pytest.mark.parametrize(
    "name",
    [
        "page.html",
        "Page.HTM",
        "list.php",
        "page",
        f"a#sha256={hashlib.sha256(Page.body).hexdigest()}",
        f"a.bin#sha256={hashlib.sha256(Page.body).hexdigest()}",
    ],
)
def test_a_page_that_is_wanted_is_fetched(serve: Serve, target: Path, name: str) -> None:
    fetch_here(f"{serve(Page)}/{name}", target, {})
    assert tree(target) == {name.partition("#")[0]: Page.body}


@pytest.mark.parametrize(
    "fragment", ["sha256=", "sha256=ab", f"sha265={'0' * 64}", f"sha256={'x' * 64}", "part-2"]
)
def test_a_promise_that_nobody_could_keep_is_refused(target: Path, fragment: str) -> None:
    with pytest.raises(ConfigurationError, match="promises no digest"):
        fetch_here(f"http://127.0.0.1:9/file#{fragment}", target, {})


def test_a_part_of_what_has_no_end_is_not_taken_for_all(serve: Serve, target: Path) -> None:
    class Endless(Quiet):
        def do_GET(self) -> None:
            whole = "Range" not in self.headers
            self.send_response(200 if whole else 206)
            body = BODY if whole else BODY[:1000]
            if not whole:
                self.send_header("Content-Range", "bytes 0-999/*")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    fetch_here(f"{serve(Endless)}/file", target, {})
    assert tree(target) == {"file": BODY}


@pytest.mark.parametrize(
    ("header", "value"),
    [("Repr-Digest", "sha-256=:no:"), ("Digest", "SHA-256=%%"), ("x-goog-hash", "md5=x")],
)
def test_a_header_that_is_no_digest_is_none(
    serve: Serve, target: Path, header: str, value: str
) -> None:
    class Odd(Quiet):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header(header, value)
            self.send_header("Content-Length", "1")
            self.end_headers()
            self.wfile.write(b"1")

    fetch_here(f"{serve(Odd)}/file", target, {})
    assert tree(target) == {"file": b"1"}


@pytest.mark.parametrize(
    ("header", "form"), [("Repr-Digest", "sha-256=:{}:"), ("Digest", "SHA-256={}")]
)
def test_digests_in_headers_are_verified(
    serve: Serve, target: Path, header: str, form: str
) -> None:
    class Telling(Quiet):
        wrong = False

        def do_GET(self) -> None:
            digest = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
            self.send_response(200)
            self.send_header(header, form.format(digest))
            self.send_header("Content-Length", str(len(BODY)))
            self.end_headers()
            self.wfile.write(BODY[::-1] if self.wrong else BODY)

    url = serve(Telling)
    fetch_here(f"{url}/file", target, {})
    assert complete(target)["files"][0]["digest"].startswith("sha256:")
    Telling.wrong = True
    with pytest.raises(IntegrityError):
        fetch_here(f"{url}/file", target, {"REFRESH": "1"})


def test_redirects_without_end_are_not_followed(serve: Serve, target: Path) -> None:
    class Circling(Quiet):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", "/file")
            self.send_header("Content-Length", "0")
            self.end_headers()

    with pytest.raises(ConfigurationError, match="without end"):
        fetch_here(f"{serve(Circling)}/file", target, {})


def test_a_bearer_token_is_sent_and_not_sent_on(serve: Serve, target: Path) -> None:
    seen: list[tuple[str, str]] = []

    class Elsewhere(Quiet):
        def do_GET(self) -> None:
            seen.append(("elsewhere", self.headers.get("Authorization", "")))
            self.send_response(200)
            self.send_header("Content-Length", "1")
            self.end_headers()
            self.wfile.write(b"1")

    there = serve(Elsewhere)

    class Here(Quiet):
        def do_GET(self) -> None:
            seen.append(("here", self.headers.get("Authorization", "")))
            self.send_response(302)
            self.send_header("Location", f"{there}/file")
            self.send_header("Content-Length", "0")
            self.end_headers()

    fetch_here(f"{serve(Here)}/file", target, {"ACCESS_TOKEN": "planted-bearer"})
    assert set(seen) == {("here", "Bearer planted-bearer"), ("elsewhere", "")}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, PermissionDeniedError),
        (403, PermissionDeniedError),
        (404, NotFoundError),
        (410, NotFoundError),
        (400, ConfigurationError),
        (500, TransientError),
        (429, TransientError),
    ],
)
def test_answers_have_their_kind(
    serve: Serve, target: Path, status: int, kind: type[FetchError]
) -> None:
    class Refusing(Quiet):
        def do_GET(self) -> None:
            self.send_error(status)

    with pytest.raises(kind, match=str(status)):
        fetch_here(f"{serve(Refusing)}/file", target, {"RETRY_MAX_SECONDS": "0"})


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize(
    ("header", "before", "after"),
    [
        ("ETag", '"1"', '"2"'),
        ("ETag", "1", "2"),
        ("Last-Modified", "Sat, 01 Nov 2025 00:00:00 GMT", "Sun, 02 Nov 2025 00:00:00 GMT"),
    ],
)
def test_versions_are_not_mixed_where_the_server_does_not_care(
    serve: Serve, target: Path, header: str, before: str, after: str, ranges: bool
) -> None:
    """It answers with a part of what there is now, whatever was asked for."""
    asked = []

    class Careless(Quiet):
        def do_GET(self) -> None:
            asked.append(self.path)
            match = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
            start, stop = (int(match[1]), int(match[2]) + 1) if match else (0, len(BODY))
            self.send_response(206 if ranges else 200)
            if ranges:
                self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(BODY)}")
            self.send_header(header, before if len(asked) == 1 else after)
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # the client has seen enough
                self.wfile.write(BODY[start:stop] if ranges else BODY)

    with pytest.raises(TransientError, match="was changed while it was fetched"):
        fetch_here(f"{serve(Careless)}/file", target, {"RETRY_MAX_SECONDS": "60"})
    assert tree(target) == {}


@pytest.mark.parametrize("told", [{"ETag": "1"}, {"ETag": '"1"'}, {"Last-Modified": "x GMT"}, {}])
def test_a_version_that_is_told_again_is_the_same(
    serve: Serve, target: Path, told: dict[str, str]
) -> None:
    class Plain(Quiet):
        def do_GET(self) -> None:
            self.send_response(200)
            for name, text in {"Last-Modified": "Sat, 01 Nov 2025 00:00:00 GMT", **told}.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(BODY)

    fetch_here(f"{serve(Plain)}/file", target, {})
    assert tree(target) == {"file": BODY}


@dataclass(frozen=True)
class LieCase:
    __test__ = False
    name: str
    status: int
    headers: dict[str, str]
    kind: type[FetchError]
    says: str


@pytest.mark.parametrize(
    "case",
    [
        LieCase("nothing", 204, {}, IntegrityError, "204"),
        LieCase("a part of nobody knows what", 206, {}, IntegrityError, "206"),
        LieCase(
            "a total that is no number",
            206,
            {"Content-Range": "bytes 0-0/\xb2"},
            IntegrityError,
            "206",
        ),
        LieCase(
            "a total of thousands of digits",
            206,
            {"Content-Range": f"bytes 0-0/{'9' * 5000}"},
            IntegrityError,
            "says that it has 9",
        ),
        LieCase(
            "a length of thousands of digits",
            200,
            {"Content-Length": "9" * 5000},
            IntegrityError,
            "bad Content-Length",
        ),
        LieCase(
            "a redirect to the address of credentials",
            302,
            {"Location": "http://169.254.169.254/latest/meta-data"},
            PermissionDeniedError,
            "metadata address; ALLOW_REDIRECTS_TO=169.254.169.254 would allow it",
        ),
        LieCase(
            "a redirect to a file",
            302,
            {"Location": "file:///etc/passwd"},
            ConfigurationError,
            "no URL of the web",
        ),
        LieCase("a wish that is no number", 503, {"Retry-After": "\xb2"}, TransientError, "503"),
        LieCase(
            "a wish that no clock shows",
            503,
            {"Retry-After": "Mon, 01 Jan 2020 00:00:00 +9999999999999"},
            TransientError,
            "503",
        ),
        LieCase(
            "a host that cannot be",
            302,
            {"Location": "http://a..b/x"},
            ConfigurationError,
            "label empty",
        ),
    ],
    ids=lambda case: case.name,
)
def test_what_makes_no_sense_has_its_kind(serve: Serve, target: Path, case: LieCase) -> None:
    class Lying(Quiet):
        def do_GET(self) -> None:
            self.send_response(case.status)
            for name, text in case.headers.items():
                self.send_header(name, text)
            self.end_headers()

    with pytest.raises(case.kind, match=case.says):
        fetch_here(f"{serve(Lying)}/file", target, {"RETRY_MAX_SECONDS": "0"})


def test_a_url_without_a_name_is_refused(target: Path) -> None:
    with pytest.raises(ConfigurationError, match="names no file"):
        fetch_here("https://example.test/folder/", target, {})


# --- file and pvc ---------------------------------------------------------------------------------


def test_a_folder_is_copied(tmp_path: Path, target: Path) -> None:
    source = tmp_path / "my set"
    (source / "sub").mkdir(parents=True)
    (source / "a").write_bytes(b"1")
    (source / "sub/large").write_bytes(BODY * 8)
    (source / "link").symlink_to("a")
    (source / "empty").touch()
    fetch_here(f"file://{tmp_path}/my%20set", target, {})
    assert tree(target) == {"a": b"1", "link": b"1", "empty": b"", "sub/large": BODY * 8}
    assert not (target / "link").is_symlink()


def test_a_file_is_copied(tmp_path: Path, target: Path) -> None:
    (tmp_path / "one").write_bytes(b"1")
    fetch_here(f"file://{tmp_path}/one", target, {})
    assert tree(target) == {"one": b"1"}


def test_what_an_initializer_left_is_no_data(tmp_path: Path, target: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/a").write_bytes(b"1")
    first = tmp_path / "first"
    fetch_here(f"file://{tmp_path}/source", first, {})
    fetch_here(f"file://{first}", target, {})
    assert [file["path"] for file in complete(target)["files"]] == ["a"]


@pytest.mark.parametrize("below", ["", "sub/"])
def test_what_is_still_being_fetched_is_not_taken_for_whole(
    tmp_path: Path, target: Path, below: str
) -> None:
    source = tmp_path / "source"
    (source / below / PARTIAL).mkdir(parents=True)
    (source / below / PARTIAL / "journal").write_text("{}")
    (source / below / "a").write_bytes(b"1")
    with pytest.raises(TransientError, match="was not fetched to the end"):
        fetch_here(f"file://{source}", target, {})
    assert tree(target) == {}
    (source / below / NAME).write_text("{}")
    fetch_here(f"file://{source}", target, {})
    assert f"{below}a" in tree(target)


def test_a_claim_is_copied_and_not_left(tmp_path: Path, target: Path) -> None:
    claims = tmp_path / "claims"
    (claims / "data/set").mkdir(parents=True)
    (claims / "data/shared").write_bytes(b"2")
    (claims / "data/set/a").write_bytes(b"1")
    (claims / "data/set/shared").symlink_to("../shared")
    environ = {"TRAINC_PVC_ROOT": str(claims)}
    fetch_here("pvc://data/set", target, environ)
    assert tree(target) == {"a": b"1", "shared": b"2"}
    (claims / "data/set/secret").symlink_to("/etc/passwd")
    with pytest.raises(IntegrityError, match="leaves"):
        fetch_here("pvc://data/set", target, {**environ, "REFRESH": "1"})


def test_a_link_to_nothing_is_refused_at_once(tmp_path: Path, target: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/a").symlink_to("gone")
    start = time.monotonic()
    with pytest.raises(IntegrityError, match="a link to nothing"):
        fetch_here(f"file://{tmp_path}/source", target, {"RETRY_MAX_SECONDS": "60"})
    assert time.monotonic() - start < 30


def test_a_source_that_cannot_be_read_is_no_fault_of_the_target(
    tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a network file system answers whose server has gone."""
    (tmp_path / "a").write_bytes(b"1")

    def fail(*_: object) -> int:
        raise OSError(errno.ESTALE, "Stale file handle")

    monkeypatch.setattr("trainc.initializers.providers.file.os.preadv", fail)
    with pytest.raises(TransientError, match="reading .*/a: Stale file handle"):
        fetch_here(f"file://{tmp_path}/a", target, {"RETRY_MAX_SECONDS": "0.1"})


def test_a_source_that_changes_in_place_is_not_taken(
    tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "a"
    source.write_bytes(b"1" * (2 * MiB))
    read = os.preadv

    def change(fd: int, buffers: list[memoryview], at: int) -> int:
        count = read(fd, buffers, at)
        with source.open("r+b") as writing:
            writing.write(b"2" * (2 * MiB))
        os.utime(source, ns=(1, 1))
        return count

    monkeypatch.setattr("trainc.initializers.providers.file.os.preadv", change)
    with pytest.raises(TransientError, match="was changed while it was read"):
        fetch_here(f"file://{source}", target, {"RETRY_MAX_SECONDS": "0"})
    assert tree(target) == {}


def test_a_source_that_may_not_be_looked_at_is_a_matter_of_permission(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr("trainc.initializers.providers.file.Path.is_dir", refuse)
    with pytest.raises(PermissionDeniedError, match="/closed/a: Permission denied"):
        fetch_here("file:///closed/a", target, {})


@pytest.mark.parametrize(
    ("uri", "kind"),
    [
        ("file:///no/such/folder", NotFoundError),
        ("file:///dev/null", IntegrityError),
        ("file://host/path", ConfigurationError),
        ("pvc://other/set", ConfigurationError),
        ("pvc://data/../../etc", ConfigurationError),
        ("pvc://../etc", ConfigurationError),
        ("ftp://host/file", ConfigurationError),
        ("s3://", ConfigurationError),
        ("nonsense", ConfigurationError),
    ],
)
def test_uris_that_cannot_be(
    tmp_path: Path, target: Path, uri: str, kind: type[FetchError]
) -> None:
    (tmp_path / "data").mkdir()
    with pytest.raises(kind):
        fetch_here(uri, target, {"TRAINC_PVC_ROOT": str(tmp_path)})


def test_a_folder_and_the_target_may_not_lie_in_each_other(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    with pytest.raises(ConfigurationError, match="lie in each other"):
        fetch_here(f"file://{tmp_path}", tmp_path / "dataset", {})


# --- cache ----------------------------------------------------------------------------------------


def test_the_cache_is_waited_for(serve: Serve, target: Path) -> None:
    ready = time.monotonic() + 2

    class Head(Quiet):
        def do_GET(self) -> None:
            here = self.path == "/ready" and time.monotonic() > ready
            self.send_response(200 if here else 503)
            self.end_headers()

    head = serve(Head).removeprefix("http://")
    fetch_here("cache://schema/table", target, {"CACHE_HEAD": head})
    assert time.monotonic() > ready
    assert not target.exists()


def test_a_cache_that_does_not_get_ready_is_given_up(serve: Serve, target: Path) -> None:
    class Head(Quiet):
        def do_GET(self) -> None:
            self.send_response(503)
            self.end_headers()
            self.wfile.write(b"rows 5 to 9 are missing")

    head = serve(Head).removeprefix("http://")
    environ = {"CACHE_HEAD": head, "CACHE_READY_TIMEOUT_SECONDS": "0.5"}
    with pytest.raises(TransientError, match="503 rows 5 to 9 are missing"):
        fetch_here("cache://schema/table", target, environ)


def test_a_head_over_tls_is_trusted_by_its_ca_alone(tmp_path: Path, target: Path) -> None:
    pair = tls_pair(["127.0.0.1"], datetime.now(UTC))
    for name, text in (("tls.crt", pair.certificate), ("tls.key", pair.key), ("ca.crt", pair.ca)):
        (tmp_path / name).write_text(text)
    other = tmp_path / "other.crt"
    other.write_text(tls_pair(["127.0.0.1"], datetime.now(UTC)).ca)
    security = Security(cert=tmp_path / "tls.crt", key=tmp_path / "tls.key")
    health = Health("127.0.0.1", 0, security, lambda: True)
    environ = {"CACHE_HEAD": f"127.0.0.1:{health.port}", "CACHE_READY_TIMEOUT_SECONDS": "0"}
    fetch_here("cache://s/t", target, {**environ, "TRAINC_CACHE_TLS_CA": f"{tmp_path}/ca.crt"})
    with pytest.raises(TransientError, match="certificate verify failed"):
        fetch_here("cache://s/t", target, {**environ, "TRAINC_CACHE_TLS_CA": str(other)})
    with pytest.raises(ConfigurationError, match="TRAINC_CACHE_TLS_CA"):
        fetch_here("cache://s/t", target, {**environ, "TRAINC_CACHE_TLS_CA": "/nowhere"})
    health.close()


def test_the_cache_of_a_train_job_is_its_service(target: Path) -> None:
    environ = {"TRAIN_JOB_NAME": "no-such-job", "CACHE_READY_TIMEOUT_SECONDS": "0"}
    with pytest.raises(TransientError, match="no-such-job-cache-service:8080"):
        fetch_here("cache://schema/table", target, environ)


@pytest.mark.parametrize("uri", ["cache://schema", "cache://a/b/c", "cache:///b"])
def test_a_cache_uri_names_a_schema_and_a_table(target: Path, uri: str) -> None:
    with pytest.raises(ConfigurationError, match="cache://SCHEMA/TABLE"):
        fetch_here(uri, target, {"CACHE_HEAD": "127.0.0.1"})


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"CACHE_HEAD": "head:0"}, "CACHE_HEAD 'head:0'"),
        ({"CACHE_HEAD": "head:65536"}, "CACHE_HEAD 'head:65536'"),
        ({"CACHE_HEAD": "head:\xb2"}, "CACHE_HEAD"),
        ({"CACHE_HEAD": "a head"}, "CACHE_HEAD"),
        ({"TRAIN_JOB_NAME": "a job"}, "TRAIN_JOB_NAME 'a job' names no job"),
        ({"CACHE_HEAD": "head", "CACHE_READY_TIMEOUT_SECONDS": "nan"}, "must be 0 to 604800"),
        ({"CACHE_HEAD": "head", "CACHE_READY_TIMEOUT_SECONDS": "inf"}, "must be 0 to 604800"),
        ({"CACHE_HEAD": "head", "CACHE_READY_TIMEOUT_SECONDS": "-1"}, "must be 0 to 604800"),
    ],
)
def test_a_cache_that_cannot_be_is_not_waited_for(
    target: Path, environ: dict[str, str], says: str
) -> None:
    with pytest.raises(ConfigurationError, match=says):
        fetch_here("cache://s/t", target, environ)


def test_there_is_no_cache_for_models(target: Path) -> None:
    with pytest.raises(ConfigurationError, match="no provider fetches a model from cache://"):
        fetch_here("cache://a/b", target, {}, "model")


# --- gs and az ------------------------------------------------------------------------------------

CLOUD = {
    "set/a.txt": b"1",
    "set/sub/b c.txt": b"2",
    "set/ünï.bin": BODY,
    "set2/sibling": b"no",
    "set.txt": b"no",
}
WANT = {"a.txt": b"1", "sub/b c.txt": b"2", "ünï.bin": BODY}


def test_a_bucket_of_google(gcs: str, bucket: str, target: Path) -> None:
    _post(f"{gcs}/storage/v1/b?project=test", json.dumps({"name": bucket}).encode())
    for name, body in CLOUD.items():
        _upload(gcs, bucket, name, body)
    environ = {"ENDPOINT": gcs}
    fetch_here(f"gs://{bucket}/set", target, environ)
    assert tree(target) == WANT
    with pytest.raises(NotFoundError):
        fetch_here(f"gs://{bucket}/nothing", target, environ)


def test_marks_of_folders_are_no_files_of_google_either(
    gcs: str, bucket: str, target: Path
) -> None:
    _post(f"{gcs}/storage/v1/b?project=test", json.dumps({"name": bucket}).encode())
    files = {"set": b"file", "set/both": b"1", "set/sub/a": b"2", "set/empty": b""}
    for name in ("set/", "set/both/", "set/sub/", "set/nothing/"):
        _upload(gcs, bucket, name, b"")
    for name, body in files.items():
        _upload(gcs, bucket, name, body)
    fetch_here(f"gs://{bucket}/set", target, {"ENDPOINT": gcs})
    assert tree(target) == {"set": b"file", "both": b"1", "sub/a": b"2", "empty": b""}


def test_bytes_in_a_mark_of_a_folder_are_refused(gcs: str, bucket: str, target: Path) -> None:
    _post(f"{gcs}/storage/v1/b", json.dumps({"name": bucket}).encode())
    for name in ("set/a", "set/mark/"):
        _upload(gcs, bucket, name, b"1")
    with pytest.raises(IntegrityError, match="'set/mark/' cannot be a file"):
        fetch_here(f"gs://{bucket}/set", target, {"ENDPOINT": gcs})
    fetch_here(f"gs://{bucket}/set", target, {"ENDPOINT": gcs, "IGNORE_PATTERNS": "mark"})
    assert tree(target) == {"a": b"1"}


def _upload(gcs: str, bucket: str, name: str, body: bytes) -> None:
    asked = f"uploadType=media&name={quote(name, safe='')}"
    _post(f"{gcs}/upload/storage/v1/b/{bucket}/o?{asked}", body)


# Azurite's own account; the key is in its documentation.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def test_a_container_of_azure(azurite: str, bucket: str, target: Path) -> None:
    store = _azure(azurite, bucket)
    _make_container(azurite, bucket)
    for name, body in CLOUD.items():
        store.put(name, body)
    environ = {"ENDPOINT": azurite, "ACCOUNT_NAME": ACCOUNT, "ACCOUNT_KEY": KEY}
    fetch_here(f"az://{bucket}/set", target, environ)
    assert tree(target) == WANT
    with pytest.raises(NotFoundError):
        fetch_here(f"az://{bucket}/nothing", target, environ)
    wrong = base64.b64encode(b"wrong" * 10).decode()
    with pytest.raises(PermissionDeniedError):
        fetch_here(f"az://{bucket}/set", target / "x", {**environ, "ACCOUNT_KEY": wrong})


def test_a_blob_that_changes_meanwhile_is_not_mixed(
    azurite: str, bucket: str, target: Path
) -> None:
    large = some_bytes(36 * MiB, seed=6)
    store = _azure(azurite, bucket)
    _make_container(azurite, bucket)
    store.put("set/large", large)
    changed = [False]

    def change(seen: Seen) -> None:
        if not changed[0] and seen.path.endswith("/large") and seen.method == "GET":
            changed[0] = True
            store.put("set/large", large[::-1])

    with proxy(azurite) as between:
        between.plan = change
        environ = {"ENDPOINT": f"{between.url}/{ACCOUNT}", "ACCOUNT_NAME": ACCOUNT}
        with pytest.raises(TransientError, match="was changed while it was fetched"):
            fetch_here(f"az://{bucket}/set", target, {**environ, "ACCOUNT_KEY": KEY})
    assert tree(target) == {}
    environ = {"ENDPOINT": azurite, "ACCOUNT_NAME": ACCOUNT, "ACCOUNT_KEY": KEY}
    fetch_here(f"az://{bucket}/set", target, environ)
    assert tree(target) == {"large": large[::-1]}


@pytest.mark.parametrize("name", ["ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT_NAME"])
def test_another_account_is_another_fetch(
    azurite: str, bucket: str, target: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def given(account: str) -> dict[str, str]:
        monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", account)
        return {"ENDPOINT": azurite, "ACCOUNT_KEY": KEY, name: account}

    _make_container(azurite, bucket)
    _azure(azurite, bucket).put("set/a", b"1")
    fetch_here(f"az://{bucket}/set", target, given(ACCOUNT))
    fetch_here(f"az://{bucket}/set", target, given(ACCOUNT))  # asks nothing
    with pytest.raises(PermissionDeniedError):
        fetch_here(f"az://{bucket}/set", target, given("another"))


def _azure(endpoint: str, container: str) -> AzureStore:
    from obstore.store import AzureStore

    return AzureStore(
        container,
        account_name=ACCOUNT,
        account_key=KEY,
        endpoint=endpoint,
        client_options={"allow_http": True},
    )


def _post(url: str, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(url, body, headers)).read()


def _make_container(endpoint: str, name: str) -> None:
    """Creates a container: the library cannot, so the request is signed here (Shared Key)."""
    date, version = formatdate(usegmt=True), "2021-12-02"
    resource = f"/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
    text = f"PUT{chr(10) * 12}x-ms-date:{date}\nx-ms-version:{version}\n{resource}"
    made = hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256).digest()
    headers = {
        "x-ms-date": date,
        "x-ms-version": version,
        "Authorization": f"SharedKey {ACCOUNT}:{base64.b64encode(made).decode()}",
        "Content-Length": "0",
    }
    url = f"{endpoint}/{name}?restype=container"
    request = urllib.request.Request(url, headers=headers, method="PUT")
    urllib.request.urlopen(request).read()
