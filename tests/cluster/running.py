"""A controller against the plane, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import kubernetes

from tests.cluster.client import eventually
from tests.cluster.plane import Plane
from trainc.controller.controller import Controller, Options


@contextmanager
def running(
    plane: Plane,
    namespace: str,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    user: str = "admin",
) -> Iterator[Controller]:
    """A controller in this process that serves one namespace."""
    client = kubernetes.config.new_client_from_config(str(plane.kubeconfig(user)))
    controller = Controller(Options(namespaces=(namespace,), health_port=-1), client, now)
    controller.start()
    try:
        eventually(lambda: not controller.missing())
        yield controller
    finally:
        controller.stop()
