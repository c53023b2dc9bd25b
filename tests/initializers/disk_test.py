"""Disks that are full, read-only, or somebody else's."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.initializers.proxy import Fault, proxy, times
from tests.initializers.running import (
    command,
    fetch_here,
    pod_environ,
    run_pod,
    some_bytes,
    tree,
)
from tests.initializers.servers import S3
from trainc.initializers.failure import DiskError, IntegrityError, TransientError
from trainc.initializers.paths import PARTIAL
from trainc.initializers.target import Target

MiB = 1024 * 1024
Mount = Callable[[str], Path]
IMPATIENT = {"RETRY_MAX_SECONDS": "0.1"}


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """Mounts a small file system in memory."""
    mounted: list[Path] = []

    def mount(options: str) -> Path:
        folder = tmp_path / f"disk{len(mounted)}"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("needs the right to mount a file system")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def test_what_does_not_fit_is_not_begun(
    versitygw: S3, bucket: str, mount: Mount, tmp_path: Path
) -> None:
    versitygw.bucket(bucket)
    versitygw.put(bucket, "set/a", some_bytes(3 * MiB))
    disk = mount("size=2m")
    with proxy(versitygw.endpoint) as between:
        environ = versitygw.environ(ENDPOINT=between.url, STORAGE_URI=f"s3://{bucket}/set")
        ended = run_pod(disk, {**environ, "HOME": str(tmp_path)})
        assert between.gets("/set/a") == []
    assert ended.code == 74
    assert ended.reason.startswith("disk: 3.0 MiB are to be written and ")
    assert tree(disk / "dataset") == {}


@pytest.mark.parametrize("size", [3 * MiB, 40 * MiB])
def test_a_disk_that_fills_up_meanwhile_is_reported(
    versitygw: S3, bucket: str, mount: Mount, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    versitygw.bucket(bucket)
    versitygw.put(bucket, "set/a", some_bytes(size))
    monkeypatch.setattr(Target, "check_space", lambda self, needed, replaced: None)
    disk = mount("size=2m")
    with pytest.raises(DiskError, match="No space left on device"):
        fetch_here(f"s3://{bucket}/set", disk / "dataset", versitygw.environ())
    assert tree(disk / "dataset") == {}


def test_what_a_killed_fetch_reserved_is_there_for_the_next(
    versitygw: S3, bucket: str, mount: Mount, tmp_path: Path
) -> None:
    versitygw.bucket(bucket)
    body = some_bytes(64 * MiB)
    versitygw.put(bucket, "set/a", body)
    disk = mount("size=90m")
    with proxy(versitygw.endpoint) as between:
        between.bytes_per_second = 4 * MiB
        uri = {"ENDPOINT": between.url, "STORAGE_URI": f"s3://{bucket}/set"}
        environ = pod_environ(disk, {**versitygw.environ(**uri), "HOME": str(tmp_path)})
        process = subprocess.Popen(command("dataset"), env=environ, stderr=subprocess.DEVNULL)
        while not journalled(disk / "dataset"):
            time.sleep(0.02)
        process.kill()
        process.wait()
        between.bytes_per_second = 0
        subprocess.run(command("dataset"), env=environ, check=True)
    assert tree(disk / "dataset") == {"a": body}


def journalled(target: Path) -> bool:
    journal = target / PARTIAL / "journal"
    return journal.exists() and b'"range"' in journal.read_bytes()


@pytest.mark.parametrize("case", ["refreshed", "another URI", "another URI, after a kill"])
def test_what_is_replaced_makes_room(versitygw: S3, bucket: str, mount: Mount, case: str) -> None:
    versitygw.bucket(bucket)
    old, new = some_bytes(40 * MiB), some_bytes(40 * MiB, seed=1)
    versitygw.put(bucket, "set/a", old)
    target = mount("size=60m") / "dataset"
    environ = versitygw.environ()
    uri = f"s3://{bucket}/set"
    if case == "another URI, after a kill":
        with proxy(versitygw.endpoint) as between:
            between.plan = lambda seen: Fault(status=500) if len(between.gets()) > 2 else None
            given = {**environ, "ENDPOINT": between.url, "STORAGE_URI": uri, **IMPATIENT}
            assert run_pod(target.parent, given).code == 75
        assert journalled(target)
    else:
        fetch_here(uri, target, environ)
    if case == "refreshed":
        environ["REFRESH"] = "1"
    else:
        uri = f"s3://{bucket}/other"
    versitygw.put(bucket, uri.rpartition("/")[2] + "/a", new)
    fetch_here(uri, target, environ)
    assert tree(target) == {"a": new}


def test_what_is_replaced_stays_where_there_is_room_for_both(
    versitygw: S3, bucket: str, target: Path
) -> None:
    versitygw.bucket(bucket)
    versitygw.put(bucket, "set/a", b"old")
    fetch_here(f"s3://{bucket}/set", target, versitygw.environ())
    versitygw.put(bucket, "set/a", b"new")
    with proxy(versitygw.endpoint) as between:
        between.plan = times(10**6, Fault(status=500))
        environ = versitygw.environ(ENDPOINT=between.url, REFRESH="1", **IMPATIENT)
        with pytest.raises(TransientError):
            fetch_here(f"s3://{bucket}/set", target, environ)
    assert tree(target) == {"a": b"old"}


def test_a_disk_that_does_not_count_is_taken_for_large(
    versitygw: S3, bucket: str, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many that are mounted by FUSE."""
    versitygw.bucket(bucket)
    versitygw.put(bucket, "set/a", b"1")
    monkeypatch.setattr(os, "statvfs", lambda path: os.statvfs_result((512, 0, *[0] * 9)))
    fetch_here(f"s3://{bucket}/set", target, versitygw.environ())
    assert tree(target) == {"a": b"1"}


