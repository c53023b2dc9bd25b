"""What S3 servers hold arrives as it is: on one that others wrote, and on a mock."""

from __future__ import annotations

import http.server
import json
import threading
from pathlib import Path

import pytest

from tests.initializers.proxy import Fault, proxy, times
from tests.initializers.running import complete, fetch_here, some_bytes, tree
from tests.initializers.servers import ACCESS_KEY_ID, S3, SECRET_ACCESS_KEY
from trainc.initializers.failure import (
    ConfigurationError,
    FetchError,
    IntegrityError,
    NotFoundError,
    PermissionDeniedError,
)

MiB = 1024 * 1024

ODD = (
    "with space/a b.txt",
    "ünï/日本.parquet",
    "e\u0301/decomposed.txt",
    "per%20cent",
    "plus+and=equals&more",
    "question?mark#hash",
    "quote'double\"",
    "dots/...",
    ".hidden/.file",
    "deep/" + "/".join("abcdefghij") + "/leaf",
)


def test_odd_keys_arrive_under_their_own_names(s3: S3, bucket: str, target: Path) -> None:
    s3.bucket(bucket)
    for key in ODD:
        s3.put(bucket, f"set/{key}", key.encode())
    fetch_here(f"s3://{bucket}/set", target, s3.environ())
    assert tree(target) == {key: key.encode() for key in ODD}


@pytest.mark.parametrize(
    ("uri", "want"),
    [
        ("data", {"data", "a.txt", "sub/b.txt"}),
        ("data/", {"a.txt", "sub/b.txt"}),
        ("data/a.txt", {"a.txt"}),
        ("data/sub", {"b.txt"}),
    ],
)
def test_a_prefix_fetches_no_siblings(
    moto: S3, bucket: str, target: Path, uri: str, want: set[str]
) -> None:
    moto.bucket(bucket)
    for key in (
        "data",
        "data/a.txt",
        "data/sub/b.txt",
        "data2/c.txt",
        "database.csv",
        "data/a.txt2",
    ):
        moto.put(bucket, key, key.encode())
    moto.client.delete_object(Bucket=bucket, Key="data/a.txt2")
    fetch_here(f"s3://{bucket}/{uri}", target, moto.environ())
    assert set(tree(target)) == want


def test_siblings_stay_out_on_a_folder_too(versitygw: S3, bucket: str, target: Path) -> None:
    versitygw.bucket(bucket)
    for key in ("data/a.txt", "data/sub/b.txt", "data2/c.txt", "database.csv", "dat"):
        versitygw.put(bucket, key, key.encode())
    fetch_here(f"s3://{bucket}/data", target, versitygw.environ())
    assert set(tree(target)) == {"a.txt", "sub/b.txt"}


def test_a_whole_bucket(s3: S3, bucket: str, target: Path) -> None:
    s3.bucket(bucket)
    s3.put(bucket, "a", b"1")
    s3.put(bucket, "b/c", b"2")
    fetch_here(f"s3://{bucket}", target, s3.environ())
    assert tree(target) == {"a": b"1", "b/c": b"2"}


def test_more_than_a_page_of_a_listing(versitygw: S3, bucket: str, target: Path) -> None:
    versitygw.bucket(bucket)
    many = versitygw.folder / bucket / "many"
    many.mkdir()
    for number in range(1100):  # files of the folder are objects, if without an etag
        (many / f"{number:04}").write_bytes(b"%d" % number)
    fetch_here(f"s3://{bucket}/many", target, versitygw.environ())
    assert tree(target) == {f"{number:04}": b"%d" % number for number in range(1100)}


def test_markers_of_folders_are_no_files(s3: S3, bucket: str, target: Path) -> None:
    s3.bucket(bucket)
    s3.put(bucket, "set/", b"")
    s3.put(bucket, "set/sub/", b"")
    s3.put(bucket, "set/a", b"1")
    s3.put(bucket, "set/empty", b"")
    fetch_here(f"s3://{bucket}/set", target, s3.environ())
    assert tree(target) == {"a": b"1", "empty": b""}


