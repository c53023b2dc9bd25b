"""Lints on a job in the hands of Kueue and of the tool that syncs it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from trainc import names
from trainc.errors import Problem
from trainc.lint.lint import POD, Job, Lint, Path
from trainc.plan.metadata import reaches_jobset
from trainc.plan.queue import PLACEMENT, is_queued

_ELSEWHERE: Final = {
    "nodeSelector": "write them as affinity.nodeAffinity, or as nodeLabels of the ResourceFlavor",
    "tolerations": "write them as tolerations of the ResourceFlavor",
}


def applied_twice_by_flux(job: Job) -> Iterator[Problem]:
    """Placement that Flux and Kueue both write, where nothing keeps Flux from applying it again."""
    if not job.flux or job.on_change == "rename":
        return
    for path, field in _placed(job):
        fate = (
            "Flux deletes the running job at every interval"
            if job.on_change == "replace"
            else "every reconcile of Flux fails while the job runs"
        )
        yield job.at(
            path,
            f"{fate}: Kueue adds those of a flavor to the {field} of a queued job",
            f"{_ELSEWHERE[field]}; or on_change: rename, with which Flux applies the job once",
        )


def applied_twice(job: Job) -> Iterator[Problem]:
    """The same where nobody knows who applies the output."""
    if job.gitops:
        return
    for path, field in _placed(job):
        yield job.at(
            path,
            f"Kueue adds those of a flavor to the {field} of a queued job: "
            "applying it again is refused while it runs",
            _ELSEWHERE[field],
        )


def _placed(job: Job) -> Iterator[tuple[Path, str]]:
    """The fields of a queued job's pods to which Kueue adds, each once."""
    if not is_queued(job.info.spec):
        return
    for field in PLACEMENT:
        for index, pod_set in enumerate(job.info.pod_sets):
            if pod_set.pod.get(field):
                yield ("spec", "replicatedJobs", index, *POD, field), field
                break


def left_behind(job: Job) -> Iterator[Problem]:
    """Labels and annotations of the TrainJob that nobody who sees the JobSet gets."""
    if any(each.manifest["kind"] == names.TRAIN_JOB for each in job.objects):
        return
    metadata = job.info.spec.job.document.root["metadata"]
    lost = [
        (field, key)
        for field in ("labels", "annotations")
        for key in metadata.get(field) or {}
        if not reaches_jobset(key) and not key.startswith(_OF_TOOLS)
    ]
    if lost:
        yield job.in_job(
            ("metadata", *lost[0]),
            f"not on the JobSet: {', '.join(sorted(key for _, key in lost))}",
            "write what its readers need below runtimePatches[].trainingRuntimeSpec.template"
            ".metadata, or print the TrainJob too, with emit: both",
        )


def without_runtime(job: Job) -> Iterator[Problem]:
    """A TrainJob beside a queued JobSet: Kueue looks up the runtime of every TrainJob.

    It is the cluster's fault rather than a line's: without a place, all jobs share one finding.
    """
    spec = job.info.spec
    if not is_queued(spec):
        return
    if any(each.manifest["kind"] == names.TRAIN_JOB for each in job.objects):
        yield Problem(
            "Kueue refuses a TrainJob whose runtime is not in the cluster",
            "TRC425",
            hint="apply the runtimes first ('trainc install --runtimes' prints the stock ones), "
            "or take trainer.kubeflow.org/trainjob out of Kueue's integrations.frameworks",
        )


# What the compiler itself reads, or a tool wrote to find its own object again.
_OF_TOOLS: Final = (
    *names.TRACKING,
    names.MANAGED_BY_LABEL,
    "kubectl.kubernetes.io/",
    "trainc.dev/",
)

LINTS = (
    Lint("TRC421", "error", applied_twice_by_flux, stops=True),
    Lint("TRC422", "note", applied_twice),
    Lint("TRC423", "note", left_behind),
    Lint("TRC425", "warning", without_runtime),
)
