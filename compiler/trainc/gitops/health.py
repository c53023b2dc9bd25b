"""Health checks for Argo CD (Lua) and Flux (CEL): without one, both take a failed job for synced.

In: what counts as done, ``finished`` or ``started``. Out: plain data to print as YAML. The Lua
scripts are package data; the tests run both packs on status documents of real controllers.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final, Literal

from trainc import names

Until = Literal["finished", "started"]

# Script -> the kinds it is for, as Argo CD spells its keys: GROUP_Kind. No wildcards: managed Argo
# CD services refuse them.
_LUA: Final = {
    "jobset": ("jobset.x-k8s.io_JobSet",),
    "leaderworkerset": ("leaderworkerset.x-k8s.io_LeaderWorkerSet",),
    "podgroup": ("scheduling.volcano.sh_PodGroup", "scheduling.x-k8s.io_PodGroup"),
    "trainjob": ("trainer.kubeflow.org_TrainJob",),
}
_RUNNING: Final = 'local running = "Progressing"'

# Flux evaluates `failed` before `current` and stops at an error, and `status` is an unknown name
# until a controller has written one: so what is queued is told first, from the spec alone.
_QUEUED: Final = (
    "has(spec.suspend) && spec.suspend && has(metadata.labels) && "
    f"'{names.QUEUE_LABEL}' in metadata.labels"
)


def argocd_health(until: Until) -> dict[str, str]:
    """The keys of ``argocd-cm``: ``resource.customizations.health.GROUP_Kind`` to a Lua script.

    Args:
        until: ``finished`` keeps a running job Progressing, as Argo CD does with a batch Job;
            ``started`` calls it Healthy, so that a sync ends when the training has begun.
    """
    return {
        f"resource.customizations.health.{kind}": script(pack, until)
        for pack, kinds in _LUA.items()
        for kind in kinds
    }


def script(pack: str, until: Until = "finished") -> str:
    """The Lua script of a pack: ``jobset``, ``trainjob``, ``leaderworkerset`` or ``podgroup``."""
    text = files("trainc.gitops").joinpath(f"packs/{pack}.lua").read_text(encoding="utf-8")
    if until == "finished":
        return text
    return text.replace(_RUNNING, 'local running = "Healthy"')


def flux_health(until: Until) -> list[dict[str, str]]:
    """The items of a Kustomization's ``spec.healthCheckExprs``.

    Args:
        until: ``finished`` waits for the end of a training, at most the Kustomization's timeout;
            ``started`` for its first pods.
    """
    return [
        _terminal(names.JOBSET_API_VERSION, "JobSet", "Completed", "replicatedJobsStatus", until),
        _terminal(names.API_VERSION, names.TRAIN_JOB, "Complete", "jobsStatus", until),
        {
            "apiVersion": "leaderworkerset.x-k8s.io/v1",
            "kind": "LeaderWorkerSet",
            "current": _condition("Available"),
        },
        *_pod_groups(),
    ]


def _terminal(version: str, kind: str, done: str, jobs: str, until: Until) -> dict[str, str]:
    """A kind that ends: its conditions, and where ``started`` is enough its child jobs."""
    current = f"({_QUEUED}) || ({_condition(done)})"
    if until == "started":
        busy = " || ".join(f"(has(j.{count}) && j.{count} > 0)" for count in _COUNTS)
        current += f" || (has(status.{jobs}) && status.{jobs}.exists(j, {busy}))"
    return {
        "apiVersion": version,
        "kind": kind,
        "failed": f"!({_QUEUED}) && {_condition('Failed')}",
        "current": current,
    }


_COUNTS: Final = ("active", "ready", "succeeded")


def _condition(name: str) -> str:
    test = f"c.type == '{name}' && c.status == 'True'"
    return f"has(status.conditions) && status.conditions.exists(c, {test})"


def _pod_groups() -> list[dict[str, str]]:
    """Groups wait for pods that come after them: one that is there is ready.

    No expression may read the status: until the gang's scheduler writes one, Flux's engine ends in
    an error even for ``has(status.phase)``, and would wait for ever. A gang that failed shows in
    its JobSet.
    """
    return [
        {"apiVersion": version, "kind": "PodGroup", "current": "true"}
        for version in ("scheduling.volcano.sh/v1beta1", "scheduling.x-k8s.io/v1alpha1")
    ]


def customizations(until: Until) -> dict[str, Any]:
    """A patch of the ConfigMap ``argocd-cm`` that holds the health checks."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "argocd-cm", "namespace": "argocd"},
        "data": argocd_health(until),
    }
