"""What the jobs of ``kubeflow.org`` have in common: metadata, run policy, replicas.

Source: the Training Operator's ``RunPolicy`` and ``ReplicaSpec`` (kubeflow.org/v1), the MPI
Operator's (v2beta1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainc import names
from trainc.edit.migration.part import Lost, Part, keep_comment, listed, merge_into, new

_MULTIKUEUE = "kueue.x-k8s.io/multikueue"
_OPERATORS = ("kubeflow.org/training-operator", "kubeflow.org/mpi-operator")
# What the cluster writes, and an export holds.
_SERVERS = (
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "managedFields",
    "selfLink",
)
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_RUN_HINTS = {
    "schedulingPolicy": "podGroupPolicy of the runtime: coscheduling or volcano",
    "cleanPodPolicy": "a JobSet ends running pods and keeps finished ones; "
    "ttlSecondsAfterFinished removes all",
}


class OldJob:
    """A job on its way: the TrainJob and the runtime that grow out of it."""

    def __init__(self, root: Any, lost: list[Lost]) -> None:
        """Takes metadata; the rest is the framework's to take."""
        self.whole = Part(root, (), lost)
        self.whole.drop("apiVersion", "kind", "status")
        self.spec = self.whole.part("spec")
        self.metadata = new()
        metadata = self.whole.part("metadata")
        metadata.drop(*_SERVERS)
        for key in metadata.node:
            if key not in _SERVERS:
                metadata.move(key, self.metadata)
        _forget_export(self.metadata)
        if not self.metadata.get("name"):
            hint = "write a name: a job that is built has one of its own"
            metadata.lose("must be set", "name", hint)
        self.job = new()
        self.jobset = new()
        self.lost = lost

    def finished(
        self, trainer: dict[str, Any], policy: dict[str, Any], jobs: Sequence[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """The TrainJob and its runtime, in this order."""
        self._run_policy()
        self.spec.close({"elasticPolicy": "a TrainJob has a fixed number of nodes"})
        self.whole.close()
        name, home = self.metadata.get("name"), self.metadata.get("namespace")
        reference = new(kind=names.TRAINING_RUNTIME, name=name)
        job = new(apiVersion=names.API_VERSION, kind=names.TRAIN_JOB, metadata=self.metadata)
        job["spec"] = new(runtimeRef=reference, trainer=trainer)
        merge_into(job["spec"], self.job)
        runtime = new(apiVersion=names.API_VERSION, kind=names.TRAINING_RUNTIME)
        runtime["metadata"] = new(name=name, namespace=home)
        spec = new(replicatedJobs=list(jobs))
        merge_into(spec, self.jobset)
        runtime["spec"] = new(mlPolicy=policy, template=new(spec=spec))
        return [job, runtime]

    def _run_policy(self) -> None:
        policy = self.spec.part("runPolicy")
        policy.move("activeDeadlineSeconds", self.job)
        policy.move("suspend", self.job)
        policy.move("ttlSecondsAfterFinished", self.jobset)
        if policy.take("managedBy") == _MULTIKUEUE:
            policy.move("managedBy", self.job)
        elif policy.take("managedBy") not in (None, *_OPERATORS):
            policy.lose("is a controller that knows no TrainJobs", "managedBy")
        if policy.node.get("backoffLimit") is not None:
            self.jobset["failurePolicy"] = new(maxRestarts=policy.number("backoffLimit", 0))
        clean_pods(policy)
        policy.close(_RUN_HINTS)


def _forget_export(metadata: dict[str, Any]) -> None:
    """Leaves out what kubectl notes on what it applied: the whole old job."""
    notes = metadata.get("annotations")
    if isinstance(notes, dict) and notes.pop(_APPLIED, None) is not None and not notes:
        del metadata["annotations"]


def clean_pods(policy: Part) -> None:
    """Takes a ``cleanPodPolicy`` that says what a JobSet does anyway."""
    if policy.node.get("cleanPodPolicy") in ("Running", "None"):
        policy.drop("cleanPodPolicy")


def template_of(replica: Part, restart: str = "") -> tuple[dict[str, Any], Part]:
    """The pod template of a replica, without containers, and its pod spec to take them from.

    Args:
        replica: The replica.
        restart: The restartPolicy that its operator sets where none is written, empty for that
            of a Job in a JobSet.
    """
    old = replica.part("template")
    out = new()
    metadata = old.part("metadata")
    metadata.drop("creationTimestamp")
    kept = new()
    for key in metadata.node:
        if key != "creationTimestamp":
            metadata.move(key, kept)
    if kept:
        out["metadata"] = kept
        keep_comment(old.node, "metadata", out, "metadata")
    spec = old.part("spec")
    out["spec"] = new()
    for key in spec.node:
        if key not in ("containers", "restartPolicy"):
            spec.move(key, out["spec"])
    _restart(replica, spec, out["spec"], restart)
    old.close()
    return out, spec


def _restart(replica: Part, spec: Part, out: dict[str, Any], default: str) -> None:
    """The replica's restartPolicy goes before the pod's, as the operator has it."""
    own = replica.take("restartPolicy")
    policy = own or spec.take("restartPolicy") or default or None
    spec.drop("restartPolicy")
    if policy in ("OnFailure", "Never"):
        out["restartPolicy"] = policy
    elif policy is not None:
        hint = "a Job's pods restart OnFailure or Never; podFailurePolicy tells exit codes apart"
        (replica if own else spec).lose("has no counterpart", "restartPolicy", hint)


def containers_of(spec: Part, main: str) -> tuple[Part | None, list[Any]]:
    """The main container of a pod, and all of them; the main one is called ``node`` there.

    Args:
        spec: The pod spec.
        main: What the main one is called; empty for the first.
    """
    parts = spec.items("containers")
    found = next((part for part in parts if part.node.get("name") == main or not main), None)
    if found is None:
        spec.lose(f"no container is called {main}" if main else "has no containers", "containers")
        return None, []
    items = [_renamed(part) if part is found else part.node for part in parts]
    out = listed(items, [spec.node["containers"]])
    if any(part.node.get("name") == names.NODE for part in parts if part is not found):
        spec.lose(f"another container is called {names.NODE}", "containers", "rename it")
    return found, out


def _renamed(part: Part) -> dict[str, Any]:
    out = new(name=names.NODE)
    part.drop("name")
    for key in part.node:
        if key != "name":
            part.move(key, out)
    return out
