"""Suspend and resume: what Git would say by ``spec.suspend``, said to the cluster."""

from __future__ import annotations

from trainc.controller.api import MERGE_PATCH, Api
from trainc.controller.paths import JOB_SETS, TRAIN_JOBS, item
from trainc.names import KUEUE_PREFIX


class NotSteerableError(Exception):
    """The job cannot be suspended or resumed so; says why."""


def suspend(api: Api, namespace: str, name: str, yes: bool) -> list[str]:
    """Suspends the job, or resumes it; gives the objects that were changed, as ``Kind/name``.

    Raises:
        NotSteerableError: if there is no such job, or Kueue decides over it.
        ApiError: if the cluster refuses.
    """
    changed, found = [], False
    for kind, word in ((TRAIN_JOBS, "TrainJob"), (JOB_SETS, "JobSet")):
        path = item(kind, namespace, name)
        there = api.find(path)
        if there is None:
            continue
        found = True
        labels = there["metadata"].get("labels") or {}
        if any(label.startswith(KUEUE_PREFIX) for label in labels):
            raise NotSteerableError(
                f"{word}/{name} is queued by Kueue, which suspends and resumes it itself"
            )
        if bool((there.get("spec") or {}).get("suspend")) != yes:
            api.patch(path, {"spec": {"suspend": yes}}, MERGE_PATCH)
            changed.append(f"{word}/{name}")
    if not found:
        raise NotSteerableError(f"there is no TrainJob or JobSet {name} in namespace {namespace}")
    return changed
