"""Measures what unchanged inputs cost, and writes ``docs/performance-gitops.md``.

    python -m tests.bench.gitops_bench

Exits with 1 where a bar is not met. Run it on a machine that does nothing else.
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

from tests.bench import inputs
from tests.bench.bars import ROOT, TRAINC
from tests.gitops.repository import repository

PAGE: Final = ROOT / "docs" / "performance-gitops.md"
SAMPLE_RUNS: Final = 25
MANY: Final = 10_000
MANY_RUNS: Final = 3
PASS_RATIO: Final = 10.0
SPEEDUP: Final = 5.0

_HEAD: Final = """\
# Performance of check

<!-- Made by `make bench-gitops`; do not edit. -->

Medians of one run on {machine}. The sample repository has two
environments and twelve TrainJobs, templates and overlays, and every policy; the many are
{many:,} TrainJobs of 29 lines, one file each. What is unchanged is told by the bytes of every
file that was read, the names in every folder that was searched, and the bytes
of the output. Where one job changed, all files are parsed and that job alone is compiled.

| what | bar | measured |
|---|---|---|
{bars}

| command | median |
|---|---|
{rows}
"""


class Bar(NamedTuple):
    """One line of the first table."""

    what: str
    bar: str
    measured: str
    met: bool


def main() -> int:
    """Measures everything; returns the exit status."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sample = _sample(repository(folder / "sample"), folder / "cache")
        many = _many(inputs.write(folder / "many", MANY), folder / "cache-many")
    bars = [
        _most("`trainc check`, sample, unchanged : `python -c pass`", PASS_RATIO,
              sample["trainc check, unchanged"] / sample["python -c pass"]),
        _least(f"{MANY:,} TrainJobs: first build and output : check, unchanged", SPEEDUP,
               many["first build"] / many["check, unchanged"]),
    ]  # fmt: skip
    rows = [f"| {what} | {_seconds(spent)} |" for what, spent in sample.items()]
    rows += [f"| {MANY:,} TrainJobs: {what} | {_seconds(spent)} |" for what, spent in many.items()]
    lines = [f"| {bar.what} | {bar.bar} | {bar.measured} |" for bar in bars]
    machine = f"{os.cpu_count()} CPUs, {platform.system()}, Python {platform.python_version()}"
    text = _HEAD.format(machine=machine, many=MANY, bars="\n".join(lines), rows="\n".join(rows))
    PAGE.write_text(text, encoding="utf-8")
    print(text)
    return 0 if all(bar.met for bar in bars) else 1


def _sample(root: Path, cache: Path) -> dict[str, float]:
    """Seconds of commands on the sample repository, in turns."""
    spent(["build", "--env", "all", "--out-dir", "out"], root, cache)
    commands: dict[str, Sequence[str | Path]] = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "trainc --version": [TRAINC, "--version"],
        "trainc check, unchanged": [TRAINC, "check", "--env", "all"],
        "trainc validate, unchanged": [TRAINC, "validate", "--env", "all"],
        "trainc check --no-cache": [TRAINC, "check", "--env", "all", "--no-cache"],
    }
    costs: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(SAMPLE_RUNS + 2):
        for name, command in commands.items():
            cost = _run(command, root, cache)
            if turn > 1:  # the first fill the caches, the system's too
                costs[name].append(cost)
    return {name: median(each) for name, each in costs.items()}


def _many(source: Path, cache: Path) -> dict[str, float]:
    """Seconds of commands on many TrainJobs."""
    root = source.parent
    build = ["build", str(source), "--out-dir", "out"]
    costs: dict[str, list[float]] = {}
    for _ in range(MANY_RUNS):
        shutil.rmtree(cache, ignore_errors=True)
        shutil.rmtree(root / "out", ignore_errors=True)
        costs.setdefault("first build", []).append(spent(build, root, cache))
        check = ["check", str(source)]
        costs.setdefault("check, unchanged", []).append(spent(check, root, cache))
        costs.setdefault("build, unchanged", []).append(spent(build, root, cache))
        _edit(source)
        costs.setdefault("build, one job changed", []).append(spent(build, root, cache))
        uncached = [*check, "--no-cache"]
        costs.setdefault("check --no-cache", []).append(spent(uncached, root, cache))
    return {name: median(each) for name, each in costs.items()}


def _edit(source: Path) -> None:
    """Changes one argument of one job."""
    path = min(source.glob("job-*.yaml"))
    path.write_text(path.read_text().replace("--run=", "--run=1"))


def spent(args: Sequence[str], cwd: Path, cache: Path) -> float:
    """Seconds from start to exit of ``trainc``; it must succeed."""
    return _run([TRAINC, *args], cwd, cache)


def _run(command: Sequence[str | Path], cwd: Path, cache: Path) -> float:
    environ = {**os.environ, "TRAINC_CACHE_DIR": str(cache)}
    start = time.perf_counter()
    subprocess.run(command, cwd=cwd, check=True, capture_output=True, env=environ)
    return time.perf_counter() - start


def _most(what: str, bar: float, measured: float) -> Bar:
    return Bar(what, f"≤ {bar:g}", f"{measured:.1f}", measured <= bar)


def _least(what: str, bar: float, measured: float) -> Bar:
    return Bar(what, f"≥ {bar:g}", f"{measured:.1f}", measured >= bar)


def _seconds(spent: float) -> str:
    return f"{spent * 1000:.0f} ms" if spent < 1 else f"{spent:.2f} s"


if __name__ == "__main__":
    sys.exit(main())
