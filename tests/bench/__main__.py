"""Measures the bars, prints them as they come, and writes ``docs/performance.md``.

    python -m tests.bench

Exits with 1 where a bar is not met. Run it on a machine that does nothing else.
"""

import os
import platform
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.bench import bars
from tests.bench.bars import ROOT, Bar

PAGE = ROOT / "docs" / "performance.md"

_HEAD = """\
# Performance

<!-- Made by `make bench`; do not edit. -->

Measured side by side in one run on {machine}.
The input is a TrainJob of 29 lines, one file each, against a TrainingRuntime of 112 lines; the
output of one is a JobSet of {lines} lines. CPU is user and system time of all processes, start-up
included.

Measured by themselves: the [data cache](performance-cache.md), the
[initializers](performance-initializers.md), the [controller](performance-controller.md), and
[unchanged inputs](performance-gitops.md).

## Bars

{bars}

## Peers on the same 1,000 objects

They print JobSets that are compiled already; trainc reads TrainJobs and compiles them.

{peers}

## What is installed

Without extras, `.pyc` included.

{sizes}
"""


def main() -> int:
    """Measures everything; returns the exit status."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measured = [
            *_shown(bars.conformance()),
            *_shown(bars.one(folder)),
            *_shown(bars.many(folder)),
            *_shown(bars.imports(folder)),
        ]
        peers = list(_shown(bars.peers_on_many(folder)))
        total, *sizes = _shown(bars.installed(folder))
        lines = bars.output_lines(folder)
    page = _HEAD.format(
        machine=_machine(),
        lines=lines,
        bars=_table([*measured, total]),
        peers=_pairs("program", "cost, best of 3", peers),
        sizes=_pairs("distribution", "size", sizes),
    )
    PAGE.write_text(page, encoding="utf-8")
    missed = [bar.what for bar in (*measured, total) if bar.met is False]
    for what in missed:
        sys.stderr.write(f"not met: {what}\n")
    return 1 if missed else 0


def _shown(measured: Iterable[Bar]) -> Iterable[Bar]:
    """Prints each bar as soon as it is measured."""
    for bar in measured:
        sys.stdout.write(
            f"{_word(bar):8} {bar.what}: {bar.measured}{bar.bar and f' ({bar.bar})'}\n"
        )
        sys.stdout.flush()
        yield bar


def _word(bar: Bar) -> str:
    return {True: "met", False: "NOT MET", None: "-"}[bar.met]


def _table(rows: Iterable[Bar]) -> str:
    lines = [f"| {bar.what} | {bar.bar} | {bar.measured} | {_word(bar)} |" for bar in rows]
    return "\n".join(["| what | bar | measured | |", "|---|---|---|---|", *lines])


def _pairs(left: str, right: str, rows: Iterable[Bar]) -> str:
    lines = [f"| {bar.what} | {bar.measured} |" for bar in rows]
    return "\n".join([f"| {left} | {right} |", "|---|---|", *lines])


def _machine() -> str:
    """What the numbers depend on: cores, processor, Python."""
    processor = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines() if sys.platform == "linux" else ():
        if line.startswith("model name"):
            processor = line.partition(":")[2].strip()
    return f"{os.cpu_count()} cores ({processor}), Python {platform.python_version()}"


if __name__ == "__main__":
    sys.exit(main())
