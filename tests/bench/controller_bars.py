"""The bars of the status controller: what each measures, and how far it may go.

As the reference was measured: etcd without fsync, kube-apiserver and kube-controller-manager on
loopback, no JobSet manager, no pods. Paced runs are "JobSet event -> TrainJob event", bursts
"JobSet PATCH sent -> TrainJob event". The reference's figures are those of Kubeflow Trainer v2.3.0
on such a machine.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import urllib3

from tests.bench.bars import Bar
from tests.bench.controller_load import (
    NAMESPACE,
    Seen,
    all_complete,
    complete,
    completed,
    in_parallel,
    make,
    watching,
)
from tests.cluster.client import eventually
from tests.cluster.plane import Plane
from tests.cluster.process import Process, free_ports

PACED_P99 = 0.030  # seconds
BURST_P99 = 0.400
CAUGHT_UP = 6.0
COLD = 5.0
REQUESTS = 20
MEMORY = 130.0  # MB (10**6 bytes)
IDLE = 0.01  # of a core
MISSED = 1000
BURST = 200
BURSTS = 3
PACED = 200


class Running:
    """A controller process and what it says of itself."""

    def __init__(self, process: Process, port: int, began: float) -> None:
        self.process = process
        self.began = began
        self._port = port
        self._http = urllib3.PoolManager()

    def metric(self, pattern: str) -> float:
        """The sum of all samples whose line begins with the pattern."""
        text = self._http.request("GET", f"http://127.0.0.1:{self._port}/metrics").data.decode()
        return sum(float(line.split()[-1]) for line in text.splitlines() if re.match(pattern, line))

    def ready(self) -> bool:
        """Whether it has listed everything."""
        try:
            return self._http.request("GET", f"http://127.0.0.1:{self._port}/readyz").status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def memory(self, key: str) -> float:
        """``VmRSS`` or ``VmHWM`` in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{key}:\s+(\d+)", status)[1]) * 1024 / 1e6  # type: ignore[index]

    def cpu(self) -> float:
        """CPU seconds so far, user and system."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def controller(plane: Plane) -> Iterator[Running]:
    """A controller as it runs in a pod, with its Lease.

    An image holds the bytecode; here the first one, which nobody measures, leaves it to the others.
    """
    bytecode = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": f"{plane.folder}/bytecode"}
    port = free_ports(1)[0]
    command = [sys.executable, "-m", "trainc", "controller", "--log-level", "warning"]
    command += ["--kubeconfig", str(plane.kubeconfig()), "--health", f"127.0.0.1:{port}"]
    began = time.monotonic()
    process = Process("controller", command, plane.folder / "controller.log", bytecode)
    try:
        running = Running(process, port, began)
        process.wait_until(running.ready)
        yield running
    finally:
        process.stop()
        sys.stderr.write(process.tail())


def populate(plane: Plane, jobs: int) -> list[str]:
    """Makes that many jobs, a quarter of them complete; gives the names of the others."""
    admin = plane.client()
    admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    names = [f"job-{number:04}" for number in range(jobs)]
    in_parallel(lambda name: make(admin, name), names)
    done, rest = names[: jobs // 4], names[jobs // 4 :]
    with controller(plane) as running:
        in_parallel(
            lambda name: admin.merge("JobSet", NAMESPACE, name, completed(), "status"), done
        )
        all_complete(admin, done)
        eventually(lambda: running.metric("trainc_queue_depth") == 0)
    return rest


def cold_start(plane: Plane, jobs: int) -> Iterator[Bar]:
    """Everything is right already: how soon that is known, and at what cost."""
    with controller(plane) as running:
        eventually(lambda: running.metric("trainc_leader") == 1)
        while running.metric("trainc_reconcile_seconds_count") < jobs:
            time.sleep(0.01)
        seconds = time.monotonic() - running.began
        reconciled = running.metric("trainc_reconcile_seconds_count")
        requests = running.metric("trainc_api_requests_total")
        writes = running.metric('trainc_api_requests_total.*verb="PATCH"')
        peak, now = running.memory("VmHWM"), running.memory("VmRSS")
    what = "2,000 TrainJobs and JobSets, cold start"
    found = f"{seconds:.2f} s from exec to {reconciled:.0f} looked at"
    yield Bar(what, f"{COLD:g} s", found, seconds <= COLD)
    found = f"{requests:.0f}, of them {writes:.0f} status writes"
    is_met = requests <= REQUESTS and writes == 0
    yield Bar("requests where nothing is to write", f"at most {REQUESTS}", found, is_met)
    found = f"peak {peak:.0f} MB, then {now:.0f} MB"
    yield Bar("memory with 2,000 jobs", f"under {MEMORY:g} MB", found, peak < MEMORY)


def latency(plane: Plane, names: list[str]) -> Iterator[Bar]:
    """Paced, then bursts."""
    with controller(plane), watching(plane) as seen:
        paced, names = names[:PACED], names[PACED:]
        yield _paced(plane, paced, seen)
        for number in range(BURSTS):
            yield from _burst(plane, names[BURST * number : BURST * (number + 1)], seen)


def _paced(plane: Plane, names: list[str], seen: Seen) -> Bar:
    complete(plane, names, 20.0)
    ends, begins = seen.times("TrainJob", names), seen.times("JobSet", names)
    waits = [ends[name] - begins[name] for name in names]
    what = f"JobSet change to TrainJob status, paced 20/s, 2,000 present (n={len(names)})"
    bar = f"p99 at most {PACED_P99 * 1000:g} ms (reference 9 to 16)"
    return Bar(what, bar, _percentiles(waits), _p99(waits) <= PACED_P99)


def _burst(plane: Plane, names: list[str], seen: Seen) -> Iterator[Bar]:
    sent = complete(plane, names, 0.0)
    ends, begins = seen.times("TrainJob", names), seen.times("JobSet", names)
    waits = [ends[name] - sent[name] for name in names]
    bar = f"p99 at most {BURST_P99 * 1000:g} ms (reference 1.1 to 1.5 s)"
    what = f"burst of {len(names)} completions, PATCH to TrainJob event"
    yield Bar(what, bar, _percentiles(waits), _p99(waits) <= BURST_P99)
    alone = [begins[name] - sent[name] for name in names]
    yield Bar("of it PATCH to JobSet event", "", _percentiles(alone), None)


def catch_up(plane: Plane, names: list[str]) -> Iterator[Bar]:
    """Completions while the controller is down; the last TrainJob's event tells the time."""
    admin = plane.client()
    chosen = names[-MISSED:]
    in_parallel(lambda name: admin.merge("JobSet", NAMESPACE, name, completed(), "status"), chosen)
    with watching(plane) as seen, controller(plane) as running:
        # To list 2,000 TrainJobs again and again would take the time that is measured.
        seconds = max(seen.times("TrainJob", chosen).values()) - running.began
        eventually(lambda: running.metric("trainc_queue_depth") == 0)
        writes = running.metric('trainc_api_requests_total.*verb="PATCH"')
    found = f"{seconds:.2f} s from exec, {writes:.0f} status writes"
    is_met = seconds <= CAUGHT_UP and writes == len(chosen)
    what = f"{len(chosen):,} completions missed while down"
    yield Bar(what, f"{CAUGHT_UP:g} s (reference 19 s), one write each", found, is_met)


def idle(plane: Plane, seconds: int) -> Iterator[Bar]:
    """Nothing happens; the lease is renewed and the watches are resumed."""
    with controller(plane) as running:
        time.sleep(5)
        began, cpu = time.monotonic(), running.cpu()
        time.sleep(seconds)
        share = (running.cpu() - cpu) / (time.monotonic() - began)
    what = f"idle with 2,000 jobs, over {seconds} s"
    yield Bar(what, f"under {IDLE * 100:g} % of a core", f"{share * 100:.2f} %", share < IDLE)


def _p99(waits: list[float]) -> float:
    return sorted(waits)[min(len(waits) - 1, int(len(waits) * 0.99))]


def _percentiles(waits: list[float]) -> str:
    middle = sorted(waits)[len(waits) // 2]
    figures = (middle, _p99(waits), max(waits))
    return "p50 {:.1f}, p99 {:.1f}, max {:.1f} ms".format(*(each * 1000 for each in figures))
