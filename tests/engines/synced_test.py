"""What Flux and Argo CD must both do with a build, each by its documented manifests.

One test is one row of the table in docs/engines.md; its ids name the engine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.cluster.client import ApiError, Client, eventually
from tests.cluster.jobs import Json, end_pods
from tests.cluster.plane import Plane
from tests.cluster.process import Process
from tests.engines import kueue
from tests.engines.applying import images, live_pods, state
from tests.engines.git import Host
from tests.engines.history import History, watched
from tests.engines.project import a_job, with_pod_settings
from tests.engines.synced import QUEUED, QUIET, Synced, SyncedByArgoCD, SyncedByFlux
from trainc.info.cache import compiled_test as cache

Follow = Callable[..., Synced]
NEW = "example.com/train:2"
MAX_WRITES = 3  # generations of a JobSet that is held
_MANAGED = "app.kubernetes.io/managed-by"


@pytest.fixture(params=["flux", "argocd"])
def follow(
    request: pytest.FixtureRequest, git_host: Host, tmp_path: Path, namespace: str
) -> Iterator[Follow]:
    """Makes a repository that the engine follows; what it applied is pruned after the test."""
    engine = request.getfixturevalue(request.param)
    kind = {"flux": SyncedByFlux, "argocd": SyncedByArgoCD}[request.param]
    projects: list[Synced] = []

    def project(**settings: str) -> Synced:
        repository = git_host.repository(namespace, tmp_path / "repository")
        projects.append(kind(engine, repository, namespace, **settings))
        return projects[-1]

    yield project
    for each in projects:
        each.delete()


def test_the_first_sync_and_the_second_changes_nothing(
    cluster: Plane, admin: Client, namespace: str, follow: Follow
) -> None:
    kueue.add_queue(admin, namespace)
    project = follow()
    with watched(cluster, "JobSet", namespace) as jobsets:
        project.push(a_job(namespace, "a", nodes=2), a_job(namespace, "q", labels=QUEUED))
        project.assert_synced()
        eventually(lambda: len(live_pods(admin, namespace)) == 2)
        time.sleep(2)
        before = state(admin, project.objects)
        project.again()
        assert state(admin, project.objects) == before
    assert jobsets.deletions() == []


def test_rename_touches_the_changed_job_only(
    cluster: Plane, admin: Client, namespace: str, follow: Follow
) -> None:
    project = follow()
    with watched(cluster, "JobSet", namespace) as jobsets:
        project.push(a_job(namespace, "a"), a_job(namespace, "b"))
        project.assert_synced()
        old, other = project.jobset("a"), project.jobset("b")
        eventually(lambda: set(live_pods(admin, namespace)) == {old, other})
        project.push(a_job(namespace, "a", image=NEW))
        project.assert_synced()
        new = project.jobset("a")
        eventually(lambda: set(live_pods(admin, namespace)) == {new, other})
        assert images(live_pods(admin, namespace)[new]) == {NEW}
        project.push(a_job(namespace, "c"), message="unrelated")
        project.assert_synced()
        eventually(lambda: len(live_pods(admin, namespace)) == 3)
    assert jobsets.deletions() == [old]
    assert len(jobsets.uids(other)) == len(jobsets.uids(new)) == 1


def test_keep_is_refused_and_the_old_job_runs_on(
    cluster: Plane, admin: Client, namespace: str, follow: Follow
) -> None:
    project = follow(on_change="keep")
    project.push(a_job(namespace))
    eventually(lambda: live_pods(admin, namespace))
    with watched(cluster, "JobSet", namespace) as jobsets:
        project.commit(a_job(namespace, image=NEW))
        _refresh(project)
        eventually(lambda: "immutable" in project.refusal(), 60)
        assert images(live_pods(admin, namespace)["m"]) == {"example.com/train:1"}
    assert jobsets.deletions() == []
    assert len(jobsets.uids("m")) == 1


def _refresh(project: Synced) -> None:
    """Lets the engine see the newest commit, whatever it makes of it."""
    if isinstance(project, SyncedByArgoCD):
        project.app.refresh()
    elif isinstance(project, SyncedByFlux):
        project.sync.reconcile()


def test_drift_is_repaired_and_prune_removes(admin: Client, namespace: str, follow: Follow) -> None:
    project = follow()
    project.push(a_job(namespace, "a"), a_job(namespace, "b"))
    project.assert_synced()
    name, other = project.jobset("a"), project.jobset("b")
    eventually(lambda: len(live_pods(admin, namespace)) == 2)
    admin.merge("JobSet", namespace, name, {"metadata": {"labels": {_MANAGED: "someone"}}})
    eventually(lambda: _label(admin, namespace, name) == "trainc", 60)
    project.remove("a")
    project.push()
    project.assert_synced()
    eventually(lambda: set(live_pods(admin, namespace)) == {other})
    assert admin.find("JobSet", namespace, name) is None


def _label(admin: Client, namespace: str, name: str) -> str:
    return str(admin.get("JobSet", namespace, name)["metadata"]["labels"][_MANAGED])


def test_variables_of_a_command_reach_the_container(
    admin: Client, namespace: str, follow: Follow
) -> None:
    """With substitution in use Flux would blank each of them."""
    project = follow()
    job = a_job(namespace)
    job["spec"]["trainer"]["command"] = ["bash", "-c", "run --out ${OUT} --user ${USER:-x}"]
    project.push(a_job(namespace, "b"))
    if isinstance(project, SyncedByFlux):
        project.sync.patch(postBuild={"substitute": {"OUT": "gone", "other": "x"}})
    project.push(job)
    project.assert_synced()
    eventually(lambda: len(live_pods(admin, namespace)) == 2)
    (pod,) = live_pods(admin, namespace)[project.jobset()]
    assert "run --out ${OUT} --user ${USER:-x}" in str(pod["spec"]["containers"])


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
    with watched(cluster, "JobSet", namespace) as jobsets:
        project.push(with_pod_settings(a_job(namespace, labels=QUEUED), toleration))
        project.assert_synced()
        name = project.jobset()
        eventually(lambda: live_pods(admin, namespace))
        (pod,) = live_pods(admin, namespace)[name]
        assert {"gpu", "spot"} <= {each.get("key") for each in pod["spec"]["tolerations"]}
        assert pod["metadata"]["labels"]["team"] == "vision"
        time.sleep(QUIET)
        project.again()
        project.push(a_job(namespace, "other"), message="unrelated")
        project.assert_synced()
    assert jobsets.deletions() == []
    assert len(jobsets.uids(name)) == 1


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
    project.push(a_job(namespace))
    name = project.jobset()
    eventually(lambda: live_pods(admin, namespace))
    with watched(cluster, "JobSet", namespace) as jobsets:
        project.push(a_job(namespace, suspend=True))
        eventually(lambda: not live_pods(admin, namespace))
        project.push(a_job(namespace, suspend=False))
        eventually(lambda: live_pods(admin, namespace))
        assert project.jobset() == name
    assert len(jobsets.uids(name)) == 1


def test_numbers_as_quantities_with_emit_both_are_applied_again(
    cluster: Plane, admin: Client, namespace: str, follow: Follow
) -> None:
    """Kueue's webhook writes them as strings, and the spec of a TrainJob is immutable."""
    project = follow(emit="both")
    job = a_job(namespace, cpu=1, runtime=_runtime_in_cluster(admin, project))
    with watched(cluster, "TrainJob", namespace) as trainjobs:
        project.push(job)
        project.assert_synced()
        eventually(lambda: live_pods(admin, namespace))
        project.again()
        project.push(a_job(namespace, "other", runtime=job["spec"]["runtimeRef"]["name"]))
        project.assert_synced()
    assert trainjobs.deletions() == []
    assert trainjobs.writes(project.jobset()) == 1


