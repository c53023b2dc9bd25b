"""The rendered output in the real Flux, by the documented manifests: from Git and a registry."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tests.cluster.client import Client, eventually
from tests.cluster.jobs import Json
from tests.cluster.plane import Plane
from tests.engines import kueue
from tests.engines.applying import images, live_pods, state
from tests.engines.flux import Flux, Sync, ready
from tests.engines.git import Host
from tests.engines.history import watched
from tests.engines.project import Project, a_job
from tests.engines.synced import QUEUED, QUIET, Synced, assert_ready

Follow = Callable[..., Synced]


def test_the_first_sync_and_the_second_changes_nothing(
    cluster: Plane, admin: Client, namespace: str, follow: Follow
) -> None:
    kueue.add_queue(admin, namespace)
    project = follow()
    with watched(cluster, "JobSet", namespace) as jobsets:
        jobs = [a_job(namespace, "a", nodes=2), a_job(namespace, "q", labels=QUEUED)]
        assert_ready(project.push(*jobs))
        eventually(lambda: len(live_pods(admin, namespace)) == 2)
        time.sleep(2)
        before = state(admin, project.objects)
        for _ in range(2):
            assert_ready(project.sync.reconcile())
        assert state(admin, project.objects) == before
    assert jobsets.deletions() == []


def test_rename_touches_the_changed_job_only(
    cluster: Plane, admin: Client, namespace: str, follow: Follow
) -> None:
    project = follow()
    with watched(cluster, "JobSet", namespace) as jobsets:
        assert_ready(project.push(a_job(namespace, "a"), a_job(namespace, "b")))
        old, kept = project.jobset("a"), project.jobset("b")
        eventually(lambda: set(live_pods(admin, namespace)) == {old, kept})
        assert_ready(project.push(a_job(namespace, "a", image="example.com/train:2")))
        new = project.jobset("a")
        eventually(lambda: set(live_pods(admin, namespace)) == {new, kept})
        assert images(live_pods(admin, namespace)[new]) == {"example.com/train:2"}
        assert_ready(project.push(a_job(namespace, "c"), message="unrelated"))
        eventually(lambda: len(live_pods(admin, namespace)) == 3)
    assert jobsets.deletions() == [old]
    assert len(jobsets.uids(kept)) == len(jobsets.uids(new)) == 1


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


def test_keep_is_refused_as_documented(admin: Client, namespace: str, follow: Follow) -> None:
    project = follow(on_change="keep")
    assert_ready(project.push(a_job(namespace)))
    eventually(lambda: live_pods(admin, namespace))
    status, why = ready(project.push(a_job(namespace, image="example.com/train:2")))
    assert status == "False"
    assert "immutable" in why
    assert images(live_pods(admin, namespace)["m"]) == {"example.com/train:1"}


def test_drift_is_repaired_and_prune_removes(admin: Client, namespace: str, follow: Follow) -> None:
    project = follow()
    assert_ready(project.push(a_job(namespace, "a"), a_job(namespace, "b")))
    name, other = project.jobset("a"), project.jobset("b")
    eventually(lambda: len(live_pods(admin, namespace)) == 2)
    admin.merge("JobSet", namespace, name, {"metadata": {"labels": {_MANAGED: "someone"}}})
    assert_ready(project.sync.reconcile())
    assert admin.get("JobSet", namespace, name)["metadata"]["labels"][_MANAGED] == "trainc"
    project.remove("a")
    assert_ready(project.push())
    eventually(lambda: set(live_pods(admin, namespace)) == {other})
    assert admin.find("JobSet", namespace, name) is None


_MANAGED = "app.kubernetes.io/managed-by"


def test_variables_of_a_command_reach_the_container(
    admin: Client, namespace: str, follow: Follow
) -> None:
    """With substitution in use Flux would blank each of them."""
    project = follow()
    job = a_job(namespace)
    job["spec"]["trainer"]["command"] = ["bash", "-c", "run --out ${OUT} --user ${USER:-x}"]
    project.write(job)
    project.push()
    project.sync.patch(postBuild={"substitute": {"OUT": "gone", "other": "x"}})
    assert_ready(project.push(a_job(namespace, "b")))
    eventually(lambda: len(live_pods(admin, namespace)) == 2)
    (pod,) = live_pods(admin, namespace)[project.jobset()]
    assert "run --out ${OUT} --user ${USER:-x}" in str(pod["spec"]["containers"])


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


def test_own_tolerations_beside_a_flavors(
    cluster: Plane, admin: Client, namespace: str, follow: Follow
) -> None:
    """JobSet's webhook refuses a list without what Kueue added; nothing may be deleted."""
    toleration = {"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}
    flavor = f"{namespace}-gpu"
    kueue.add_flavor(
        admin, flavor, nodeLabels={"type": "kwok"}, tolerations=[toleration | {"key": "spot"}]
    )
    kueue.add_queue(admin, namespace, flavor=flavor)
    project = follow()
    job = with_pod_settings(a_job(namespace, labels=QUEUED), toleration)
    with watched(cluster, "JobSet", namespace) as jobsets:
        assert_ready(project.push(job))
        name = project.jobset()
        eventually(lambda: live_pods(admin, namespace))
        (pod,) = live_pods(admin, namespace)[name]
        assert {"gpu", "spot"} <= {each.get("key") for each in pod["spec"]["tolerations"]}
        assert pod["metadata"]["labels"]["team"] == "vision"
        time.sleep(QUIET)
        assert_ready(project.sync.reconcile())
        assert_ready(project.push(a_job(namespace, "other"), message="unrelated"))
    assert jobsets.deletions() == []
    assert len(jobsets.uids(name)) == 1


def test_replace_beside_a_flavors_tolerations_is_no_build(namespace: str, follow: Follow) -> None:
    """Flux would delete the running job at every interval."""
    project = follow(on_change="replace")
    toleration = {"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}
    project.write(with_pod_settings(a_job(namespace, labels=QUEUED), toleration))
    out = project.trainc("build")
    assert out.returncode == 1
    assert "TRC421" in out.stderr


def with_pod_settings(job: Json, toleration: Json) -> Json:
    """Gives the pods of ``node`` a toleration, a node selector and a label."""
    pod = {
        "metadata": {"labels": {"team": "vision"}},
        "spec": {"tolerations": [toleration], "nodeSelector": {"kubernetes.io/hostname": "kwok-0"}},
    }
    replicated = {"name": "node", "template": {"spec": {"template": pod}}}
    template = {"spec": {"replicatedJobs": [replicated]}}
    patch = {"manager": "example.com/team", "trainingRuntimeSpec": {"template": template}}
    job["spec"]["runtimePatches"] = [patch]
    return job


def test_suspend_holds_until_resume(
    cluster: Plane, admin: Client, namespace: str, follow: Follow
) -> None:
    project = follow()
    project.push(a_job(namespace))
    name = project.jobset()
    eventually(lambda: live_pods(admin, namespace))
    options = ("--namespace", namespace, "--kubeconfig", str(cluster.kubeconfig()))
    with watched(cluster, "JobSet", namespace) as jobsets:
        out = project.trainc("suspend", name, *options)
        assert out.returncode == 0, out.stderr
        eventually(lambda: not live_pods(admin, namespace))
        mark = jobsets.mark()
        time.sleep(QUIET)
        assert live_pods(admin, namespace) == {}
        assert jobsets.writes(name, mark) <= 1
        assert project.trainc("resume", name, *options).returncode == 0
        eventually(lambda: live_pods(admin, namespace))
        assert jobsets.writes(name) <= 4
    assert jobsets.deletions() == []


def test_a_suspend_in_git_reaches_the_cluster_and_its_end_too(
    cluster: Plane, admin: Client, namespace: str, follow: Follow
) -> None:
    project = follow()
    assert_ready(project.push(a_job(namespace)))
    name = project.jobset()
    eventually(lambda: live_pods(admin, namespace))
    with watched(cluster, "JobSet", namespace) as jobsets:
        project.push(a_job(namespace, suspend=True))
        eventually(lambda: not live_pods(admin, namespace))
        project.push(a_job(namespace, suspend=False))
        eventually(lambda: live_pods(admin, namespace))
        assert project.jobset() == name
    assert len(jobsets.uids(name)) == 1
