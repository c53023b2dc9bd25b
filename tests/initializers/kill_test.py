"""Killed at any moment and started again: the same bytes, and nothing finished is fetched twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from pathlib import Path

from tests.initializers.proxy import Proxy, proxy
from tests.initializers.running import command, complete, digests, pod_environ, some_bytes
from tests.initializers.servers import S3
from trainc.initializers.manifest import NAME

MiB = 1024 * 1024
KILLS = 50 if os.environ.get("TRAINC_TEST_FULL") else 4
STEP = 5 * MiB  # what each of a large file's connections may have to fetch again


def test_killed_and_started_again(versitygw: S3, bucket: str, tmp_path: Path) -> None:
    versitygw.bucket(bucket)
    bodies = {
        f"small/{number:03}": some_bytes(200_000, seed=number) for number in range(12 * KILLS)
    }
    bodies["large"] = some_bytes(48 * MiB, seed=999)
    for key, body in bodies.items():
        versitygw.put(bucket, f"set/{key}", body)
    target = tmp_path / "dataset"
    chance = random.Random(20260822)
    killed = 0
    with proxy(versitygw.endpoint) as between:
        # Slow enough that all kills fall into the transfer.
        between.bytes_per_second = 3 * MiB / KILLS
        environ = pod_environ(
            tmp_path,
            versitygw.environ(ENDPOINT=between.url, STORAGE_URI=f"s3://{bucket}/set"),
        )
        finished: set[str] = set()
        for _ in range(KILLS * 20):
            between.seen.clear()
            process = subprocess.Popen(command("dataset"), env=environ, stderr=subprocess.DEVNULL)
            try:
                status = process.wait(None if killed == KILLS else chance.uniform(0.3, 1.5))
                assert status == 0
                break
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                killed += 1
            assert not (target / NAME).exists()
            check_nothing_twice(between, finished)
            finished = in_place(target)
            between.bytes_per_second = 0.0 if killed == KILLS else between.bytes_per_second
        check_nothing_twice(between, finished)
    assert killed == KILLS
    expected = tmp_path / "expected"
    for key, body in bodies.items():
        path = expected / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    assert digests(target) == digests(expected)
    assert len(complete(target)["files"]) == len(bodies)


def test_of_a_large_file_only_the_rest_is_fetched(
    versitygw: S3, bucket: str, tmp_path: Path
) -> None:
    versitygw.bucket(bucket)
    body = some_bytes(64 * MiB)
    versitygw.put(bucket, "large", body)
    with proxy(versitygw.endpoint) as between:
        between.bytes_per_second = 8 * MiB
        environ = pod_environ(
            tmp_path,
            versitygw.environ(ENDPOINT=between.url, STORAGE_URI=f"s3://{bucket}/large"),
        )
        process = subprocess.Popen(command("dataset"), env=environ, stderr=subprocess.DEVNULL)
        while sum(seen.sent for seen in between.gets("large")) < 32 * MiB:
            assert process.poll() is None
        process.kill()
        process.wait()
        sent = sum(seen.sent for seen in between.gets("large"))
        connections = len(between.gets("large"))
        between.seen.clear()
        between.bytes_per_second = 0.0
        subprocess.run(command("dataset"), env=environ, check=True)
        again = sum(seen.sent for seen in between.gets("large"))
    assert (tmp_path / "dataset/large").read_bytes() == body
    assert again <= len(body) - sent + connections * STEP


def in_place(target: Path) -> set[str]:
    """The files that bear their own names."""
    return set(digests(target)) if target.is_dir() else set()


def check_nothing_twice(between: Proxy, finished: set[str]) -> None:
    """No request was made for a file that was in place before the process began."""
    asked = {seen.path.split("/set/", 1)[1] for seen in between.gets("/set/")}
    assert not asked & finished
