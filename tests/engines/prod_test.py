"""What this repository runs for real (`--env prod`), as Kueue, Flux and Argo CD take it."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

from tests.cluster.client import ApiError, Client, eventually, kind_of, path_of
from tests.cluster.jobs import Json
from tests.cluster.plane import Plane
from tests.cluster.process import Process
from tests.corpus import ROOT
from tests.engines import kueue
from tests.engines.applying import apply, state, unchanged
from tests.engines.git import Host
from tests.engines.history import watched
from tests.engines.project import Project
from tests.engines.synced import Synced, SyncedByArgoCD, SyncedByFlux

_PARTS = ("examples", "templates", "overlays", "runtimes")
_QUEUED = {
    "target": {"kind": "TrainJob"},
    "patch": {"metadata": {"labels": {kueue.QUEUE: "team"}}},
}


def _root_project(project: Project) -> None:
    """Makes the project this repository's own, with the profile and on_change that it has."""
    settings = (project.folder / "trainc.yaml").read_text()
    text = (ROOT / "trainc.yaml").read_text()
    (project.folder / "trainc.yaml").write_text(f"{text}\n{settings}")
    for part in _PARTS:
        shutil.copytree(ROOT / part, project.folder / part)
    project.arguments = ("--env", "prod")


def _add_namespaces(admin: Client, objects: list[Json]) -> list[str]:
    """The namespaces of the objects; they are there after it."""
    names = sorted({each["metadata"]["namespace"] for each in objects})
    for name in names:
        if admin.find("Namespace", "", name) is None:
            admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        eventually(lambda name=name: admin.find("ServiceAccount", name, "default"))
    _add_named(admin, objects)
    return names


def _add_named(admin: Client, objects: list[Json]) -> None:
    """What the pods name and a platform team has made: service accounts and priority classes."""
    made = {(m["namespace"], m["name"]) for m in (each["metadata"] for each in objects)}
    for each in objects:
        namespace = each["metadata"]["namespace"]
        for account in _values(each, "serviceAccountName"):
            if (namespace, account) not in made:
                metadata = {"name": account, "namespace": namespace}
                admin.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
        for priority in _values(each.get("spec"), "priorityClassName"):
            priority_class = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass"}
            admin.apply({**priority_class, "metadata": {"name": priority}, "value": 1000})


def _values(node: object, key: str) -> Iterator[str]:
    """The values of that key, at any depth."""
    if isinstance(node, dict):
        if isinstance(node.get(key), str):
            yield node[key]
        for item in node.values():
            yield from _values(item, key)
    elif isinstance(node, list):
        for item in node:
            yield from _values(item, key)


@pytest.fixture(scope="session")
def taken(admin: Client) -> Iterator[None]:
    """Every pod is taken by the node: here are no GPUs' schedulers, spot nodes and volumes."""
    end = threading.Event()
    thread = threading.Thread(target=_bind_pods, args=(admin, end), daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def _bind_pods(admin: Client, end: threading.Event) -> None:
    target = {"apiVersion": "v1", "kind": "Node", "name": "kwok-0"}
    while not end.wait(0.5):
        for pod in admin.list("Pod", fieldSelector="spec.nodeName="):
            if pod["spec"].get("schedulingGates"):
                continue
            metadata = pod["metadata"]
            binding = {
                "apiVersion": "v1",
                "kind": "Binding",
                "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
                "target": target,
            }
            path = path_of("Pod", metadata["namespace"], metadata["name"], "binding")
            with suppress(ApiError):  # gone, or bound by the scheduler
                admin.call("POST", path, binding)


@pytest.fixture(params=["flux", "argocd"])
def prod(
    request: pytest.FixtureRequest,
    git_host: Host,
    tmp_path: Path,
    namespace: str,
    admin: Client,
    leaders: Process,
    taken: None,
) -> Iterator[Synced]:
    """This repository's project, which the engine follows."""
    engine = request.getfixturevalue(request.param)
    kind = {"flux": SyncedByFlux, "argocd": SyncedByArgoCD}[request.param]
    project: Synced = kind(engine, git_host.repository(namespace, tmp_path / "r"), namespace)
    _root_project(project)
    yield project
    project.delete()
    _clear(admin, project.objects)


def test_the_first_sync_and_the_second_changes_nothing(
    cluster: Plane, admin: Client, prod: Synced
) -> None:
    namespaces = _add_namespaces(admin, prod.build())
    prod.push()
    prod.assert_synced()
    eventually(lambda: _rests(admin, prod.objects), 120, 1)
    before = state(admin, prod.objects)
    prod.again()
    time.sleep(2)
    assert state(admin, prod.objects) == before
    with watched(cluster, "JobSet", namespaces[0]) as jobsets:
        prod.push(message="unrelated")
        prod.assert_synced()
    assert jobsets.deletions() == []
    assert state(admin, prod.objects) == before


def test_a_second_apply_changes_nothing_in_a_queue(
    admin: Client, tmp_path: Path, leaders: Process
) -> None:
    project = Project(tmp_path, "prod", on_change="rename")
    _root_project(project)
    (tmp_path / "overlays/prod/queued.yaml").write_text(yaml.safe_dump(_QUEUED))
    objects = project.build()
    for name in _add_namespaces(admin, objects):
        kueue.add_queue(admin, name)
    apply(admin, objects)
    try:
        assert unchanged(admin, objects)
        queued = [each for each in objects if each["kind"] == "JobSet"]
        assert all(each["metadata"]["labels"][kueue.QUEUE] == "team" for each in queued)
    finally:
        for each in objects:
            with suppress(ApiError):
                metadata = each["metadata"]
                admin.delete(kind_of(each), metadata["namespace"], metadata["name"])
        _clear(admin, objects)


def _clear(admin: Client, objects: list[Json]) -> None:
    """Waits until they are gone, and removes the claims that they retain.

    While one is there, JobSet v0.12 refuses a JobSet of the same name: it compares the claim, with
    all that the API server and the binder have set, with the template.
    """
    eventually(lambda: _are_gone(admin, objects), 120, 1)
    for namespace in {each["metadata"]["namespace"] for each in objects}:
        for claim in admin.list("PersistentVolumeClaim", namespace):
            with suppress(ApiError):  # it went with its JobSet
                admin.delete("PersistentVolumeClaim", namespace, claim["metadata"]["name"])
        eventually(lambda name=namespace: not admin.list("PersistentVolumeClaim", name), 60)


def _are_gone(admin: Client, objects: list[Json]) -> bool:
    names = ((kind_of(each), each["metadata"]) for each in objects)
    return not any(admin.find(kind, m["namespace"], m["name"]) for kind, m in names)


def _rests(admin: Client, objects: list[Json]) -> bool:
    """Whether nobody has written for a moment."""
    before = state(admin, objects)
    time.sleep(2)
    return state(admin, objects) == before
