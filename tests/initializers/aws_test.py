"""Amazon's own settings, honoured as its tools do, and buckets that are elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.initializers.proxy import Fault, proxy
from tests.initializers.running import fetch_here, run_pod, tree
from tests.initializers.servers import ACCESS_KEY_ID, REGION, S3, SECRET_ACCESS_KEY
from trainc.initializers.failure import IntegrityError, NotFoundError

KEYS = {"AWS_ACCESS_KEY_ID": ACCESS_KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY}


@dataclass(frozen=True)
class TestCase:
    """How an endpoint is said; ``ENDPOINT`` in texts stands for the server's."""

    __test__ = False
    name: str
    environ: dict[str, str] = field(default_factory=dict)
    config: str = ""


CASES = [
    TestCase("the service's variable", {**KEYS, "AWS_ENDPOINT_URL_S3": "ENDPOINT"}),
    TestCase("the general variable", {**KEYS, "AWS_ENDPOINT_URL": "ENDPOINT"}),
    TestCase(
        "our keys, Amazon's variable",
        {
            "ACCESS_KEY_ID": ACCESS_KEY_ID,
            "SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
            "AWS_ENDPOINT_URL": "ENDPOINT",
        },
    ),
    TestCase(
        "a profile with its keys, endpoint and region",
        {"AWS_PROFILE": "lab"},
        f"[profile lab]\nendpoint_url = ENDPOINT\nregion = {REGION}\n"
        f"aws_access_key_id = {ACCESS_KEY_ID}\naws_secret_access_key = {SECRET_ACCESS_KEY}\n",
    ),
    TestCase(
        "a section of services",
        {"AWS_PROFILE": "lab", **KEYS},
        "[profile lab]\nservices = lab\n[services lab]\ns3 =\n  endpoint_url = ENDPOINT\n",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_keys_go_where_amazons_settings_say(
    moto: S3, bucket: str, tmp_path: Path, case: TestCase
) -> None:
    moto.bucket(bucket)
    moto.put(bucket, "set/a", b"1")
    config = tmp_path / "config"
    config.write_text(case.config.replace("ENDPOINT", moto.endpoint))
    environ = {name: text.replace("ENDPOINT", moto.endpoint) for name, text in case.environ.items()}
    where = {"STORAGE_URI": f"s3a://{bucket}/set", "AWS_CONFIG_FILE": str(config)}
    ended = run_pod(tmp_path, {**where, **environ})
    assert ended.code == 0, ended.output
    assert tree(tmp_path / "dataset") == {"a": b"1"}


def test_a_profile_that_is_not_there_is_a_setting(tmp_path: Path) -> None:
    ended = run_pod(tmp_path, {"STORAGE_URI": "s3://b/x", "AWS_PROFILE": "nobody", **KEYS})
    assert ended.code == 64
    assert "nobody" in ended.reason


@pytest.mark.parametrize("setting", [{"REGION": REGION}, {"REGION": "", "AWS_REGION": REGION}])
def test_a_bucket_of_another_region_is_read_there(
    moto: S3,
    bucket: str,
    target: Path,
    setting: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    moto.bucket(bucket)
    moto.put(bucket, "set/a", b"1")
    with proxy(moto.endpoint) as between:
        between.plan = lambda seen: (
            None if "/eu-west-1/" in seen.authorization else Fault(status=301, region="eu-west-1")
        )
        environ = moto.environ(ENDPOINT=between.url, **setting)
        fetch_here(f"s3://{bucket}/set", target, environ)
    assert tree(target) == {"a": b"1"}
    assert "the bucket is in eu-west-1: set REGION=eu-west-1" in caplog.text


def test_a_server_that_expects_another_region_names_it(
    versitygw: S3, bucket: str, target: Path, caplog: pytest.LogCaptureFixture
) -> None:
    versitygw.bucket(bucket)
    versitygw.put(bucket, "set/a", b"1")
    fetch_here(f"s3://{bucket}/set", target, versitygw.environ(REGION="eu-west-1"))
    assert tree(target) == {"a": b"1"}
    assert f"the bucket is in {REGION}: set REGION={REGION}" in caplog.text


@pytest.mark.parametrize("at", ["set/data", "set"])
def test_an_empty_object_that_others_are_below_is_a_mark(
    moto: S3, bucket: str, target: Path, at: str
) -> None:
    moto.bucket(bucket)
    for key in ("set", "set/data", "set/data/sub"):
        moto.put(bucket, key, b"")
    moto.put(bucket, "set/data/sub/p", b"1")
    moto.put(bucket, "set/data/empty", b"")
    fetch_here(f"s3://{bucket}/{at}", target, moto.environ())
    below = "" if at == "set/data" else "data/"
    assert tree(target) == {f"{below}sub/p": b"1", f"{below}empty": b""}


def test_an_object_that_others_are_below_and_that_has_bytes_is_refused(
    moto: S3, bucket: str, target: Path
) -> None:
    moto.bucket(bucket)
    moto.put(bucket, "set/data", b"1")
    moto.put(bucket, "set/data/p", b"1")
    with pytest.raises(IntegrityError, match="IGNORE_PATTERNS"):
        fetch_here(f"s3://{bucket}/set", target, moto.environ())


def test_a_pattern_in_a_uri_says_what_to_write(moto: S3, bucket: str, target: Path) -> None:
    moto.bucket(bucket)
    moto.put(bucket, "p/a.txt", b"1")
    says = rf"nothing at .*: write s3://{bucket}/p with ALLOW_PATTERNS=\*\.txt"
    with pytest.raises(NotFoundError, match=says):
        fetch_here(f"s3://{bucket}/p/*.txt", target, moto.environ())
