"""Coscheduling: a PodGroup of the scheduler plugins, so that all pods start together or none.

Source: ``pkg/runtime/framework/plugins/coscheduling`` of v2.3.0; controlplane facts 3.11.
"""

from __future__ import annotations

from dataclasses import dataclass

from trainc.info.gang import gang
from trainc.info.info import Info
from trainc.policy import Policy

_LABEL = "scheduling.x-k8s.io/pod-group"


@dataclass(frozen=True)
class Settings:
    """What a runtime may write under ``spec.podGroupPolicy.coscheduling``."""

    schedule_timeout_seconds: int = 60


def enforce(info: Info, settings: Settings) -> Info:
    """Adds the PodGroup and puts every pod into it."""
    spec = {**gang(info), "scheduleTimeoutSeconds": settings.schedule_timeout_seconds}
    group = {
        "apiVersion": "scheduling.x-k8s.io/v1alpha1",
        "kind": "PodGroup",
        "metadata": {"name": info.name},
        "spec": spec,
    }
    label = {_LABEL: info.name}
    return info.with_object(group).with_pod_sets(
        lambda pod_set: pod_set._replace(pod_labels={**pod_set.pod_labels, **label})
    )


POLICY = Policy(key="podGroupPolicy.coscheduling", settings=Settings, enforce=enforce)
