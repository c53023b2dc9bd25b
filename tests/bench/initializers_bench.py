"""The initializers against ``aws s3 cp`` and ``rclone``: ``make bench-initializers``.

In: versitygw on a folder of the disk, one object of 2 GB and 10,000 small ones, all put there by
boto3. Out: the table of docs/performance-initializers.md, and status 1 where a bar is missed. The
contenders take turns, each writes to the same folder, and medians are compared: the machine is
shared. ``large`` or ``small`` as an argument measures that part only; the other's figures stay.
``TRAINC_BENCH_ROUNDS`` (5), ``TRAINC_BENCH_DIR`` (a folder of the disk).
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.initializers.running import pod_environ, some_bytes
from tests.initializers.servers import (
    ACCESS_KEY_ID,
    REGION,
    S3,
    SECRET_ACCESS_KEY,
    start_versitygw,
)
from tests.tools import AWS, RCLONE, VERSITYGW, missing

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
# Takes memory and gives it back: on a virtual machine the first touch of a page costs more than all
# the work on it, and whoever comes first would pay for the others. All that is free, because nobody
# says which of it the kernel takes next; what was freed goes back to the host little by little.
_TOUCH = """
import mmap, os
free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
size = max(0, free - (1 << 30)) // 4096 * 4096
memory = mmap.mmap(-1, size)
step = 1 << 28
for start in range(0, size, step):
    memory[start : start + step : 4096] = bytes(len(range(start, min(start + step, size), 4096)))
"""
RAW = Path(__file__).parents[2] / "build/bench/initializers.json"
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


Runs = dict[str, list[Run]]
_AGAIN = "again"  # trainc's second starts


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


def _client(s3: S3) -> Any:
    """boto3's client, as users have it: checksums included."""
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=s3.endpoint,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET_ACCESS_KEY,
    )


def fill_large(s3: S3, folder: Path) -> None:
    """Puts one large object into the bucket."""
    large = folder / "large"
    with large.open("wb") as file:
        for number in range(LARGE // (16 * MiB)):
            file.write(some_bytes(16 * MiB, seed=number))
    _client(s3).upload_file(str(large), "bench", "large/object")
    large.unlink()


def fill_small(s3: S3, folder: Path) -> None:
    """Puts many small objects into the bucket."""
    client = _client(s3)

    def put(number: int) -> None:
        size = 1000 + number * 7919 % 19_000
        key = f"small/{number % 100:02}/{number:05}.bin"
        client.put_object(Bucket="bench", Key=key, Body=some_bytes(size, seed=number))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(SMALL)))


FILL = {"large": fill_large, "small": fill_small}


def run(contender: Contender, kind: str, folder: Path, keep: bool = False) -> Run:
    """Runs one program into the emptied folder; all files must have arrived."""
    into = folder / "into/dataset"
    if not keep:
        clear(into.parent, kind)
        into.mkdir(parents=True)
        os.sync()  # what the last run wrote must not be written in this one's time
        subprocess.run([sys.executable, "-I", "-S", "-c", _TOUCH], check=True)
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


def clear(into: Path, kind: str) -> None:
    """Takes the last run's files away: small ones stay on the disk, under another name.

    Of ten thousand that were just deleted, ext4 looks at each again for every file that is made.
    """
    if into.exists() and kind == "small":
        into.rename(into.with_name(f"before-{time.monotonic_ns()}"))
    shutil.rmtree(into, ignore_errors=True)


def measure(kind: str, s3: S3, folder: Path) -> Runs:
    """Contender -> runs; round by round, so that all meet the same neighbours."""
    runs: Runs = {}
    all_of_them = contenders(s3, folder)
    for number in range(ROUNDS + 1):
        # Another order each round; the first round only warms the caches.
        turn = number % len(all_of_them)
        for contender in all_of_them[turn:] + all_of_them[:turn]:
            if not number and contender.name == "aws s3 cp":
                continue  # it takes longest, and the others have warmed the server
            done = run(contender, kind, folder)
            print(f"{number} {kind} {contender.name}: {done}", file=sys.stderr, flush=True)
            if number:
                runs.setdefault(contender.name, []).append(done)
            if number and contender.name == "trainc":
                runs.setdefault(_AGAIN, []).append(run(contender, kind, folder, keep=True))
    return runs