@pytest.mark.parametrize(
    "key",
    ["set/../escaped", "set/sub/../../../escaped", "set//absolute", "set/./dot", "set/name/"],
)
def test_a_key_that_cannot_be_a_file_is_refused(
    moto: S3, bucket: str, target: Path, key: str
) -> None:
    moto.bucket(bucket)
    moto.put(bucket, "set/good", b"1")
    moto.put(bucket, key, b"2")
    with pytest.raises(IntegrityError, match="cannot be a file"):
        fetch_here(f"s3://{bucket}/set", target, moto.environ())
    assert not list(target.parent.rglob("escaped"))
    assert tree(target) == {}


@pytest.mark.parametrize(
    ("key", "pattern"),
    [("../escaped", "*escaped"), ("name/", "name/"), ("n" * 300, "nnn*"), ("good/a", "good/*")],
)
def test_a_key_that_cannot_be_a_file_can_be_ignored(
    moto: S3, bucket: str, target: Path, key: str, pattern: str
) -> None:
    moto.bucket(bucket)
    moto.put(bucket, "set/good", b"1")
    moto.put(bucket, f"set/{key}", b"2")
    with pytest.raises(IntegrityError):
        fetch_here(f"s3://{bucket}/set", target, moto.environ())
    fetch_here(f"s3://{bucket}/set", target, moto.environ(IGNORE_PATTERNS=pattern))
    assert tree(target) == {"good": b"1"}


def test_a_file_and_a_folder_of_one_name_are_refused(moto: S3, bucket: str, target: Path) -> None:
    moto.bucket(bucket)
    moto.put(bucket, "set/a", b"1")
    moto.put(bucket, "set/a/b", b"2")
    with pytest.raises(IntegrityError, match="a file and the folder"):
        fetch_here(f"s3://{bucket}/set", target, moto.environ())


@pytest.mark.parametrize("checksum", ["", "CRC32", "CRC32C", "CRC64NVME", "SHA256"])
def test_an_object_of_parts_is_verified(
    versitygw: S3, bucket: str, target: Path, checksum: str
) -> None:
    versitygw.bucket(bucket)
    body = some_bytes(12 * MiB + 5)
    upload_in_parts(versitygw, bucket, "set/parts", body, 5 * MiB, checksum)
    fetch_here(f"s3://{bucket}/set", target, versitygw.environ())
    assert tree(target) == {"parts": body}
    (file,) = complete(target)["files"]
    algorithm, value, *part = file["digest"].split(":")
    # Like Amazon's, this server makes a CRC64NVME, of the whole, where the client has no other.
    made = checksum or "CRC64NVME"
    assert algorithm == made.lower()
    of_parts = made != "CRC64NVME"
    assert (part, value.endswith("-3")) == ([str(5 * MiB)] if of_parts else [], of_parts)


@pytest.mark.parametrize("size", [12 * MiB + 5, 40 * MiB])
def test_an_etag_of_parts_is_verified_where_there_is_no_checksum(
    moto: S3, bucket: str, target: Path, size: int
) -> None:
    moto.bucket(bucket)
    body = some_bytes(size)
    upload_in_parts(moto, bucket, "set/parts", body, 5 * MiB, "")
    fetch_here(f"s3://{bucket}/set", target, moto.environ())
    assert tree(target) == {"parts": body}
    (file,) = complete(target)["files"]
    etag = moto.client.head_object(Bucket=bucket, Key="set/parts")["ETag"].strip('"')
    assert file["digest"] == f"md5:{etag}:{5 * MiB}"
    with proxy(moto.endpoint) as between:
        between.plan = times(100, Fault(flip=5), "parts")
        again = target.parent / "again"
        with pytest.raises(IntegrityError, match=etag):
            fetch_here(f"s3://{bucket}/set", again, moto.environ(ENDPOINT=between.url))


@pytest.mark.parametrize("checksum", ["", "CRC32", "CRC64NVME"])
def test_a_large_object_comes_in_ranges(s3: S3, bucket: str, target: Path, checksum: str) -> None:
    s3.bucket(bucket)
    body = some_bytes(80 * MiB + 3)
    upload_in_parts(s3, bucket, "set/large", body, 8 * MiB, checksum)
    with proxy(s3.endpoint) as between:
        fetch_here(f"s3://{bucket}/set", target, s3.environ(ENDPOINT=between.url))
        ranges = [seen.range for seen in between.gets("large")]
    assert len(ranges) == 11  # of 8 MiB
    assert tree(target) == {"large": body}