def test_a_job_whose_deadline_is_over_is_held(
    cluster: Plane, admin: Client, namespace: str, follow: Follow
) -> None:
    project = follow(emit="both")
    runtime = _runtime_in_cluster(admin, project)
    with watched(cluster, "JobSet", namespace) as jobsets:
        project.push(a_job(namespace, runtime=runtime, activeDeadlineSeconds=8))
        name = project.jobset()
        eventually(lambda: _is(admin, namespace, name, "Failed"), 60)
        _assert_held(admin, namespace, name, jobsets)
    assert _is(admin, namespace, name, "Failed")


def test_a_finished_job_that_is_put_back_is_held(
    cluster: Plane, admin: Client, namespace: str, follow: Follow
) -> None:
    project = follow(emit="both")
    project.push(a_job(namespace, runtime=_runtime_in_cluster(admin, project)))
    name = project.jobset()
    eventually(lambda: live_pods(admin, namespace))
    end_pods(admin, namespace, "complete")
    eventually(lambda: _is(admin, namespace, name, "Complete"))
    with watched(cluster, "JobSet", namespace) as jobsets:
        admin.delete("JobSet", namespace, name)
        _assert_held(admin, namespace, name, jobsets)
    assert _is(admin, namespace, name, "Complete")


def test_a_data_cache_comes_and_goes_with_its_job(
    leaders: Process, admin: Client, namespace: str, follow: Follow
) -> None:
    """Its LeaderWorkerSet of a head and two workers; LeaderWorkerSet's manager runs."""
    assert leaders.returncode is None
    project = follow()
    (project.folder / "runtimes").mkdir()
    (project.folder / "runtimes/cached.yaml").write_text(cache.RUNTIME)
    job = yaml.safe_load(cache.job(env={**cache.METADATA, "CLUSTER_SIZE": "3"}))
    job["metadata"]["namespace"] = namespace
    project.push(job)
    project.assert_synced()
    (group,) = admin.list("LeaderWorkerSet", namespace)
    uid = group["metadata"]["uid"]
    eventually(lambda: len(live_pods(admin, namespace).get("", [])) == 3)
    eventually(lambda: project.jobset() in live_pods(admin, namespace))
    project.again()
    assert [g["metadata"]["uid"] for g in admin.list("LeaderWorkerSet", namespace)] == [uid]
    project.remove("m")
    project.push(a_job(namespace, "b"))
    project.assert_synced()
    eventually(lambda: set(live_pods(admin, namespace)) == {project.jobset("b")}, 60)
    assert admin.list("LeaderWorkerSet", namespace) == []


