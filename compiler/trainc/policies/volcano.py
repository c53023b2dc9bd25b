"""Volcano: a PodGroup of Volcano's own kind, with queue, priority and network topology.

Source: ``pkg/runtime/framework/plugins/volcano`` of v2.3.0 and KEP-2437; controlplane facts 2.2,
3.11.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from trainc import codes
from trainc.errors import Problem
from trainc.info.gang import gang
from trainc.info.info import Info
from trainc.policy import Policy

_QUEUE: Final = "scheduling.volcano.sh/queue-name"
_GROUP: Final = "scheduling.k8s.io/group-name"
# Every cluster has these; upstream looks no further once it has met one.
_SYSTEM: Final = frozenset({"system-cluster-critical", "system-node-critical"})


@dataclass(frozen=True)
class Topology:
    """How near the pods must be to each other."""

    mode: str = "hard"
    highest_tier_allowed: int | None = None


@dataclass(frozen=True)
class Settings:
    """What a runtime may write under ``spec.podGroupPolicy.volcano``."""

    network_topology: Topology | None = None


def check(info: Info, settings: Settings) -> Iterator[Problem]:
    """Refuses an empty queue name; looks for the priority classes that pods name."""
    del settings
    spec = info.spec
    at = ("spec", "runtimeRef")
    if spec.template.annotations.get(_QUEUE) == "":
        field = f"spec.annotations[{_QUEUE}]"
        yield spec.problem(
            at, f"the annotation {_QUEUE} names no queue", field=field, code=codes.POLICY
        )
    must_exist = spec.compat.keeps("priority-class")
    for pod_set in info.pod_sets:
        name = pod_set.pod.get("priorityClassName")
        if name in _SYSTEM:
            if must_exist:
                return
            continue
        if name and name not in spec.settings.priority_classes:
            yield spec.problem(
                at,
                f'no PriorityClass "{name}" among the inputs, named by the pods of {pod_set.name}',
                field="spec.templateSpec.priorityClassName",
                severity="error" if must_exist else "warning",
                hint="the cluster may hold it; add its file to the inputs to be sure",
                code=codes.POLICY,
            )


def enforce(info: Info, settings: Settings) -> Info:
    """Adds the PodGroup and puts every pod into it."""
    spec: dict[str, Any] = gang(info)
    if _QUEUE in info.spec.template.annotations:
        spec["queue"] = info.spec.template.annotations[_QUEUE]
    classes = [pod_set.pod.get("priorityClassName") for pod_set in info.pod_sets]
    named = [name for name in classes if name]
    if named:
        spec["priorityClassName"] = named[-1]
    topology = settings.network_topology
    if topology is not None:
        spec["networkTopology"] = {"mode": topology.mode}
        if topology.highest_tier_allowed is not None:
            spec["networkTopology"]["highestTierAllowed"] = topology.highest_tier_allowed
    group = {
        "apiVersion": "scheduling.volcano.sh/v1beta1",
        "kind": "PodGroup",
        "metadata": {"name": info.name},
        "spec": spec,
    }
    note = {_GROUP: info.name}
    return info.with_object(group).with_pod_sets(
        lambda pod_set: pod_set._replace(pod_annotations={**pod_set.pod_annotations, **note})
    )


POLICY = Policy(key="podGroupPolicy.volcano", settings=Settings, enforce=enforce, check=check)
