"""The plane itself: versions, a JobSet's life, restarts of the API server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cluster.client import Client, eventually
from tests.cluster.plane import Plane


def a_jobset(namespace: str, name: str, end: str = "", nodes: int = 2) -> dict[str, Any]:
    annotations = {"kwok.test/end": end} if end else {}
    pod = {
        "metadata": {"annotations": annotations},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "node", "image": "a:1"}]},
    }
    job = {"parallelism": nodes, "completions": nodes, "backoffLimit": 0, "template": pod}
    return {
        "apiVersion": "jobset.x-k8s.io/v1alpha2",
        "kind": "JobSet",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"replicatedJobs": [{"name": "node", "template": {"spec": job}}]},
    }


def condition(found: dict[str, Any], kind: str) -> str:
    conditions = found.get("status", {}).get("conditions") or []
    return next((c["status"] for c in conditions if c["type"] == kind), "")


def test_the_version_is_the_pinned_one(admin: Client) -> None:
    assert admin.call("GET", "/version")["gitVersion"] == "v1.35.4"


def test_a_jobset_completes(admin: Client, namespace: str) -> None:
    admin.apply(a_jobset(namespace, "m", end="complete"))
    eventually(lambda: condition(admin.get("JobSet", namespace, "m"), "Completed") == "True")


def test_a_jobset_fails(admin: Client, namespace: str) -> None:
    admin.apply(a_jobset(namespace, "m", end="fail"))
    eventually(lambda: condition(admin.get("JobSet", namespace, "m"), "Failed") == "True")


def test_kwok_serves_logs(admin: Client, namespace: str) -> None:
    admin.apply(a_jobset(namespace, "m", nodes=1))
    pod = eventually(
        lambda: [p for p in admin.list("Pod", namespace) if p["status"]["phase"] == "Running"]
    )[0]
    path = f"/api/v1/namespaces/{namespace}/pods/{pod['metadata']['name']}/log"
    assert "epoch 1 of 1" in admin.call("GET", path)["message"]


@pytest.mark.restarts
def test_objects_outlive_the_api_server(plane: Plane, admin: Client, namespace: str) -> None:
    admin.apply(a_jobset(namespace, "m"))
    plane.kill_apiserver()
    assert not admin.ready()
    plane.start_apiserver()
    assert admin.get("JobSet", namespace, "m")["spec"]["replicatedJobs"]
