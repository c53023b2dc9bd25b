"""TrainJobs and JobSets as trainc prints them, small enough for the control plane's tests."""

from __future__ import annotations

import json
from typing import Any

from tests.cluster.client import ApiError, Client

Json = dict[str, Any]


def a_note(name: str, deadline: int = 0, secrets: tuple[tuple[str, str], ...] = ()) -> str:
    """The annotation ``trainc.dev/job``; ``secrets`` are kinds and suffixes."""
    note: Json = {"version": 1, "trainjob": name, "features": [], "digest": "sha256:0"}
    note["secrets"] = [{"name": name + suffix, "kind": kind} for kind, suffix in secrets]
    if deadline:
        note["deadlineSeconds"] = deadline
    return json.dumps(note)


def a_jobset(
    namespace: str,
    name: str = "m",
    *,
    end: str = "",
    start: str = "",
    nodes: int = 1,
    suspend: bool = False,
    note: str | None = "",
    ttl: int | None = None,
    restarts: int = 0,
    **metadata: Any,
) -> Json:
    """A JobSet of one replicated job ``node``.

    Args:
        namespace: Its namespace.
        name: Its name.
        end: How kwok ends its pods: ``complete``, ``fail``, or not at all.
        start: ``never``: its pods stay pending.
        nodes: How many pods.
        suspend: Whether it is suspended.
        note: The annotation of the compiler; None for a JobSet trainc did not build.
        ttl: ``ttlSecondsAfterFinished``.
        restarts: How often a failed JobSet starts anew.
        metadata: More of its metadata.
    """
    said = {"kwok.test/end": end, "kwok.test/start": start}
    pod = {
        "metadata": {"annotations": {key: value for key, value in said.items() if value}},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "node", "image": "a:1"}]},
    }
    labels = {"trainer.kubeflow.org/trainjob-ancestor-step": "trainer"}
    job = {
        "metadata": {"labels": labels},
        "spec": {
            "parallelism": nodes,
            "completions": nodes,
            "backoffLimit": 0,
            "completionMode": "Indexed",
            "template": pod,
        },
    }
    spec: Json = {"suspend": suspend, "replicatedJobs": [{"name": "node", "template": job}]}
    if restarts:
        spec["failurePolicy"] = {"maxRestarts": restarts}
    if ttl is not None:
        spec["ttlSecondsAfterFinished"] = ttl
    annotations = {} if note is None else {"trainc.dev/job": note or a_note(name)}
    return {
        "apiVersion": "jobset.x-k8s.io/v1alpha2",
        "kind": "JobSet",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "annotations": annotations,
            **metadata,
        },
        "spec": spec,
    }


def a_trainjob(namespace: str, name: str = "m", **spec: Any) -> Json:
    """A TrainJob; ``spec`` are more of its fields."""
    return {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"runtimeRef": {"name": "torch-distributed"}, **spec},
    }


def conditions(client: Client, namespace: str, name: str = "m") -> dict[str, Json]:
    """The TrainJob's conditions by type."""
    found = client.get("TrainJob", namespace, name).get("status", {}).get("conditions") or []
    return {condition["type"]: condition for condition in found}


def end_pods(client: Client, namespace: str, how: str) -> None:
    """Makes every running pod of the namespace ``complete`` or ``fail``, but those that go."""
    for pod in client.list("Pod", namespace):
        annotation = {"metadata": {"annotations": {"kwok.test/end": how}}}
        try:
            client.merge("Pod", namespace, pod["metadata"]["name"], annotation)
        except ApiError as error:
            if error.code != 404:
                raise


def events(client: Client, namespace: str, name: str = "m") -> dict[str, Json]:
    """The controller's Events on objects of that name, by reason."""
    return {
        event["reason"]: event
        for event in client.list("Event", namespace)
        if event["involvedObject"]["name"] == name
        and event["source"].get("component") == "trainc-controller"
    }
