"""A pod's side of the status protocol: its projected token, and posts with it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import urllib3

from tests.cluster.client import Client, eventually
from tests.cluster.jobs import Json
from trainc.controller.progress.verdicts import audience


def pods(admin: Client, namespace: str, name: str = "m") -> list[Json]:
    """The job's running pods by their rank."""
    return sorted(
        (
            pod
            for pod in admin.list("Pod", namespace)
            if pod["status"]["phase"] == "Running"
            and "deletionTimestamp" not in pod["metadata"]
            and pod["metadata"]["labels"]["jobset.sigs.k8s.io/jobset-name"] == name
        ),
        key=lambda pod: int(pod["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"]),
    )


def token_of(admin: Client, pod: Json, job: tuple[str, str] | None = None, told: str = "") -> str:
    """A token as the kubelet projects it into the pod, for the audience of ``job`` or as told."""
    metadata = pod["metadata"]
    namespace = metadata["namespace"]
    name = metadata["labels"]["jobset.sigs.k8s.io/jobset-name"]
    request = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {
            "audiences": [told or audience(job or (namespace, name))],
            "expirationSeconds": 3600,
            "boundObjectRef": {
                "kind": "Pod",
                "apiVersion": "v1",
                "name": metadata["name"],
                "uid": metadata["uid"],
            },
        },
    }
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/default/token"
    return str(admin.call("POST", path, request)["status"]["token"])


def a_report(percent: int | None, when: str = "", **more: Any) -> Json:
    """A report's body."""
    status: Json = {"lastUpdatedTime": when or datetime.now(UTC).isoformat(), **more}
    if percent is not None:
        status["progressPercentage"] = percent
    return {"trainerStatus": status}


class Poster:
    """Posts to a progress server over kept-alive connections."""

    def __init__(self, port: int, authority: str, connections: int = 1) -> None:
        """Trusts ``authority`` (PEM)."""
        self._url = f"https://127.0.0.1:{port}"
        context = urllib3.util.ssl_.create_urllib3_context()
        context.load_verify_locations(cadata=authority)
        self.http = urllib3.PoolManager(
            maxsize=connections, ssl_context=context, retries=False, timeout=urllib3.Timeout(30)
        )

    def post(
        self,
        job: tuple[str, str],
        body: object,
        token: str | None = None,
        method: str = "POST",
        path: str = "",
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Json]:
        """One request; status and answer."""
        namespace, name = job
        path = path or (
            f"/apis/trainer.kubeflow.org/v1alpha1/namespaces/{namespace}/trainjobs/{name}/status"
        )
        sent = {"Content-Type": "application/json", **(headers or {})}
        if token is not None:
            sent.setdefault("Authorization", f"Bearer {token}")
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        response = self.http.request(method, self._url + path, body=data, headers=sent)
        return response.status, json.loads(response.data)


def progress_of(admin: Client, namespace: str, name: str = "m") -> Json:
    """The TrainJob's ``trainerStatus``."""
    found: Json = admin.get("TrainJob", namespace, name).get("status", {}).get("trainerStatus", {})
    return found


def reported(admin: Client, namespace: str, percent: int, name: str = "m") -> Json:
    """Waits until the status tells ``percent``; gives it."""
    found: Json = eventually(
        lambda: (
            progress_of(admin, namespace, name).get("progressPercentage") == percent
            and progress_of(admin, namespace, name)
        )
    )
    return found
