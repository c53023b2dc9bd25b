"""A job's pods, as a person wants to see them: which step, which rank, how it is and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from sys import intern

from trainc.controller.view import Json

_JOBSET = "jobset.sigs.k8s.io/"


@dataclass(frozen=True, slots=True)
class PodRow:
    """One pod.

    Attributes:
        name: Of the pod.
        step: Its replicated job.
        rank: Its completion index in it, after the index of the Job.
        phase: As kubectl shows it: the phase, or what its containers wait for or ended with.
        ready: Whether all its containers are ready.
        restarts: Of its containers.
        node: Where it runs.
        message: Why it is so, where something says so.
        containers: Their names, init containers last.
        created: When it was made, as the API server writes it.
    """

    name: str
    step: str
    rank: tuple[int, int]
    phase: str
    ready: bool
    restarts: int
    node: str
    message: str
    containers: tuple[str, ...]
    created: str = ""


def pod_rows(pods: Iterable[Json]) -> list[PodRow]:
    """The rows, by step and rank, older attempts first."""
    return in_order(pod_row(pod) for pod in pods)


def in_order(rows: Iterable[PodRow]) -> list[PodRow]:
    """The rows by step and rank, older attempts first."""
    return sorted(rows, key=lambda row: (row.step, row.rank, row.created))


def pod_row(pod: Json) -> PodRow:
    """What is shown of one pod; the rest of it is let go."""
    metadata, status = pod["metadata"], pod.get("status") or {}
    labels = metadata.get("labels") or {}
    containers = [
        *(status.get("initContainerStatuses") or []),
        *(status.get("containerStatuses") or []),
    ]
    phase, message = _why(metadata, status, containers)
    conditions = status.get("conditions") or []
    return PodRow(
        name=metadata["name"],
        step=intern(labels.get(f"{_JOBSET}replicatedjob-name", "")),
        rank=(
            _number(labels.get(f"{_JOBSET}job-index")),
            _number(labels.get("batch.kubernetes.io/job-completion-index")),
        ),
        phase=intern(phase),
        ready=any(c["type"] == "Ready" and c["status"] == "True" for c in conditions),
        restarts=sum(each.get("restartCount") or 0 for each in containers),
        node=intern((pod.get("spec") or {}).get("nodeName") or ""),
        message=message,
        containers=tuple(
            intern(each["name"])
            for key in ("containers", "initContainers")
            for each in (pod.get("spec") or {}).get(key) or []
        ),
        created=str(metadata.get("creationTimestamp") or ""),
    )


def _why(metadata: Json, status: Json, containers: list[Json]) -> tuple[str, str]:
    """The word for how a pod is, and what explains it."""
    if "deletionTimestamp" in metadata:
        return "Terminating", ""
    phase = status.get("phase") or "Unknown"
    if status.get("reason"):  # Evicted, NodeLost
        return status["reason"], status.get("message") or ""
    for reason, message in _states(containers):
        return reason, message
    for each in status.get("conditions") or []:
        if each["type"] == "PodScheduled" and each["status"] == "False":
            return phase, each.get("message") or each.get("reason") or ""
    return phase, ""


def _states(containers: list[Json]) -> Iterator[tuple[str, str]]:
    """What containers wait for or ended badly with."""
    for container in containers:
        state = container.get("state") or {}
        waiting, ended = state.get("waiting") or {}, state.get("terminated") or {}
        if waiting.get("reason") not in (None, "", "PodInitializing", "ContainerCreating"):
            yield waiting["reason"], waiting.get("message") or ""
        elif ended and ended.get("exitCode"):
            code = f"container {container['name']} exited with {ended['exitCode']}"
            message = ended.get("message") or ""
            yield ended.get("reason") or "Error", f"{code}: {message}" if message else code


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0
