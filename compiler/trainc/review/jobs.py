"""One compiled job in a line: where it runs, on how much, for how long.

In: a job after its policies. Out: a ``JobLine``, of plain values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from trainc import names
from trainc.info.info import Info
from trainc.info.podset import PodSet
from trainc.kube.digits import COUNT
from trainc.kube.quantity import QuantityError, parse
from trainc.lint.gpus import PROCESSES

_PRIORITY: Final = f"{names.KUEUE_PREFIX}priority-class"
_PROCESSES: Final = frozenset(PROCESSES.values())
_OWN: Final = frozenset(("cpu", "memory", "ephemeral-storage", "storage"))


class JobLine(NamedTuple):
    """One job of one environment.

    Attributes:
        name: The TrainJob's name.
        env: The environment; empty where the project has none.
        namespace: Its namespace.
        runtime: The runtime's name.
        nodes: Pods that train.
        processes: Processes each of them starts, as its launcher is told; empty where nobody says.
        devices: Accelerators of all pods together: resource -> count.
        queue: Kueue's LocalQueue, empty for none.
        priority: Kueue's WorkloadPriorityClass, else the pods' priority class; empty for none.
        deadline: Seconds that it may run; 0 for no limit.
        image: Of the container that trains.
        dataset: Where its dataset comes from, empty for none.
        model: Where its model comes from, empty for none.
        suspended: Whether it is made suspended.
        jobset: The name of its JobSet.
        file: Where its TrainJob stands, ``file:line``.
    """

    name: str
    env: str
    namespace: str
    runtime: str
    nodes: int
    processes: str
    devices: Mapping[str, int]
    queue: str
    priority: str
    deadline: int
    image: str
    dataset: str
    model: str
    suspended: bool
    jobset: str
    file: str


def line_of(info: Info, env: str) -> JobLine:
    """The line of a compiled job.

    Args:
        info: The job after its policies.
        env: The environment; empty for none.
    """
    job = info.spec.job
    trainer = info.trainer
    node = trainer.node if trainer is not None else None
    mark = job.document.mark(("metadata", "name"))
    labels = {**info.spec.template.labels, **_map(job.document.root["metadata"].get("labels"))}
    return JobLine(
        name=job.document.name,
        env=env,
        namespace=job.namespace,
        runtime=info.spec.runtime.document.name,
        nodes=_nodes(info),
        processes=_processes(info.pod_sets),
        devices=_devices(info.pod_sets),
        queue=str(labels.get(names.QUEUE_LABEL, "")),
        priority=str(labels.get(_PRIORITY, "")) or _priority(trainer),
        deadline=int(job.spec.get("activeDeadlineSeconds") or 0),
        image="" if node is None else node.image or "",
        dataset=_uri(job.spec, "dataset"),
        model=_uri(job.spec, "model"),
        suspended=bool(job.spec.get("suspend")),
        jobset=info.name,
        file=f"{mark.file}:{mark.line}" if mark.line else mark.file,
    )


def _nodes(info: Info) -> int:
    """Pods that train: of MPI those that the hostfile names."""
    mpi = (info.spec.runtime.ml_policy or {}).get("mpi")
    if mpi is None:
        return _pods(info.trainer)
    launcher = info.pod_set(names.LAUNCHER)
    workers = _pods(info.pod_set(names.NODE))
    return workers + (_pods(launcher) if mpi.get("runLauncherAsNode") or not workers else 0)


def _pods(pod_set: PodSet | None) -> int:
    return 0 if pod_set is None else pod_set.count * pod_set.replicas


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _uri(spec: Mapping[str, Any], part: str) -> str:
    initializer = _map(_map(spec.get("initializer")).get(part))
    return str(initializer.get("storageUri") or "")


def _processes(pod_sets: Iterable[PodSet]) -> str:
    """What the launcher is told, in the first pod set that says it."""
    for pod_set in pod_sets:
        for item in pod_set.node.env if pod_set.node is not None else ():
            if item["name"] in _PROCESSES and item.get("value"):
                return str(item["value"])
    return ""


def _devices(pod_sets: Sequence[PodSet]) -> Mapping[str, int]:
    """The extended resources of all pods, a pod's containers added up."""
    total: dict[str, int] = {}
    for pod_set in pod_sets:
        for container in pod_set.containers:
            limits = _map(container.resources.get("limits"))
            for name, value in {**_map(container.resources.get("requests")), **limits}.items():
                count = _whole(value) if "/" in name and name not in _OWN else 0
                if count:
                    total[name] = total.get(name, 0) + count * _pods(pod_set)
    return dict(sorted(total.items()))


def _whole(value: object) -> int:
    text = str(value)
    if COUNT.fullmatch(text):
        return int(text)
    try:
        return parse(text).whole
    except QuantityError:
        return 0


def _priority(trainer: PodSet | None) -> str:
    pod = {} if trainer is None else trainer.raw["template"]["spec"]["template"].get("spec") or {}
    return str(pod.get("priorityClassName") or "")