def kept(kinds: Sequence[str], measured: Mapping[str, Runs]) -> dict[str, Runs]:
    """What was measured now; of the other kinds what was measured before, kept for next time."""
    held = json.loads(RAW.read_text()) if RAW.exists() else {}
    runs = {
        kind: {name: [Run(**each) for each in done] for name, done in held[kind].items()}
        for kind in held
        if kind not in kinds
    }
    runs |= measured
    RAW.parent.mkdir(parents=True, exist_ok=True)
    text = {
        kind: {name: [asdict(each) for each in done] for name, done in of_it.items()}
        for kind, of_it in runs.items()
    }
    RAW.write_text(json.dumps(text))
    return {kind: runs[kind] for kind in _KINDS if kind in runs}


def report(runs: Mapping[str, Runs]) -> tuple[str, bool]:
    """The table, and whether every bar is met."""
    bars = [bar for kind, done in runs.items() for bar in _bars(kind, done)]
    table = ["| bar | asked | measured | met |", "|---|---|---|---|"]
    table += [f"| {a} | {b} | {c} | {'yes' if met else 'no'} |" for a, b, c, met in bars]
    table += ["", "| what | program | wall, median [min-max] | CPU | peak memory |"]
    table += ["|---|---|---|---|---|"]
    for kind, done in runs.items():
        table += [_row(kind, name, each) for name, each in sorted(done.items()) if name != _AGAIN]
    return "\n".join(table) + "\n", all(met for *_, met in bars)


def _bars(kind: str, runs: Runs) -> list[tuple[str, str, str, bool]]:
    words = _KINDS[kind]
    best = min(_wall(done) for name, done in runs.items() if name not in ("trainc", _AGAIN))
    share = best / _wall(runs["trainc"])
    again = _wall(runs[_AGAIN])
    peak = max(each.peak for each in runs["trainc"])
    return [
        (f"{words}, against the better of both", "0.9", f"{share:.2f}", share >= 0.9),
        (f"peak memory, {words}", "under 150 MB", f"{peak:.0f} MB", peak < 150),
        (f"second start, {words}", "under 1 s", f"{again:.2f} s", again < 1),
    ]


def _row(kind: str, name: str, runs: Sequence[Run]) -> str:
    walls = [each.wall for each in runs]
    cpu = statistics.median(each.cpu for each in runs)
    return (
        f"| {_KINDS[kind]} | {name} | {_wall(runs):.2f} s [{min(walls):.2f}-{max(walls):.2f}] "
        f"| {cpu:.2f} s | {max(each.peak for each in runs):.0f} MB |"
    )


def _wall(runs: Sequence[Run]) -> float:
    return statistics.median(each.wall for each in runs)


def write(table: str) -> None:
    """Puts the table into the page, between its marks."""
    begin, end = "<!-- measured -->\n", "<!-- end -->\n"
    text = REPORT.read_text()
    before, _, rest = text.partition(begin)
    REPORT.write_text(f"{before}{begin}{table}{end}{rest.partition(end)[2]}")


def main(kinds: Sequence[str]) -> int:
    """Measures, rewrites the page, and says whether the bars are met."""
    lacking = [why for tool in (VERSITYGW, AWS, RCLONE) if (why := missing(tool))]
    if lacking:
        print("\n".join(lacking), file=sys.stderr)
        return 2
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=os.environ.get("TRAINC_BENCH_DIR")))
    process, s3 = start_versitygw(folder)
    try:
        s3.bucket("bench")
        for kind in kinds:
            FILL[kind](s3, folder)
        table, met = report(kept(kinds, {kind: measure(kind, s3, folder) for kind in kinds}))
    finally:
        process.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print(table)
    write(table)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main([kind for kind in _KINDS if kind in sys.argv[1:]] or [*_KINDS]))
