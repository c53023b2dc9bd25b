"""Measures the controller and its progress server, writes ``docs/performance-controller.md``.

    python -m tests.bench.controller_bench [--part latency|scale|idle|progress]

A part alone keeps what the others measured before (``build/bench-controller.json``), so that each
may be run when the machine does nothing else. Exits with 1 where a bar is not met.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.bench.bars import ROOT, Bar
from tests.bench.controller_bars import catch_up, cold_start, idle, latency, populate
from tests.bench.progress_bars import posting
from tests.cluster.binaries import KUBERNETES, UnavailableError, find
from tests.cluster.conftest import CRDS
from tests.cluster.plane import Plane

PAGE = ROOT / "docs" / "performance-controller.md"
KEPT = ROOT / "build" / "bench-controller.json"
JOBS = 2000
Json = dict[str, Any]
IDLE_SECONDS = 300

_HEAD = """\
# The status controller, measured

<!-- Made by `make bench-controller`; do not edit. -->

On {machine}; API server, etcd, clients and controller share the CPUs.

etcd without fsync, kube-apiserver {version} and kube-controller-manager on loopback; 2,000
TrainJobs with their JobSets of about 4.4 kB; no JobSet manager, no pods: a client completes the
JobSets' status. Paced runs are from the JobSet's event to the TrainJob's, bursts from the PATCH
that is sent to the TrainJob's event, so they hold the API server's own time. What was missed is
counted to the last TrainJob's event. The controller's bytecode is compiled before, as in its image.
The reference's figures are those of Kubeflow Trainer v2.3.0, measured in the same way on such a
machine. The progress server is posted to with a running pod's own token.

{table}

Load is the machine's average of the minute before, the measurement's own included: a figure taken
while others worked beside it says little.

What has no figure is a test of `make test-cluster`: faults (API server killed and restarted,
controller killed at 20 random points, expired watches, a storm of conflicts, clock jumps,
malformed objects), 10,000 malformed, oversize, forged and foreign requests to the progress server,
and the Kubeflow SDK. `make soak` is random job life with kills of both; it ends with every status
equal to a fresh decision.
"""


def main() -> int:
    """Measures what is asked for; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", action="append", choices=sorted(PARTS), help="default: all")
    chosen = parser.parse_args().part or list(PARTS)
    try:
        binaries = find(build=False)
    except UnavailableError as why:
        sys.stdout.write(f"skipped: {why}\n")
        return 0
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    for part in chosen:
        with tempfile.TemporaryDirectory() as folder:
            plane = Plane(binaries, Path(folder), sorted(CRDS.glob("*.yaml")))
            try:
                plane.start(operators=part == "progress")
                kept[part] = list(_shown(PARTS[part](plane)))
            finally:
                plane.stop()
    KEPT.parent.mkdir(exist_ok=True)
    KEPT.write_text(json.dumps(kept, indent=1))
    _write(kept)
    return int(any(row["met"] is False for rows in kept.values() for row in rows))


def _latency(plane: Plane) -> Iterator[Bar]:
    yield from latency(plane, populate(plane, JOBS))


def _scale(plane: Plane) -> Iterator[Bar]:
    names = populate(plane, JOBS)
    yield from cold_start(plane, JOBS)
    yield from catch_up(plane, names)


def _idle(plane: Plane) -> Iterator[Bar]:
    populate(plane, JOBS)
    yield from idle(plane, IDLE_SECONDS)


PARTS: Mapping[str, Callable[[Plane], Iterator[Bar]]] = {
    "latency": _latency,
    "scale": _scale,
    "idle": _idle,
    "progress": posting,
}


def _shown(bars: Iterable[Bar]) -> Iterator[Json]:
    """Prints each bar as soon as it is measured, with how busy the machine is."""
    for bar in bars:
        row = {**asdict(bar), "load": f"{os.getloadavg()[0]:.1f}"}
        sys.stdout.write(f"{_line(row)} | load {row['load']}\n")
        sys.stdout.flush()
        yield row


def _write(kept: Mapping[str, list[Json]]) -> None:
    rows = [row for part in PARTS for row in kept.get(part, ())]
    lines = ["| what | bar | measured | holds | load |", "|---|---|---|---|---|"]
    lines += [f"| {_line(row)} | {row.get('load', '')} |" for row in rows]
    page = _HEAD.format(machine=_machine(), version=KUBERNETES, table="\n".join(lines))
    PAGE.write_text(page, encoding="utf-8")


def _line(row: Json) -> str:
    word = {True: "yes", False: "**no**", None: ""}[row["met"]]
    return " | ".join((row["what"], row["bar"], row["measured"], word))


def _machine() -> str:
    python = platform.python_version()
    return f"{os.cpu_count()} CPUs ({platform.machine()}), Python {python}"


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    sys.exit(main())
