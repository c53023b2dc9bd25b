"""The rendered output in the real Argo CD, by the documented Application; and the plugin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.client import Client, eventually
from tests.cluster.jobs import end_pods
from tests.engines import kueue
from tests.engines.applying import live_pods
from tests.engines.argocd import ArgoCD
from tests.engines.git import Host
from tests.engines.project import Project, a_job
from tests.engines.synced import QUEUED, SyncedByArgoCD, assert_synced

Follow = Callable[..., SyncedByArgoCD]


@pytest.fixture
def follow(argocd: ArgoCD, git_host: Host, tmp_path: Path, namespace: str) -> Iterator[Follow]:
    """Makes a repository that Argo CD follows; what it applied is pruned after the test."""
    made: list[SyncedByArgoCD] = []

    def project(**settings: str) -> SyncedByArgoCD:
        repository = git_host.repository(namespace, tmp_path / "repository")
        made.append(SyncedByArgoCD(argocd, repository, namespace, **settings))
        return made[-1]

    yield project
    for each in made:
        each.delete()


def test_health_is_as_documented(admin: Client, namespace: str, follow: Follow) -> None:
    """By what a job does: it runs, it finished, it failed, it is suspended, it waits in a queue."""
    kueue.add_queue(admin, namespace, quota="1")
    project = follow()
    project.add_runtime()
    names = ("ends", "fails", "runs")
    project.push(
        *(a_job(namespace, name, runtime="once") for name in names),
        a_job(namespace, "stopped", suspend=True),
        a_job(namespace, "waits", cpu="2", labels=QUEUED),
    )
    of = {name: project.jobset(name) for name in (*names, "stopped", "waits")}
    eventually(lambda: set(live_pods(admin, namespace)) == {of[name] for name in names})
    for name, how in (("ends", "complete"), ("fails", "fail")):
        for pod in live_pods(admin, namespace)[of[name]]:
            annotation = {"metadata": {"annotations": {"kwok.test/end": how}}}
            admin.merge("Pod", namespace, pod["metadata"]["name"], annotation)
    for name, health in (
        ("ends", "Healthy"),
        ("fails", "Degraded"),
        ("runs", "Progressing"),
        ("stopped", "Suspended"),
        ("waits", "Healthy"),
    ):
        eventually(lambda n=of[name], h=health: project.app.health_of("JobSet", n) == h, 60)
    assert project.app.health() == "Degraded"
    end_pods(admin, namespace, "complete")
    eventually(lambda: project.app.health_of("JobSet", of["runs"]) == "Healthy", 60)


def test_replace_is_no_build(namespace: str, follow: Follow) -> None:
    """Argo CD would recreate every job that is marked for it, changed or not, in every sync."""
    project = follow(on_change="replace")
    project.write(a_job(namespace))
    out = project.trainc("build")
    assert out.returncode == 1
    assert "TRC424" in out.stderr
    assert "rename" in out.stderr


def test_the_plugin_from_end_to_end(
    argocd: ArgoCD, git_host: Host, tmp_path: Path, admin: Client, namespace: str
) -> None:
    """Sources in Git, no output: the plugin builds them, found by trainc.yaml."""
    repository = git_host.repository(namespace, tmp_path / "repository")
    project = Project(repository.folder, namespace, profile="argocd", on_change="rename")
    project.write(a_job(namespace))
    revision = repository.commit()
    manifest = argocd.example(namespace, repository.url, namespace)
    manifest["spec"]["source"] |= {"path": ".", "plugin": {"name": "trainc"}}
    del manifest["spec"]["source"]["directory"]
    application = argocd.apply(manifest)
    assert_synced(application.synced(revision))
    eventually(lambda: len(live_pods(admin, namespace)) == 1)
    application.delete()
    eventually(lambda: not live_pods(admin, namespace))
