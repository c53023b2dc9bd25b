"""A queued job that is put back after its end, in the real Kueue: held by its Workload."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml

from tests.cluster.client import ApiError, Client, eventually
from tests.cluster.jobs import Json, end_pods
from tests.cluster.plane import Plane
from tests.engines import kueue
from tests.engines.applying import apply, live_pods, unchanged
from tests.engines.history import History, watched
from tests.engines.kueue import queued
from tests.engines.project import Project, jobset_of

QUIET = 6  # seconds in which a fight writes dozens of times
MAX_WRITES = 3  # generations of a JobSet: as it was applied, admitted, and suspended again


@pytest.fixture
def project(admin: Client, tmp_path: Path, namespace: str) -> Project:
    """Builds TrainJobs beside their JobSets, for a queue with quota for one job.

    Kueue's webhook wants the runtime of a TrainJob in the cluster.
    """
    kueue.add_queue(admin, namespace, quota="1")
    made = Project(tmp_path, namespace, on_change="rename", emit="both")
    made.add_runtime(_runtime(namespace))
    text = (tmp_path / "runtimes" / f"{_runtime(namespace)}.yaml").read_text()
    admin.apply(yaml.safe_load(text))
    return made


def _runtime(namespace: str) -> str:
    return f"once-{namespace}"


def _built(project: Project, **spec: object) -> list[Json]:
    project.write(queued(project.namespace, runtime=_runtime(project.namespace), **spec))
    return project.build()


def _apply_first(admin: Client, objects: list[Json]) -> None:
    """Applies them once Kueue's webhook has seen the runtime."""
    (trainjob,) = [each for each in objects if each["kind"] == "TrainJob"]
    eventually(lambda: _is_accepted(admin, trainjob))
    apply(admin, objects)


def _is_accepted(admin: Client, trainjob: Json) -> bool:
    try:
        admin.apply(trainjob, dryRun="All")
    except ApiError as error:
        assert "not found" in str(error)
        return False
    return True


def _is(admin: Client, namespace: str, name: str, condition: str) -> bool:
    found = admin.get("TrainJob", namespace, name).get("status", {}).get("conditions", [])
    return any(each["type"] == condition and each["status"] == "True" for each in found)


def _is_held(admin: Client, namespace: str, name: str) -> bool:
    workload = kueue.workloads(admin, namespace).get(name)
    jobset = admin.find("JobSet", namespace, name)
    if workload is None or jobset is None or workload["spec"].get("active") is not False:
        return False
    return bool(jobset["spec"].get("suspend")) and not live_pods(admin, namespace)


def _put_back(plane: Plane, namespace: str, name: str, objects: list[Json]) -> History:
    """Applies the objects again as a GitOps tool does, and watches what becomes of the JobSet."""
    admin = plane.client()
    eventually(lambda: admin.find("JobSet", namespace, name) is None)
    with watched(plane, "JobSet", namespace) as jobsets:
        apply(admin, objects)
        eventually(lambda: _is_held(admin, namespace, name))
        time.sleep(QUIET)
        assert _is_held(admin, namespace, name)
    return jobsets


def test_a_finished_job_is_held_and_runs_again_for_a_new_trainjob(
    cluster: Plane, admin: Client, namespace: str, project: Project
) -> None:
    objects = _built(project)
    name = jobset_of(objects)
    _apply_first(admin, objects)
    eventually(lambda: list(live_pods(admin, namespace)) == [name])
    end_pods(admin, namespace, "complete")
    eventually(lambda: _is(admin, namespace, name, "Complete"))
    admin.delete("JobSet", namespace, name)
    jobsets = _put_back(cluster, namespace, name, objects)
    assert jobsets.writes(name) <= MAX_WRITES
    assert kueue.admitted(admin, namespace, [])  # its quota is free
    assert unchanged(admin, objects)

    admin.delete("TrainJob", namespace, name)
    eventually(lambda: admin.find("TrainJob", namespace, name) is None)
    apply(admin, objects)
    eventually(lambda: list(live_pods(admin, namespace)) == [name])
    assert kueue.admitted(admin, namespace, [name])


def test_a_job_whose_deadline_is_over_is_held(
    cluster: Plane, admin: Client, namespace: str, project: Project
) -> None:
    objects = _built(project, activeDeadlineSeconds=4)
    name = jobset_of(objects)
    _apply_first(admin, objects)
    eventually(lambda: list(live_pods(admin, namespace)) == [name])
    eventually(lambda: _is(admin, namespace, name, "Failed"))
    jobsets = _put_back(cluster, namespace, name, objects)
    assert len(jobsets.uids(name)) == 1, "it was made anew"
    assert jobsets.writes(name) <= MAX_WRITES
    assert _is(admin, namespace, name, "Failed")
    assert unchanged(admin, objects)