def _assert_held(admin: Client, namespace: str, name: str, jobsets: History) -> None:
    """The engine makes the JobSet again once; it is suspended, stays so, and nothing runs."""
    eventually(lambda: len(jobsets.uids(name)) == 2, 60)
    new = jobsets.uids(name)[-1]
    eventually(lambda: admin.get("JobSet", namespace, name)["spec"].get("suspend") is True)
    eventually(lambda: not live_pods(admin, namespace))
    time.sleep(QUIET)
    assert live_pods(admin, namespace) == {}
    assert jobsets.uids(name)[-1] == new, "it was made again and again"
    generation = admin.get("JobSet", namespace, name)["metadata"]["generation"]
    assert generation <= MAX_WRITES


def _is(admin: Client, namespace: str, name: str, condition: str) -> bool:
    conditions = admin.get("TrainJob", namespace, name).get("status", {}).get("conditions", [])
    return any(each["type"] == condition and each["status"] == "True" for each in conditions)


def _runtime_in_cluster(admin: Client, project: Synced) -> str:
    """A runtime of the project that Kueue's webhook sees in the cluster; its name (TRC425)."""
    name = f"once-{project.namespace}"
    project.add_runtime(name)
    file = project.folder / "runtimes" / f"{name}.yaml"
    admin.apply(yaml.safe_load(file.read_text()))
    eventually(lambda: _is_accepted(admin, a_job(project.namespace, runtime=name)))
    return name


def _is_accepted(admin: Client, trainjob: Json) -> bool:
    try:
        admin.apply(trainjob, dryRun="All")
    except ApiError as error:
        assert "not found" in str(error)
        return False
    return True
