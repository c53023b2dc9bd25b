"""Spec in, Info out: pod sets from the patched template, counts from template and runtime."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from trainc import names
from trainc.info.info import Info
from trainc.info.podset import Container, PodSet, container
from trainc.spec.runtime import Template
from trainc.spec.spec import Spec


def prepare(spec: Spec) -> Info:
    """The job before any policy has seen it.

    A pod set counts as many pods as its Job template says; the trainer as many as the runtime's
    ``mlPolicy.numNodes`` says, where it has an mlPolicy (v2.3.0 ``pkg/runtime/core``, facts 3.3).
    """
    policy = spec.runtime.ml_policy
    nodes = None if policy is None else max(policy.get("numNodes") or 1, 1)
    return Info(spec, _pod_sets(spec.template, nodes))


@lru_cache(maxsize=512)
def _pod_sets(template: Template, nodes: int | None) -> tuple[PodSet, ...]:
    """The pod sets of a template; the same objects for every job that uses it unpatched."""
    return tuple(_pod_set(job, nodes) for job in template.jobs)


def _pod_set(job: Mapping[str, Any], nodes: int | None) -> PodSet:
    spec = job["template"]["spec"]
    pod = spec["template"].get("spec") or {}
    labels = (job["template"].get("metadata") or {}).get("labels") or {}
    ancestor = labels.get(names.ANCESTOR, "")
    trains = ancestor == names.TRAINER and nodes is not None
    return PodSet(
        raw=job,
        name=job["name"],
        ancestor=ancestor,
        count=nodes if trains and nodes else max(spec.get("parallelism", 1), 1),
        containers=_containers(pod, "containers"),
        init_containers=_containers(pod, "initContainers"),
        volumes=tuple(pod.get("volumes", ())),
    )


def _containers(pod: Mapping[str, Any], kind: str) -> tuple[Container, ...]:
    return tuple(container(raw) for raw in pod.get(kind, ()))
