"""What a gang of pods asks for as a whole: the numbers of a PodGroup."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trainc.info.info import Info
from trainc.info.podset import PodSet
from trainc.kube.quantity import Quantity
from trainc.kube.resources import pod_requests

_ALWAYS = "Always"


def gang(info: Info) -> dict[str, Any]:
    """``minMember`` and ``minResources`` of all pods of the job, initializers included.

    Requests count, limits do not stand in for them, replicas of a job are not multiplied
    (v2.3.0 ``pkg/runtime/core``, facts 3.11).
    """
    total: dict[str, Quantity] = {}
    for pod_set in info.pod_sets:
        for name, amount in _requests(pod_set).items():
            times = amount * pod_set.count
            total[name] = total[name] + times if name in total else times
    return {
        "minMember": sum(pod_set.count for pod_set in info.pod_sets),
        "minResources": {name: str(total[name]) for name in sorted(total)},
    }


def _requests(pod_set: PodSet) -> dict[str, Quantity]:
    pod: Mapping[str, Any] = pod_set.pod
    return pod_requests(
        [c.resources for c in pod_set.containers],
        [(c.resources, c.raw.get("restartPolicy") == _ALWAYS) for c in pod_set.init_containers],
        pod.get("resources") or {},
        pod.get("overhead") or {},
    )
