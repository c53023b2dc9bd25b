"""The initializers against ``aws s3 cp`` and ``rclone``: ``make bench-initializers``.

In: versitygw on a folder of the disk, one object of 2 GB and 10,000 small ones, all put there by
boto3. Out: the table of docs/performance-initializers.md, and status 1 where a bar is missed. The
contenders take turns, each writes to the same folder, and medians are compared: the machine is
shared. ``TRAINC_BENCH_ROUNDS`` (5), ``TRAINC_BENCH_DIR`` (a folder of the disk).
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.initializers.running import pod_environ, some_bytes
from tests.initializers.servers import (
    ACCESS_KEY_ID,
    REGION,
    S3,
    SECRET_ACCESS_KEY,
    start_versitygw,
)
from tests.initializers.tools import AWS, RCLONE, VERSITYGW, missing

MiB = 1024 * 1024
LARGE = 2048 * MiB
SMALL = 10_000
ROUNDS = int(os.environ.get("TRAINC_BENCH_ROUNDS", "5"))
REPORT = Path(__file__).parents[2] / "docs/performance-initializers.md"
# Starts a program and tells of it: a small process does, because the kernel counts the memory of
# the one that starts a program to the program's peak.
_WATCH = """
import os, sys, time
start = time.monotonic()
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, used = os.wait4(pid, 0)
wall = time.monotonic() - start
print(os.waitstatus_to_exitcode(status), wall, used.ru_utime + used.ru_stime, used.ru_maxrss)
"""
_KINDS = {"large": "one object of 2 GB", "small": "10,000 objects of 1 to 20 KB"}


@dataclass(frozen=True)
class Run:
    """One run of one program.

    Attributes:
        wall, cpu: Seconds; CPU is the program's own, user and system.
        peak: MB of resident memory at most.
    """

    wall: float
    cpu: float
    peak: float


@dataclass(frozen=True)
class Contender:
    """A program that fetches a prefix into a folder."""

    name: str
    command: Callable[[str, Path], Sequence[str]]
    environ: Mapping[str, str]


def contenders(s3: S3, folder: Path) -> list[Contender]:
    """We, and the two we are measured against; as their users start them."""
    keys = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    remote = {"TYPE": "s3", "PROVIDER": "Other", "ENDPOINT": s3.endpoint, "ENV_AUTH": "true"}
    rclone = {f"RCLONE_CONFIG_V_{name}": value for name, value in remote.items()}
    endpoint = ["--endpoint-url", s3.endpoint]
    aws = [str(AWS.program), *endpoint, "s3", "cp", "--recursive", "--quiet"]
    copy = [str(RCLONE.program), "copy", "--transfers", "16", "--checkers", "16"]
    return [
        Contender(
            "trainc",
            lambda uri, into: [sys.executable, "-m", "trainc.initializers", "dataset"],
            pod_environ(folder, s3.environ(TRAINC_WORKSPACE=str(folder / "into"))),
        ),
        Contender("aws s3 cp", lambda uri, into: [*aws, uri, str(into)], keys),
        Contender(
            "rclone",
            lambda uri, into: [*copy, f"V:{uri.removeprefix('s3://')}", str(into)],
            {**keys, **rclone},
        ),
    ]


def fill(s3: S3, folder: Path) -> None:
    """Puts the objects into the bucket, as boto3 puts them by default: checksums included."""
    import boto3

    client = boto3.client(
        "s3",
        endpoint_url=s3.endpoint,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET_ACCESS_KEY,
    )
    s3.bucket("bench")
    large = folder / "large"
    with large.open("wb") as file:
        for number in range(LARGE // (16 * MiB)):
            file.write(some_bytes(16 * MiB, seed=number))
    client.upload_file(str(large), "bench", "large/object")
    large.unlink()

    def put(number: int) -> None:
        size = 1000 + number * 7919 % 19_000
        key = f"small/{number % 100:02}/{number:05}.bin"
        client.put_object(Bucket="bench", Key=key, Body=some_bytes(size, seed=number))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(SMALL)))


def run(contender: Contender, kind: str, folder: Path, keep: bool = False) -> Run:
    """Runs one program into the emptied folder; all files must have arrived."""
    into = folder / "into/dataset"
    if not keep:
        shutil.rmtree(into.parent, ignore_errors=True)
        into.mkdir(parents=True)
        os.sync()  # what the last run wrote must not be written in this one's time
    uri = f"s3://bench/{kind}"
    environ = {**contender.environ, "STORAGE_URI": uri}
    command = [sys.executable, "-I", "-S", "-c", _WATCH, *contender.command(uri, into)]
    told = subprocess.run(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
    )
    status, wall, cpu, peak = map(float, told.stdout.split()[-4:])
    arrived = sum(1 for path in into.rglob("*") if path.is_file() and path.suffix != ".json")
    if status or arrived != (1 if kind == "large" else SMALL):
        raise SystemExit(f"{contender.name}: status {status:.0f}, {arrived} files")
    return Run(wall, cpu, peak / 1024)


def measure(s3: S3, folder: Path) -> dict[str, dict[str, list[Run]]]:
    """Kind -> contender -> runs; round by round, so that all meet the same neighbours."""
    runs: dict[str, dict[str, list[Run]]] = {kind: {} for kind in (*_KINDS, "again")}
    all_of_them = contenders(s3, folder)
    for number in range(ROUNDS + 1):
        for kind in _KINDS:
            # Another order each round; the first round only warms the caches.
            turn = number % len(all_of_them)
            for contender in all_of_them[turn:] + all_of_them[:turn]:
                done = run(contender, kind, folder)
                print(f"{number} {kind} {contender.name}: {done}", file=sys.stderr, flush=True)
                if number:
                    runs[kind].setdefault(contender.name, []).append(done)
                if number and contender.name == "trainc":
                    again = run(contender, kind, folder, keep=True)
                    runs["again"].setdefault(kind, []).append(again)
    return runs


def report(runs: dict[str, dict[str, list[Run]]]) -> tuple[str, bool]:
    """The table, and whether every bar is met."""
    lines = [
        "| what | program | wall, median [min-max] | CPU | peak memory |",
        "|---|---|---|---|---|",
    ]
    bars = []
    for kind, words in _KINDS.items():
        for name, done in runs[kind].items():
            walls = [each.wall for each in done]
            lines.append(
                f"| {words} | {name} | {statistics.median(walls):.2f} s "
                f"[{min(walls):.2f}-{max(walls):.2f}] | "
                f"{statistics.median(each.cpu for each in done):.2f} s | "
                f"{max(each.peak for each in done):.0f} MB |"
            )
        best = min(
            statistics.median(each.wall for each in done)
            for name, done in runs[kind].items()
            if name != "trainc"
        )
        ours = statistics.median(each.wall for each in runs[kind]["trainc"])
        bars.append(
            (
                f"{words}, against the better of both",
                "0.9",
                f"{best / ours:.2f}",
                best / ours >= 0.9,
            )
        )
    peak = max(each.peak for each in runs["large"]["trainc"])
    bars.append(("peak memory, one object of 2 GB", "under 150 MB", f"{peak:.0f} MB", peak < 150))
    for kind, words in _KINDS.items():
        again = statistics.median(each.wall for each in runs["again"][kind])
        bars.append((f"second start, {words}", "under 1 s", f"{again:.2f} s", again < 1))
    table = ["| bar | asked | measured | met |", "|---|---|---|---|"]
    table += [f"| {a} | {b} | {c} | {'yes' if met else 'no'} |" for a, b, c, met in bars]
    return "\n".join([*table, "", *lines]) + "\n", all(met for *_, met in bars)


def write(table: str) -> None:
    """Puts the table into the page, between its marks."""
    begin, end = "<!-- measured -->\n", "<!-- end -->\n"
    text = REPORT.read_text()
    before, _, rest = text.partition(begin)
    REPORT.write_text(f"{before}{begin}{table}{end}{rest.partition(end)[2]}")


def main() -> int:
    """Measures, rewrites the page, and says whether the bars are met."""
    lacking = [why for tool in (VERSITYGW, AWS, RCLONE) if (why := missing(tool))]
    if lacking:
        print("\n".join(lacking), file=sys.stderr)
        return 2
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=os.environ.get("TRAINC_BENCH_DIR")))
    process, s3 = start_versitygw(folder)
    try:
        fill(s3, folder)
        table, met = report(measure(s3, folder))
    finally:
        process.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print(table)
    write(table)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
