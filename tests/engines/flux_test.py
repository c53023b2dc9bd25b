"""The rendered output in the real Flux, by the documented manifests: from Git and a registry."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tests.cluster.client import Client, eventually
from tests.cluster.jobs import end_pods
from tests.cluster.plane import Plane
from tests.engines import kueue
from tests.engines.applying import images, live_pods
from tests.engines.flux import Flux, Sync
from tests.engines.git import Host
from tests.engines.history import watched
from tests.engines.project import Project, a_job, with_pod_settings
from tests.engines.synced import QUEUED, QUIET, SyncedByFlux, assert_ready

Follow = Callable[..., SyncedByFlux]


def test_replace_recreates_the_changed_job_only(
    cluster: Plane, admin: Client, namespace: str, follow: Follow
) -> None:
    project = follow(on_change="replace")
    with watched(cluster, "JobSet", namespace) as jobsets:
        assert_ready(project.push(a_job(namespace, "a"), a_job(namespace, "b")))
        eventually(lambda: set(live_pods(admin, namespace)) == {"a", "b"})
        assert_ready(project.push(a_job(namespace, "a", image="example.com/train:2")))
        eventually(lambda: _images_of(admin, namespace, "a") == {"example.com/train:2"})
        assert_ready(project.push(a_job(namespace, "c"), message="unrelated"))
        time.sleep(QUIET)
        assert set(live_pods(admin, namespace)) == {"a", "b", "c"}
    assert len(jobsets.uids("a")) == 2
    assert len(jobsets.uids("b")) == 1
    assert jobsets.deletions() == ["a"]


def _images_of(admin: Client, namespace: str, name: str) -> set[str]:
    return images(live_pods(admin, namespace).get(name, []))


def test_an_artifact_pushed_as_documented(
    flux: Flux, git_host: Host, tmp_path: Path, admin: Client, namespace: str
) -> None:
    """The example manifests as they stand, but for the registry's address."""
    repository = git_host.repository(namespace, tmp_path / "repository")
    settings = {"profile": "flux", "on_change": "rename"}
    project = Project(repository.folder, namespace, **settings)
    sync: Sync | None = None
    for image in ("example.com/train:1", "example.com/train:2"):
        project.write(a_job(namespace, image=image))
        project.build()
        revision = repository.commit()
        flux.push(namespace, project.folder / "out", repository.url, revision)
        sync = sync or flux.sync_artifact(namespace)
        sync.reconcile()
        assert_ready(sync.applied(f"main@sha1:{revision}"[:4]))
        eventually(lambda image=image: _all_images(admin, namespace) == {image})
    assert sync is not None
    origin = admin.get("OCIRepository", "flux-system", namespace)["status"]["artifact"]["metadata"]
    assert origin["org.opencontainers.image.revision"] == f"main@sha1:{revision}"
    sync.delete()
    eventually(lambda: not live_pods(admin, namespace))


def _all_images(admin: Client, namespace: str) -> set[str]:
    return {image for pods in live_pods(admin, namespace).values() for image in images(pods)}


def test_replace_beside_a_flavors_tolerations_is_no_build(namespace: str, follow: Follow) -> None:
    """Flux would delete the running job at every interval."""
    project = follow(on_change="replace")
    toleration = {"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}
    project.write(with_pod_settings(a_job(namespace, labels=QUEUED), toleration))
    out = project.trainc("build")
    assert out.returncode == 1
    assert "TRC421" in out.stderr


def test_a_job_that_waits_in_a_queue_and_one_that_runs_are_ready(
    admin: Client, namespace: str, follow: Follow
) -> None:
    kueue.add_queue(admin, namespace, quota="1")
    project = follow()
    project.push(a_job(namespace, "runs"), a_job(namespace, "waits", cpu="2", labels=QUEUED))
    project.assert_synced()
    assert set(live_pods(admin, namespace)) == {project.jobset("runs")}
    end_pods(admin, namespace, "complete")
    eventually(lambda: not live_pods(admin, namespace))
    project.again()


def test_a_failed_job_is_not_ready(admin: Client, namespace: str, follow: Follow) -> None:
    project = follow()
    project.add_runtime()
    project.push(a_job(namespace, runtime="once"))
    eventually(lambda: live_pods(admin, namespace))
    end_pods(admin, namespace, "fail")
    eventually(lambda: "failed" in project.refusal().lower(), 60)
    assert project.jobset() in project.refusal()
