"""Many objects, and a large one: they arrive whole from both servers, in bounded memory."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.initializers.running import command, complete, full, pod_environ, some_bytes
from tests.initializers.servers import S3

MiB = 1024 * 1024
MANY = 10_000
LARGE = 2048 * MiB
_PART = 64 * MiB


@full
def test_many_small_objects(s3: S3, bucket: str, tmp_path: Path) -> None:
    s3.bucket(bucket)
    bodies = {f"{number % 100:02}/{number:05}.bin": b"%d" % number for number in range(MANY)}

    def put(key: str) -> None:
        s3.put(bucket, f"set/{key}", bodies[key])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, bodies))
    run(s3, bucket, tmp_path)
    target = tmp_path / "dataset"
    assert {key: (target / key).read_bytes() for key in bodies} == bodies
    assert len(complete(target)["files"]) == MANY


@full
def test_one_large_object(s3: S3, bucket: str, tmp_path: Path) -> None:
    s3.bucket(bucket)
    part = some_bytes(_PART)
    at = {"Bucket": bucket, "Key": "set/large"}
    upload = s3.client.create_multipart_upload(**at)["UploadId"]
    parts = []
    whole = hashlib.sha256()
    for number in range(1, LARGE // _PART + 1):
        body = number.to_bytes(8, "big") + part[8:]
        whole.update(body)
        done = s3.client.upload_part(**at, UploadId=upload, PartNumber=number, Body=body)
        parts.append({"PartNumber": number, "ETag": done["ETag"]})
    s3.client.complete_multipart_upload(**at, UploadId=upload, MultipartUpload={"Parts": parts})
    peak = run(s3, bucket, tmp_path)
    with (tmp_path / "dataset/large").open("rb") as file:
        assert hashlib.file_digest(file, "sha256").digest() == whole.digest()
    assert peak < 150 * MiB


def run(s3: S3, bucket: str, workspace: Path) -> int:
    """Fetches as the pod does; returns the peak of resident memory in bytes."""
    environ = pod_environ(
        workspace,
        s3.environ(STORAGE_URI=f"s3://{bucket}/set", READ_TIMEOUT_SECONDS="300"),
    )
    # A small process starts it: the kernel counts the memory of the one that does to the peak.
    started = [sys.executable, "-I", "-S", "-c", _WATCH, *command("dataset")]
    ended = subprocess.run(started, env=environ, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return int(ended.stdout.split()[-1]) * 1024


_WATCH = """
import os, sys
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, used = os.wait4(pid, 0)
print(used.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""