@pytest.mark.parametrize("size", [1000, 12 * MiB, 40 * MiB])
@pytest.mark.parametrize("parts", [False, True])
def test_bytes_that_are_not_the_promised_ones_are_refused(
    versitygw: S3, bucket: str, target: Path, size: int, parts: bool
) -> None:
    versitygw.bucket(bucket)
    body = some_bytes(size)
    if parts:
        upload_in_parts(versitygw, bucket, "set/file", body, 5 * MiB, "")
    else:
        versitygw.put(bucket, "set/file", body)
    with (versitygw.folder / bucket / "set/file").open("r+b") as rotten:
        rotten.seek(size // 2)
        rotten.write(bytes([body[size // 2] ^ 1]))
    with pytest.raises(IntegrityError, match="2 attempts"):
        fetch_here(f"s3://{bucket}/set", target, versitygw.environ())
    assert tree(target) == {}


def test_an_etag_that_is_no_digest_is_not_taken_for_one(
    moto: S3, bucket: str, target: Path
) -> None:
    moto.bucket(bucket)
    moto.client.put_object(
        Bucket=bucket, Key="set/secret", Body=b"123", ServerSideEncryption="aws:kms"
    )
    moto.put(bucket, "set/plain", b"123")
    fetch_here(f"s3://{bucket}/set", target, moto.environ())
    assert tree(target) == {"secret": b"123", "plain": b"123"}


@pytest.mark.parametrize(
    ("path", "environ", "kind"),
    [
        ("nothing/here", {}, NotFoundError),
        ("set", {"IGNORE_PATTERNS": "*"}, NotFoundError),
        ("set", {"ALLOW_PATTERNS": "*.parquet"}, NotFoundError),
        ("set", {"SECRET_ACCESS_KEY": "wrong"}, PermissionDeniedError),
        ("set", {"ACCESS_KEY_ID": "wrong"}, PermissionDeniedError),
    ],
)
def test_failures_have_their_kind(
    versitygw: S3,
    bucket: str,
    target: Path,
    path: str,
    environ: dict[str, str],
    kind: type[FetchError],
) -> None:
    versitygw.bucket(bucket)
    versitygw.put(bucket, "set/a.txt", b"1")
    with pytest.raises(kind):
        fetch_here(f"s3://{bucket}/{path}", target, versitygw.environ(**environ))
    assert tree(target) == {}


def test_a_missing_bucket_is_not_found(s3: S3, target: Path) -> None:
    with pytest.raises(NotFoundError, match="no-such-bucket"):
        fetch_here("s3://no-such-bucket/x", target, s3.environ())


def test_anonymous_requests_are_not_signed(moto: S3, bucket: str, target: Path) -> None:
    moto.bucket(bucket)
    moto.client.put_object(Bucket=bucket, Key="set/a", Body=b"1", ACL="public-read")
    with proxy(moto.endpoint) as between:
        fetch_here(f"s3://{bucket}/set", target, {"ENDPOINT": between.url, "ANONYMOUS": "true"})
        assert {seen.authorization for seen in between.seen} == {""}
    assert tree(target) == {"a": b"1"}


def test_a_session_token_goes_along(moto: S3, bucket: str, target: Path) -> None:
    moto.bucket(bucket)
    moto.put(bucket, "set/a", b"1")
    with proxy(moto.endpoint) as between:
        environ = moto.environ(ENDPOINT=between.url, SESSION_TOKEN="planted-session-token")
        fetch_here(f"s3://{bucket}/set", target, environ)
        signed = {seen.authorization for seen in between.seen}
    assert signed and all("x-amz-security-token" in each for each in signed)


@pytest.mark.parametrize("name", ["ACCESS_KEY_ID", "SESSION_TOKEN", "AWS_SESSION_TOKEN"])
@pytest.mark.parametrize("value", ["plänted", "planted\nplanted"])
def test_keys_that_no_header_can_carry_are_not_tried(
    moto: S3, bucket: str, target: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    moto.bucket(bucket)
    moto.put(bucket, "set/a", b"1")
    environ = moto.environ(**{name: value})
    if name.startswith("AWS_"):  # as botocore finds them
        for ours in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
            monkeypatch.setenv(f"AWS_{ours}", environ.pop(ours))
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match="no header can carry") as raised:
        fetch_here(f"s3://{bucket}/set", target, environ)
    assert "nted" not in str(raised.value)


def test_a_role_is_assumed(
    moto: S3, bucket: str, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moto.bucket(bucket)
    moto.put(bucket, "set/a", b"1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto.endpoint)
    with proxy(moto.endpoint) as between:
        environ = moto.environ(
            ENDPOINT=between.url, ROLE_ARN="arn:aws:iam::123456789012:role/reader"
        )
        fetch_here(f"s3://{bucket}/set", target, environ)
        keys = {seen.authorization.split("Credential=")[1].split("/")[0] for seen in between.seen}
    # The token service gives temporary keys, which begin so.
    assert keys and all(key.startswith("ASIA") for key in keys)


def test_the_region_is_what_the_server_says(
    moto: S3, bucket: str, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    where = {"LocationConstraint": "eu-central-1"}
    moto.client.create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
    moto.put(bucket, "set/a", b"1")
    with proxy(moto.endpoint) as between:
        fetch_here(f"s3://{bucket}/set", target, moto.environ(ENDPOINT=between.url, REGION=""))
        regions = {
            seen.authorization.split("Credential=")[1].split("/")[2] for seen in between.gets()
        }
    assert regions == {"eu-central-1"}


@pytest.mark.parametrize(("status", "region"), [(503, "eu-central-1"), (501, "us-east-1")])
def test_a_region_that_is_not_told_at_once_is_asked_for_again(
    moto: S3,
    bucket: str,
    target: Path,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    region: str,
) -> None:
    """A guess would be answered as a wrong setting; but not every server can be asked."""
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    where = {"LocationConstraint": "eu-central-1"}
    moto.client.create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
    moto.put(bucket, "set/a", b"1")
    with proxy(moto.endpoint) as between:
        between.plan = lambda seen: (
            Fault(status=status) if seen.method == "HEAD" and len(between.seen) < 3 else None
        )
        fetch_here(f"s3://{bucket}/set", target, moto.environ(ENDPOINT=between.url, REGION=""))
        signed = [seen.authorization for seen in between.gets()]
    assert {each.split("Credential=")[1].split("/")[2] for each in signed} == {region}


@pytest.mark.parametrize(("status", "kind"), [(503, None), (403, PermissionDeniedError)])
def test_an_agent_that_is_not_up_yet_is_waited_for(
    moto: S3,
    bucket: str,
    target: Path,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    kind: type[FetchError] | None,
) -> None:
    asked = [0]

    class Agent(http.server.BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

        def do_GET(self) -> None:
            asked[0] += 1
            self.send_response(status if kind or asked[0] <= 3 else 200)
            self.end_headers()
            keys = {"AccessKeyId": ACCESS_KEY_ID, "SecretAccessKey": SECRET_ACCESS_KEY}
            more = {"Token": "planted", "Expiration": "2100-01-01T00:00:00Z"}
            self.wfile.write(json.dumps(keys | more).encode())

    moto.bucket(bucket)
    moto.put(bucket, "set/a", b"1")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Agent) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/keys"
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
        monkeypatch.setattr("botocore.utils.ContainerMetadataFetcher.SLEEP_TIME", 0)
        environ = moto.environ(ACCESS_KEY_ID="", SECRET_ACCESS_KEY="")
        if kind:
            with pytest.raises(kind):
                fetch_here(f"s3://{bucket}/set", target, environ)
        else:
            fetch_here(f"s3://{bucket}/set", target, environ)
            assert tree(target) == {"a": b"1"}
        server.shutdown()


def upload_in_parts(s3: S3, bucket: str, key: str, body: bytes, part: int, checksum: str) -> None:
    """Uploads as SDKs do with large files; with a checksum of that kind, or with none."""
    kind = {"ChecksumAlgorithm": checksum} if checksum else {}
    at = {"Bucket": bucket, "Key": key}
    upload = s3.client.create_multipart_upload(**at, **kind)["UploadId"]
    parts = []
    for number, start in enumerate(range(0, len(body), part), 1):
        done = s3.client.upload_part(
            **at, **kind, UploadId=upload, PartNumber=number, Body=body[start : start + part]
        )
        sums = {name: value for name, value in done.items() if name == f"Checksum{checksum}"}
        parts.append({"PartNumber": number, "ETag": done["ETag"], **sums})
    s3.client.complete_multipart_upload(**at, UploadId=upload, MultipartUpload={"Parts": parts})
