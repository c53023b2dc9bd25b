"""TrainJobs beside their JobSets where Kueue's default frameworks look up each runtime."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.cluster.client import ApiError, Client, eventually
from tests.cluster.jobs import Json
from tests.cluster.plane import Plane
from tests.engines import kueue
from tests.engines.applying import apply, live_pods, unchanged
from tests.engines.kueue import queued
from tests.engines.project import Project, jobset_of


def test_the_runtime_goes_first_as_the_build_says(
    cluster: Plane, admin: Client, namespace: str, tmp_path: Path
) -> None:
    """Without it Kueue refuses the TrainJob; with it all is applied, and stays as it is."""
    kueue.add_queue(admin, namespace)
    project = Project(tmp_path, namespace, on_change="rename", emit="both")
    name = f"own-{namespace}"
    project.add_runtime(name)
    project.write(queued(namespace, runtime=name))
    assert project.trainc("build").stderr.count("TRC425") == 1
    objects = project.build()
    said = project.trainc("diff", "--cluster", "--kubeconfig", str(cluster.kubeconfig()))
    assert f"runtime '{name}' not found" in said.stdout
    with pytest.raises(ApiError, match=f"runtime '{name}' not found"):
        apply(admin, objects)

    admin.apply(yaml.safe_load((tmp_path / "runtimes" / f"{name}.yaml").read_text()))
    eventually(lambda: _applied(admin, objects))
    eventually(lambda: list(live_pods(admin, namespace)) == [jobset_of(objects)])
    assert unchanged(admin, objects)


def _applied(admin: Client, objects: list[Json]) -> bool:
    """Whether it was applied: Kueue's cache sees a new runtime a moment later."""
    try:
        apply(admin, objects)
    except ApiError as error:
        assert "not found" in str(error)
        return False
    return True