def test_a_read_only_target_is_reported(
    versitygw: S3, bucket: str, mount: Mount, tmp_path: Path
) -> None:
    versitygw.bucket(bucket)
    versitygw.put(bucket, "set/a", b"1")
    disk = mount("size=2m,ro")
    environ = versitygw.environ(STORAGE_URI=f"s3://{bucket}/set")
    log = {"TRAINC_TERMINATION_LOG": str(tmp_path / "log"), "HOME": str(tmp_path)}
    ended = run_pod(disk, {**environ, **log})
    assert ended.code == 74
    assert "Read-only file system" in (tmp_path / "log").read_text()
    assert "Traceback" not in ended.output


def test_a_whole_target_may_be_read_only(versitygw: S3, bucket: str, mount: Mount) -> None:
    versitygw.bucket(bucket)
    versitygw.put(bucket, "set/a", b"1")
    disk = mount("size=2m")
    fetch_here(f"s3://{bucket}/set", disk / "dataset", versitygw.environ())
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    fetch_here(f"s3://{bucket}/set", disk / "dataset", versitygw.environ())
    assert tree(disk / "dataset") == {"a": b"1"}


@pytest.mark.parametrize("where", ["sub", PARTIAL, f"{PARTIAL}/lock"])
def test_a_planted_link_leads_nowhere(
    versitygw: S3, bucket: str, target: Path, tmp_path: Path, where: str
) -> None:
    versitygw.bucket(bucket)
    versitygw.put(bucket, "set/sub/a", b"1")
    outside = tmp_path / "outside"
    outside.mkdir()
    link = target / where
    link.parent.mkdir(parents=True)
    link.symlink_to(outside / "lock" if where.endswith("lock") else outside)
    with pytest.raises((IntegrityError, DiskError)):
        fetch_here(f"s3://{bucket}/set", target, versitygw.environ())
    assert list(outside.iterdir()) == []


def test_a_link_in_a_files_place_is_replaced(
    versitygw: S3, bucket: str, target: Path, tmp_path: Path
) -> None:
    versitygw.bucket(bucket)
    versitygw.put(bucket, "set/a", b"1")
    outside = tmp_path / "outside"
    outside.write_bytes(b"mine")
    target.mkdir(parents=True)
    (target / "a").symlink_to(outside)
    fetch_here(f"s3://{bucket}/set", target, versitygw.environ())
    assert (tree(target), outside.read_bytes()) == ({"a": b"1"}, b"mine")


def test_a_folder_in_a_files_place_is_refused(versitygw: S3, bucket: str, target: Path) -> None:
    versitygw.bucket(bucket)
    versitygw.put(bucket, "set/a", b"1")
    (target / "a/mine").mkdir(parents=True)
    with pytest.raises(DiskError, match="Is a directory"):
        fetch_here(f"s3://{bucket}/set", target, versitygw.environ())
