"""A controller against the plane: in this process, or in one of its own that may be killed."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import kubernetes

from tests.cluster.client import eventually
from tests.cluster.plane import Plane
from tests.cluster.process import Process
from trainc.controller.controller import Controller, Options

_numbers = itertools.count(1)


@contextmanager
def running(
    plane: Plane,
    namespace: str,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    **options: Any,
) -> Iterator[Controller]:
    """A controller in this process that serves one namespace."""
    client = kubernetes.config.new_client_from_config(str(plane.kubeconfig()))
    chosen = Options(namespaces=(namespace,), health_port=-1, **options)
    controller = Controller(chosen, client, now)
    controller.start()
    try:
        eventually(lambda: controller.leading.is_set() and not controller.missing())
        yield controller
    finally:
        controller.stop()


@contextmanager
def process(
    plane: Plane, namespace: str, *arguments: str, bearer: str = "", health: int = 0
) -> Iterator[Process]:
    """A controller in a process of its own, as it runs in a pod; stopped at the end."""
    command = [sys.executable, "-m", "trainc", "controller", "--namespace", namespace]
    command += ["--kubeconfig", str(plane.kubeconfig(bearer=bearer))]
    command += ["--health", f"127.0.0.1:{health}", "--log-format", "text", *arguments]
    name = f"controller-{next(_numbers)}"
    started = Process(name, command, plane.folder / f"{name}.log")
    plane.processes[name] = started
    try:
        yield started
    finally:
        started.stop()
        del plane.processes[name]
