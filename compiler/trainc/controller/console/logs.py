"""A job's logs: of its first trainer, or of the pods asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trainc.controller.api import Api
from trainc.controller.console.jobs import Job
from trainc.controller.console.pods import PodRow
from trainc.controller.paths import PODS, item
from trainc.names import NODE

_STEPS = ("launcher", "node")  # where training speaks, the first there is


@dataclass(frozen=True)
class Wanted:
    """Which logs.

    Attributes:
        step: The replicated job; empty for the one that trains.
        rank: The completion index; None for all.
        container: Empty for the pod's first.
        follow: Whether to wait for more.
        tail: How many lines of the past; None for all.
        previous: Of the container that ran before.
    """

    step: str = ""
    rank: int | None = 0
    container: str = ""
    follow: bool = False
    tail: int | None = None
    previous: bool = False


def pods_of(job: Job, wanted: Wanted) -> list[PodRow]:
    """The newest pod of each rank that is asked for."""
    steps = {pod.step for pod in job.pods}
    step = wanted.step or next((name for name in _STEPS if name in steps), min(steps, default=""))
    newest = {
        pod.rank: pod for pod in job.pods if pod.step == step and wanted.rank in (None, pod.rank[1])
    }
    return [newest[rank] for rank in sorted(newest)]


def lines(api: Api, namespace: str, pod: PodRow, wanted: Wanted) -> Iterator[str]:
    """The log of one pod, line by line.

    Raises:
        ApiError: if there is none, or the connection broke.
    """
    query = {
        "container": wanted.container or _container(pod),
        "follow": "true" if wanted.follow else "",
        "previous": "true" if wanted.previous else "",
        "tailLines": "" if wanted.tail is None else str(wanted.tail),
    }
    path = item(PODS, namespace, pod.name, "log")
    for line in api.text(path, {key: value for key, value in query.items() if value}):
        yield line.decode(errors="replace")


def _container(pod: PodRow) -> str:
    """The one that trains, or that is named for its step, or the first."""
    return next((name for name in (NODE, pod.step) if name in pod.containers), pod.containers[0])
