"""Fixtures: the control plane with JobSet and kwok, and the engines beside it, once a session."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster import lws, volcano
from tests.cluster.binaries import UnavailableError
from tests.cluster.binaries import find as find_plane
from tests.cluster.client import Client, eventually
from tests.cluster.conftest import CRDS, pytest_runtest_makereport
from tests.cluster.plane import Plane
from tests.cluster.process import Process
from tests.engines import argocd as argocd_engine
from tests.engines import binaries, controller, git, kueue
from tests.engines import flux as flux_engine
from tests.engines.argocd import ArgoCD
from tests.engines.binaries import Engines
from tests.engines.flux import Flux
from tests.engines.synced import SyncedByFlux

__all__ = ["pytest_runtest_makereport"]
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def engines() -> Engines:
    """The programs, which ``make test-engines`` has built."""
    try:
        return binaries.find(build=False)
    except UnavailableError as why:
        pytest.skip(str(why))


@pytest.fixture(scope="session")
def cluster(engines: Engines, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    """The control plane with Kueue, and the controller that trainc installs."""
    try:
        programs, podgroup = find_plane(build=False), volcano.find(build=False)
    except UnavailableError as why:
        pytest.skip(str(why))
    crds = [*sorted(CRDS.glob("*.yaml")), podgroup]
    started = Plane(programs, tmp_path_factory.mktemp("plane"), crds)
    try:
        started.start()
        with (
            kueue.running(started, engines),
            controller.running(started, tmp_path_factory.mktemp("tls")),
        ):
            yield started
    finally:
        started.stop()


@pytest.fixture(scope="session")
def leaders(cluster: Plane) -> Iterator[Process]:
    """LeaderWorkerSet's manager."""
    try:
        folder = lws.find(build=False)
    except UnavailableError as why:
        pytest.skip(str(why))
    with lws.running(cluster, folder) as process:
        yield process


@pytest.fixture(scope="session")
def admin(cluster: Plane) -> Client:
    """A client that may do everything."""
    return cluster.client()


@pytest.fixture
def namespace(admin: Client) -> str:
    """A namespace of the test's own; its default service account is there."""
    name = f"team-{next(_numbers)}"
    admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    eventually(lambda: admin.find("ServiceAccount", name, "default"))
    return name


@pytest.fixture(scope="session")
def git_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[git.Host]:
    """Where Git repositories are served over HTTP."""
    with git.host(tmp_path_factory.mktemp("git")) as started:
        yield started


@pytest.fixture(scope="session")
def flux(
    cluster: Plane, engines: Engines, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Flux]:
    """Flux's controllers and a registry."""
    with flux_engine.running(cluster, engines, tmp_path_factory.mktemp("flux")) as started:
        yield started


@pytest.fixture(scope="session")
def argocd(
    cluster: Plane, engines: Engines, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ArgoCD]:
    """Argo CD's controllers and its plugin server."""
    try:
        with argocd_engine.running(cluster, engines, tmp_path_factory.mktemp("argo")) as started:
            yield started
    except UnavailableError as why:
        pytest.skip(str(why))


@pytest.fixture
def follow(
    flux: Flux, git_host: git.Host, tmp_path: Path, namespace: str
) -> Iterator[Callable[..., SyncedByFlux]]:
    """Makes a repository that Flux follows; what it applied is pruned after the test."""
    made: list[SyncedByFlux] = []

    def project(**settings: str) -> SyncedByFlux:
        repository = git_host.repository(namespace, tmp_path / "repository")
        made.append(SyncedByFlux(flux, repository, namespace, **settings))
        return made[-1]

    yield project
    for each in made:
        each.delete()
