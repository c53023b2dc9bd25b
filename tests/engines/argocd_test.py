"""The rendered output in the real Argo CD, by the documented Application; and the plugin."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.client import Client, eventually
from tests.cluster.jobs import Json, end_pods
from tests.cluster.plane import Plane
from tests.engines.applying import images, live_pods, state
from tests.engines.argocd import Application, ArgoCD
from tests.engines.git import Host, Repository
from tests.engines.history import watched
from tests.engines.project import Project, a_job, jobset_of


class Synced(Project):
    """A project in a Git repository that Argo CD follows."""

    def __init__(
        self, argocd: ArgoCD, repository: Repository, namespace: str, **settings: str
    ) -> None:
        """Nothing is committed so far."""
        settings = {"profile": "argocd", "on_change": "rename", **settings}
        super().__init__(repository.folder, namespace, **settings)
        self._argocd = argocd
        self._repository = repository
        self.objects: list[Json] = []
        self.application: Application | None = None

    def push(self, *jobs: Json, message: str = "change") -> Json:
        """Writes the jobs, builds, commits; the Application's status after it was synced."""
        self.write(*jobs)
        self.objects = self.build()
        revision = self._repository.commit(message)
        if self.application is None:
            url = self._repository.url
            self.application = self._argocd.sync(self.namespace, url, self.namespace)
        return self.application.synced(revision)

    @property
    def app(self) -> Application:
        """What follows the repository."""
        assert self.application is not None
        return self.application

    def jobset(self, job: str = "m") -> str:
        """The name of the JobSet that was compiled from a TrainJob."""
        return jobset_of(self.objects, job)


Follow = Callable[..., Synced]


@pytest.fixture
def follow(argocd: ArgoCD, git_host: Host, tmp_path: Path, namespace: str) -> Iterator[Follow]:
    """Makes a repository that Argo CD follows; what it applied is pruned after the test."""
    made: list[Synced] = []

    def project(**settings: str) -> Synced:
        repository = git_host.repository(namespace, tmp_path / "repository")
        made.append(Synced(argocd, repository, namespace, **settings))
        return made[-1]

    yield project
    for each in made:
        if each.application is not None:
            each.application.delete()


def assert_synced(status: Json) -> None:
    """Fails with what Argo CD says where the sync did not succeed."""
    operation = status["operationState"]
    assert operation["phase"] == "Succeeded", operation.get("message")
    assert status["sync"]["status"] == "Synced"


def test_the_first_sync_and_the_second_changes_nothing(
    cluster: Plane, admin: Client, namespace: str, follow: Follow
) -> None:
    project = follow()
    with watched(cluster, "JobSet", namespace) as jobsets:
        assert_synced(project.push(a_job(namespace, "a", nodes=2), a_job(namespace, "b")))
        eventually(lambda: len(live_pods(admin, namespace)) == 2)
        time.sleep(2)
        before = state(admin, project.objects)
        project.app.refresh("hard")
        assert_synced(project.push(message="nothing"))
        assert state(admin, project.objects) == before
    assert jobsets.deletions() == []


def test_rename_touches_the_changed_job_only(
    cluster: Plane, admin: Client, namespace: str, follow: Follow
) -> None:
    project = follow()
    with watched(cluster, "JobSet", namespace) as jobsets:
        assert_synced(project.push(a_job(namespace, "a"), a_job(namespace, "b")))
        old, kept = project.jobset("a"), project.jobset("b")
        eventually(lambda: set(live_pods(admin, namespace)) == {old, kept})
        assert_synced(project.push(a_job(namespace, "a", image="example.com/train:2")))
        new = project.jobset("a")
        eventually(lambda: set(live_pods(admin, namespace)) == {new, kept})
        assert images(live_pods(admin, namespace)[new]) == {"example.com/train:2"}
        assert_synced(project.push(a_job(namespace, "c"), message="unrelated"))
        eventually(lambda: len(live_pods(admin, namespace)) == 3)
    assert jobsets.deletions() == [old]
    assert len(jobsets.uids(kept)) == len(jobsets.uids(new)) == 1


def test_drift_is_healed_and_prune_removes(admin: Client, namespace: str, follow: Follow) -> None:
    project = follow()
    assert_synced(project.push(a_job(namespace, "a"), a_job(namespace, "b")))
    name, other = project.jobset("a"), project.jobset("b")
    eventually(lambda: len(live_pods(admin, namespace)) == 2)
    admin.merge("JobSet", namespace, name, {"metadata": {"labels": {_MANAGED: "someone"}}})
    eventually(lambda: _label(admin, namespace, name) == "trainc", 60)
    project.remove("a")
    assert_synced(project.push())
    eventually(lambda: set(live_pods(admin, namespace)) == {other})
    assert admin.find("JobSet", namespace, name) is None


_MANAGED = "app.kubernetes.io/managed-by"


def _label(admin: Client, namespace: str, name: str) -> str:
    return str(admin.get("JobSet", namespace, name)["metadata"]["labels"][_MANAGED])


def test_health_is_as_documented(admin: Client, namespace: str, follow: Follow) -> None:
    """The running job is Progressing, the finished one Healthy, the failed one Degraded."""
    project = follow()
    project.add_runtime()
    names = ("ends", "fails", "runs")
    project.push(*(a_job(namespace, name, runtime="once") for name in names))
    of = {name: project.jobset(name) for name in names}
    eventually(lambda: set(live_pods(admin, namespace)) == set(of.values()))
    for name, how in (("ends", "complete"), ("fails", "fail")):
        for pod in live_pods(admin, namespace)[of[name]]:
            annotation = {"metadata": {"annotations": {"kwok.test/end": how}}}
            admin.merge("Pod", namespace, pod["metadata"]["name"], annotation)
    for name, health in (("ends", "Healthy"), ("fails", "Degraded"), ("runs", "Progressing")):
        eventually(lambda n=of[name], h=health: project.app.health_of("JobSet", n) == h, 60)
    assert project.app.health() == "Degraded"
    end_pods(admin, namespace, "complete")
    eventually(lambda: project.app.health_of("JobSet", of["runs"]) == "Healthy", 60)


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
