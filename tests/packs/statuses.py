"""Status documents as controllers write them: JobSet v0.12 and Trainer v2.3 on Kubernetes 1.35."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

QUEUE = {"kueue.x-k8s.io/queue-name": "gpu"}
TIME = "2026-08-21T10:00:00Z"


@dataclass(frozen=True)
class State:
    """An object in one state, and what tools shall say of it."""

    __test__ = False
    name: str
    manifest: dict[str, Any]
    argocd: str
    flux: str
    # Where `--until started` says something else.
    argocd_started: str = ""
    flux_started: str = ""


def condition(kind: str, status: str = "True", reason: str = "", message: str = "") -> Any:
    return {"type": kind, "status": status, "reason": reason or kind, "message": message,
            "lastTransitionTime": TIME}  # fmt: skip


def jobset(status: Any, suspend: bool | None = False, labels: Any = None) -> dict[str, Any]:
    spec: dict[str, Any] = {"replicatedJobs": [{"name": "node", "replicas": 1}]}
    if suspend is not None:
        spec["suspend"] = suspend
    manifest = {"apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet",
                "metadata": {"name": "llm", "generation": 1, "labels": labels or {}},
                "spec": spec}  # fmt: skip
    return manifest if status is None else {**manifest, "status": status}


def trainjob(status: Any, suspend: bool = False, labels: Any = None) -> dict[str, Any]:
    manifest = {"apiVersion": "trainer.kubeflow.org/v1alpha1", "kind": "TrainJob",
                "metadata": {"name": "llm", "generation": 1, "labels": labels or {}},
                "spec": {"runtimeRef": {"name": "torch"}, "suspend": suspend}}  # fmt: skip
    return manifest if status is None else {**manifest, "status": status}


def group(version: str, status: Any) -> dict[str, Any]:
    manifest = {"apiVersion": version, "kind": "PodGroup", "metadata": {"name": "llm"},
                "spec": {"minMember": 4}}  # fmt: skip
    return manifest if status is None else {**manifest, "status": status}


def cache(status: Any) -> dict[str, Any]:
    manifest = {"apiVersion": "leaderworkerset.x-k8s.io/v1", "kind": "LeaderWorkerSet",
                "metadata": {"name": "llm-cache", "generation": 1},
                "spec": {"replicas": 1}}  # fmt: skip
    return manifest if status is None else {**manifest, "status": status}


def jobs(**counts: int) -> list[dict[str, Any]]:
    zero = {"active": 0, "failed": 0, "ready": 0, "succeeded": 0, "suspended": 0}
    return [{"name": "node", **zero, **counts}]


SUSPENDED = condition("Suspended", "True", "SuspendedJobs", "jobset is suspended")
RESUMED = condition("Suspended", "False", "ResumeJobs", "jobset is resumed")
STARTING = condition("StartupPolicyCompleted", "True", "StartupPolicyCompleted")
DONE = condition("Completed", "True", "AllJobsCompleted", "jobset completed successfully")
FAILED = condition("Failed", "True", "FailedJobs", "jobset failed due to one or more job failures")

JOBSETS = [
    State("no status", jobset(None), "Progressing", "InProgress"),
    State("empty", jobset({}), "Progressing", "InProgress"),
    State("created", jobset({"restarts": 0, "replicatedJobsStatus": jobs()}),
          "Progressing", "InProgress"),
    State("running", jobset({"restarts": 0, "replicatedJobsStatus": jobs(active=1, ready=1)}),
          "Progressing", "InProgress", "Healthy", "Current"),
    State("running, suspend not written", jobset({"replicatedJobsStatus": jobs(ready=1)}, None),
          "Progressing", "InProgress", "Healthy", "Current"),
    State("suspended", jobset({"conditions": [SUSPENDED], "replicatedJobsStatus":
          jobs(suspended=1)}, suspend=True), "Suspended", "InProgress"),
    State("queued", jobset({"conditions": [SUSPENDED], "replicatedJobsStatus":
          jobs(suspended=1)}, suspend=True, labels=QUEUE), "Healthy", "Current"),
    State("queued, no status", jobset(None, suspend=True, labels=QUEUE), "Healthy", "Current"),
    State("admitted and resumed", jobset({"conditions": [RESUMED], "restarts": 0,
          "replicatedJobsStatus": jobs(active=1, ready=1)}, labels=QUEUE),
          "Progressing", "InProgress", "Healthy", "Current"),
    State("complete", jobset({"conditions": [STARTING, DONE], "terminalState": "Completed",
          "replicatedJobsStatus": jobs(succeeded=1)}), "Healthy", "Current"),
    State("complete after a suspension", jobset({"conditions": [RESUMED, DONE],
          "terminalState": "Completed"}, labels=QUEUE), "Healthy", "Current"),
    State("failed", jobset({"conditions": [FAILED], "terminalState": "Failed",
          "replicatedJobsStatus": jobs(failed=1)}), "Degraded", "Failed"),
    State("restarting", jobset({"restarts": 2, "restartsCountTowardsMax": 2,
          "replicatedJobsStatus": jobs()}), "Progressing", "InProgress"),
]  # fmt: skip

JOB_DONE = condition("Complete", "True", "AllJobsCompleted", "jobset completed successfully")
TRAINJOBS = [
    State("no status", trainjob(None), "Progressing", "InProgress"),
    State("empty", trainjob({}), "Progressing", "InProgress"),
    State("running", trainjob({"jobsStatus": jobs(active=1, ready=1)}),
          "Progressing", "InProgress", "Healthy", "Current"),
    State("running with progress", trainjob({"jobsStatus": jobs(ready=1), "trainerStatus":
          {"progressPercentage": 40}}), "Progressing", "InProgress", "Healthy", "Current"),
    State("suspended", trainjob({"conditions": [condition("Suspended")]}, suspend=True),
          "Suspended", "InProgress"),
    State("queued", trainjob({"conditions": [condition("Suspended")]}, suspend=True, labels=QUEUE),
          "Healthy", "Current"),
    State("resumed", trainjob({"conditions": [condition("Suspended", "False", "Resumed")],
          "jobsStatus": jobs(ready=1)}, labels=QUEUE),
          "Progressing", "InProgress", "Healthy", "Current"),
    State("complete", trainjob({"conditions": [JOB_DONE], "jobsStatus": jobs(succeeded=1)}),
          "Healthy", "Current"),
    State("failed", trainjob({"conditions": [condition("Failed")], "jobsStatus": jobs(failed=1)}),
          "Degraded", "Failed"),
    State("restarting", trainjob({"jobsStatus": jobs()}), "Progressing", "InProgress"),
]  # fmt: skip

VOLCANO, COSCHEDULING = "scheduling.volcano.sh/v1beta1", "scheduling.x-k8s.io/v1alpha1"
GROUPS = [
    State("no status", group(VOLCANO, None), "Healthy", "Current"),
    State("empty", group(COSCHEDULING, {}), "Healthy", "Current"),
    State("waits for room", group(VOLCANO, {"phase": "Pending", "conditions":
          [condition("Unschedulable", "True", "NotEnoughResources")]}), "Healthy", "Current"),
    State("enqueued", group(VOLCANO, {"phase": "Inqueue"}), "Healthy", "Current"),
    State("running", group(VOLCANO, {"phase": "Running", "running": 4}), "Healthy", "Current"),
    State("complete", group(COSCHEDULING, {"phase": "Finished", "succeeded": 4}),
          "Healthy", "Current"),
    State("failed", group(COSCHEDULING, {"phase": "Failed", "failed": 1}), "Degraded", "Current"),
]  # fmt: skip

CACHES = [
    State("no status", cache(None), "Progressing", "InProgress"),
    State("empty", cache({}), "Progressing", "InProgress"),
    State("loading", cache({"replicas": 1, "readyReplicas": 0, "conditions": [condition(
          "Progressing", "True", "GroupsProgressing", "Replicas are progressing"),
          condition("Available", "False")]}), "Progressing", "InProgress"),
    State("ready", cache({"replicas": 1, "readyReplicas": 1, "conditions": [condition(
          "Available", "True", "AllGroupsReady", "All replicas are ready"),
          condition("Progressing", "False")]}), "Healthy", "Current"),
    State("restarting", cache({"replicas": 1, "readyReplicas": 0, "conditions": [
          condition("Available", "False"), condition("Progressing")]}),
          "Progressing", "InProgress"),
]  # fmt: skip

STATES = [*JOBSETS, *TRAINJOBS, *GROUPS, *CACHES]
