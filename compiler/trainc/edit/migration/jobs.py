"""What the jobs of ``kubeflow.org`` have in common: metadata, run policy, replicas.

Source: the Training Operator's ``RunPolicy`` and ``ReplicaSpec`` (kubeflow.org/v1), the MPI
Operator's (v2beta1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trainc import names
from trainc.edit.migration.labels import PREFIX
from trainc.edit.migration.part import Lost, Part, keep_comment, merge_into, new
from trainc.edit.migration.restarts import limit_of
from trainc.edit.migration.sequence import quoted, text_like

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
_CLEAN_PODS = ("None", "Running")
_RUN_HINTS = {"schedulingPolicy": "podGroupPolicy of the runtime: coscheduling or volcano"}
_ALL_HINT = (
    "a JobSet ends running pods and keeps finished ones, as Running does; "
    "ttlSecondsAfterFinished removes all"
)
_DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"


class OldJob:
    """A job on its way: the TrainJob and the runtime that grow out of it."""

    def __init__(self, root: Any, lost: list[Lost]) -> None:
        """Takes metadata and run policy; the rest is the framework's to take."""
        self.whole = Part(root, (), lost)
        self.whole.drop("apiVersion", "kind", "status")
        self.spec = self.whole.part("spec")
        self.metadata = new()
        self._take_metadata()
        self.name = str(self.metadata.get("name") or "")
        self.job = new()
        self.jobset = new()
        self.lost = lost
        self.cleans = ""
        self.limit: int | None = None
        self._run_policy()

    def result(
        self, trainer: dict[str, Any], policy: dict[str, Any], jobs: Sequence[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """The TrainJob and its runtime, in this order."""
        self.spec.close()
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

    def restart_all(self, times: int) -> None:
        """Lets the JobSet start all its pods anew."""
        if times:
            self.jobset["failurePolicy"] = new(maxRestarts=times)

    def clean_pods(self, part: Part) -> None:
        """Takes a ``cleanPodPolicy``."""
        policy = part.take("cleanPodPolicy", "None")
        if policy not in _CLEAN_PODS:
            part.lose("has no counterpart", "cleanPodPolicy", _ALL_HINT)
        elif part.node.get("cleanPodPolicy") is not None:
            self.cleans = policy

    def _take_metadata(self) -> None:
        metadata = self.whole.part("metadata")
        metadata.drop(*_SERVERS)
        for key in metadata.node:
            if key not in _SERVERS:
                metadata.move(key, self.metadata)
        _forget_export(self.metadata)
        if not self.metadata.get("name"):
            hint = "write a name: a job that is built has one of its own"
            metadata.lose("must be set", "name", hint)

    def _is_queued(self) -> bool:
        labels = self.whole.part("metadata").node.get("labels")
        return isinstance(labels, Mapping) and bool(labels.get(names.QUEUE_LABEL))

    def _run_policy(self) -> None:
        policy = self.spec.part("runPolicy")
        policy.move("activeDeadlineSeconds", self.job)
        if self._is_queued():  # Kueue suspends and resumes: what is written would be left out
            if policy.take("suspend") is not None:
                policy.note("left out: Kueue suspends and resumes a job with a queue", "suspend")
        else:
            policy.move("suspend", self.job)
        policy.move("ttlSecondsAfterFinished", self.jobset)
        if policy.take("managedBy") == _MULTIKUEUE:
            policy.move("managedBy", self.job)
        elif policy.take("managedBy") not in (None, *_OPERATORS):
            policy.lose("is a controller that knows no TrainJobs", "managedBy")
        self.limit = limit_of(policy)
        self.clean_pods(policy)
        policy.close(_RUN_HINTS)


def _forget_export(metadata: dict[str, Any]) -> None:
    """Leaves out what kubectl notes on what it applied: the whole old job."""
    notes = metadata.get("annotations")
    if isinstance(notes, dict) and notes.pop(_APPLIED, None) is not None and not notes:
        del metadata["annotations"]


def template_of(replica: Part) -> tuple[dict[str, Any], Part]:
    """The pod template of a replica, without containers, and its pod spec to take them from."""
    old = replica.part("template")
    out = new()
    metadata = old.part("metadata")
    metadata.drop("creationTimestamp", "name")  # the operator gave a pod its name
    kept = new()
    for key in metadata.node:
        if key not in ("creationTimestamp", "name"):
            metadata.move(key, kept)
    _forget_labels(kept)
    if kept:
        out["metadata"] = kept
        keep_comment(old.node, "metadata", out, "metadata")
    spec = old.part("spec")
    spec.drop("restartPolicy")
    out["spec"] = new()
    for key in spec.node:
        if key not in ("containers", "restartPolicy"):
            spec.move(key, out["spec"])
    old.close()
    return out, spec


def _forget_labels(metadata: dict[str, Any]) -> None:
    """Leaves out labels that the operator wrote over, and nobody writes now."""
    labels = metadata.get("labels")
    if isinstance(labels, dict):
        for key in [key for key in labels if str(key).startswith(PREFIX)]:
            del labels[key]
        if not labels:
            del metadata["labels"]


def containers_of(spec: Part, template: dict[str, Any], main: str) -> tuple[Part | None, list[Any]]:
    """The main container of a pod, and all of them; the main one is called ``node`` there.

    Args:
        spec: The pod spec.
        template: The pod template that they are for.
        main: What the main one is called; empty for the first.
    """
    parts = spec.items("containers")
    first = next((part for part in parts if part.node.get("name") == main or not main), None)
    if first is None:
        spec.lose(f"no container is called {main}" if main else "has no containers", "containers")
        return None, []
    name = str(first.node.get("name"))
    for part in parts:
        if not isinstance(part.node.get("env"), list | None):
            part.lose("must be a list", "env")
        _write_quantities(part.node)
    items: list[Any] = [_as_node(part) if part is first else part.node for part in parts]
    if any(part.node.get("name") == names.NODE for part in parts if part is not first):
        spec.lose(f"another container is called {names.NODE}", "containers", "rename it")
    _rename_references(template, items, name)
    return first, items


def _write_quantities(container: Mapping[str, Any]) -> None:
    """Writes ``cpu: 0.5`` as a text, which all of the API takes."""
    resources = container.get("resources")
    for key in ("limits", "requests"):
        amounts = resources.get(key) if isinstance(resources, dict) else None
        for name, amount in list(amounts.items()) if isinstance(amounts, dict) else []:
            if isinstance(amount, float):
                amounts[name] = quoted(repr(float(amount)))  # type: ignore[index]


def _as_node(part: Part) -> dict[str, Any]:
    out = new(name=names.NODE)
    part.drop("name")
    for key in part.node:
        if key != "name":
            part.move(key, out)
    return out


def _rename_references(template: dict[str, Any], containers: list[Any], name: str) -> None:
    """What names the main container names it ``node``: kubectl's default, resource fields."""
    notes = template.get("metadata", {}).get("annotations")
    if isinstance(notes, dict) and notes.get(_DEFAULT_CONTAINER) == name:
        notes[_DEFAULT_CONTAINER] = text_like(notes[_DEFAULT_CONTAINER], names.NODE)
    waiting: list[Any] = [template.get("spec"), *containers]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            field = node.get("resourceFieldRef")
            if isinstance(field, dict) and field.get("containerName") == name:
                field["containerName"] = text_like(field["containerName"], names.NODE)
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
