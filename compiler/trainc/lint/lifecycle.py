"""Lints on how a job ends, waits and starts again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from trainc.errors import Problem
from trainc.info.podset import PodSet
from trainc.lint.lint import Finding, Job, Lint, of_pods

_SPOT: Final = (
    "cloud.google.com/gke-spot",
    "cloud.google.com/gke-preemptible",
    "kubernetes.azure.com/scalesetpriority",
    "eks.amazonaws.com/capacityType",
    "karpenter.sh/capacity-type",
    "node.kubernetes.io/spot",
)
_TTL: Final = "ttlSecondsAfterFinished"


def ttl(job: Job) -> Iterator[Problem]:
    """A job that removes itself, under a tool that puts back what is missing."""
    if not job.gitops or job.allow_ttl:
        return
    spec = job.jobset["spec"]
    paths: list[tuple[str | int, ...]] = [("spec", _TTL)] if _TTL in spec else []
    for index, each in enumerate(spec.get("replicatedJobs", ())):
        if _TTL in each["template"]["spec"]:
            paths.append(("spec", "replicatedJobs", index, "template", "spec", _TTL))
    for path in paths:
        yield job.at(
            path,
            "left out: the tool would put the finished job back, and train again",
            "remove finished jobs from Git; --allow-ttl keeps the field",
        )


def lone_retry(job: Job) -> Iterator[Problem]:
    """Pods of a multi-node job that are retried one by one."""
    trainer = job.info.trainer
    if trainer is None or job.nodes < 2 or job.jobset["spec"].get("failurePolicy"):
        return
    limit = trainer.raw["template"]["spec"].get("backoffLimit")
    if limit:
        index = job.info.pod_sets.index(trainer)
        yield job.at(
            ("spec", "replicatedJobs", index, "template", "spec", "backoffLimit"),
            f"a failed pod is tried {limit} times while the other nodes hang in NCCL",
            "set backoffLimit: 0 and a failurePolicy with maxRestarts",
        )


@of_pods
def no_grace(pod_set: PodSet) -> Iterator[Finding]:
    """Spot machines and no time to write a checkpoint."""
    pod = pod_set.pod
    tolerations = pod.get("tolerations")
    if not tolerations or "terminationGracePeriodSeconds" in pod:
        return
    if any(each.get("key") in _SPOT for each in tolerations):
        yield (
            ("tolerations",),
            "runs on spot machines with 30 s to write a checkpoint",
            "set terminationGracePeriodSeconds to what a checkpoint takes",
        )


def no_deadline(job: Job) -> Iterator[Problem]:
    """A job that may hold its nodes for ever."""
    trainer = job.info.trainer
    own = trainer.raw["template"]["spec"].get("activeDeadlineSeconds") if trainer else None
    if not own and not job.info.spec.job.spec.get("activeDeadlineSeconds"):
        yield job.in_job(
            ("spec",),
            "no activeDeadlineSeconds: a hanging job keeps its nodes",
            "set activeDeadlineSeconds to the longest it may take",
        )


def deprecated(job: Job) -> Iterator[Problem]:
    """A runtime whose owner wants it gone. Cluster runtimes are told at admission already."""
    runtime = job.info.spec.runtime
    labels = runtime.document.root["metadata"].get("labels") or {}
    if labels.get("trainer.kubeflow.org/support") == "deprecated" and not runtime.deprecated:
        yield job.in_job(
            ("spec", "runtimeRef", "name"), f"{runtime.label} is deprecated", "use another runtime"
        )


LINTS = (
    Lint("TRC401", "warning", ttl),
    Lint("TRC402", "note", lone_retry),
    Lint("TRC403", "note", no_grace),
    Lint("TRC404", "note", no_deadline),
    Lint("TRC405", "warning", deprecated),
)
