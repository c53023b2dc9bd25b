"""Fixtures of the tests against a real control plane, which is started once a session."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests import corpora
from tests.cluster import volcano
from tests.cluster.binaries import UnavailableError, find
from tests.cluster.client import Client, eventually
from tests.cluster.plane import Plane

ROOT = corpora.ROOT
CRDS = corpora.crds()
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    """The control plane, with the reference's kinds and Volcano's PodGroup."""
    try:
        binaries, podgroup = find(build=False), volcano.find(build=False)
    except UnavailableError as why:
        pytest.skip(f"no control plane: {why}")
    crds = [*sorted(CRDS.glob("*.yaml")), podgroup]
    started = Plane(binaries, tmp_path_factory.mktemp("plane"), crds)
    try:
        started.start()
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="session")
def admin(plane: Plane) -> Client:
    """A client that may do everything."""
    return plane.client()


@pytest.fixture
def namespace(admin: Client) -> str:
    """A namespace of the test's own; its default service account is there."""
    name = f"t{next(_numbers)}"
    admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    # kube-controller-manager backs off while the API server is away.
    eventually(lambda: admin.find("ServiceAccount", name, "default"), 90)
    return name


def pytest_configure(config: pytest.Config) -> None:
    """Names the marker."""
    config.addinivalue_line("markers", "restarts: kills the API server; run after all others")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Other programs take their time to come back to a restarted API server: those tests last."""
    items.sort(key=lambda item: item.get_closest_marker("restarts") is not None)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Adds the ends of the programs' logs to a failed test's report."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    arguments = getattr(item, "funcargs", {})
    running = arguments.get("plane") or arguments.get("cluster")
    if report.failed and isinstance(running, Plane):
        report.sections.append(("control plane", running.logs()))
