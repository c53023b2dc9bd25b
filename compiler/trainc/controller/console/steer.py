"""Suspend and resume: what Git would say by ``spec.suspend``, said to the cluster.

In: the API and the name of a job. Out: the objects that were changed. All that can be checked is
checked before the first write: where one change would be refused, none is made.
"""

from __future__ import annotations

from typing import NamedTuple

from trainc.controller.api import MERGE_PATCH, Api
from trainc.controller.kueue import NOT_INSTALLED, is_queued, workloads
from trainc.controller.paths import JOB_SETS, TRAIN_JOBS, Kind, item
from trainc.controller.view import Json

_KINDS: dict[str, Kind] = {"TrainJob": TRAIN_JOBS, "JobSet": JOB_SETS}


class NotSteerableError(Exception):
    """The job cannot be suspended or resumed so; says why."""


class _Change(NamedTuple):
    """A merge patch of one object."""

    label: str  # Kind/name
    path: str
    patch: Json


def suspend(api: Api, namespace: str, name: str, yes: bool) -> list[str]:
    """Suspends the job, or resumes it; gives the objects that were changed, as ``Kind/name``.

    A job in a queue of Kueue's is held and let go by ``spec.active`` of its Workload: its
    ``spec.suspend`` is Kueue's to write.

    Raises:
        NotSteerableError: if there is no such job, or it is queued and has no Workload; nothing
            was written.
        ApiError: if the cluster refuses; nothing was written unless it changed its mind.
    """
    lookups = ((word, api.find(item(kind, namespace, name))) for word, kind in _KINDS.items())
    manifests = {word: manifest for word, manifest in lookups if manifest is not None}
    if not manifests:
        raise NotSteerableError(f"there is no TrainJob or JobSet {name} in namespace {namespace}")
    changes: list[_Change] = []
    for word, manifest in manifests.items():
        if is_queued(manifest):
            changes += _through_kueue(api, word, manifest, yes)
        elif not _follows(word, manifests):
            changes += _directly(word, manifest, yes)
    if len(changes) > 1:
        for change in changes:
            api.patch(change.path, change.patch, MERGE_PATCH, {"dryRun": "All"})
    for change in changes:
        api.patch(change.path, change.patch, MERGE_PATCH)
    return [change.label for change in changes]


def _follows(word: str, manifests: dict[str, Json]) -> bool:
    """Whether the other object of the job is queued, and this one does as that one does.

    A TrainJob beside a queued JobSet has no pods of its own; a JobSet that ``--compile`` made is
    suspended as its TrainJob is.
    """
    other = manifests.get("JobSet" if word == "TrainJob" else "TrainJob")
    if other is None or not is_queued(other):
        return False
    owners = manifests[word]["metadata"].get("ownerReferences") or []
    return word == "TrainJob" or any(o["uid"] == other["metadata"]["uid"] for o in owners)


def _directly(word: str, manifest: Json, yes: bool) -> list[_Change]:
    if bool((manifest.get("spec") or {}).get("suspend")) == yes:
        return []
    metadata = manifest["metadata"]
    path = item(_KINDS[word], metadata["namespace"], metadata["name"])
    return [_Change(f"{word}/{metadata['name']}", path, {"spec": {"suspend": yes}})]


def _through_kueue(api: Api, word: str, manifest: Json, yes: bool) -> list[_Change]:
    metadata = manifest["metadata"]
    theirs = workloads(api, metadata["namespace"], metadata["uid"])
    label = f"{word}/{metadata['name']}"
    if theirs is None:
        raise NotSteerableError(
            f"{label} is queued for Kueue, which alone suspends and resumes it, and {NOT_INSTALLED}"
        )
    if not theirs:
        raise NotSteerableError(
            f"{label} is queued, and Kueue has made no Workload for it so far: try again, or see"
            f" 'kubectl describe' of the {word}"
        )
    return [
        _Change(f"Workload/{each.name}", each.path, each.patch(active=not yes))
        for each in theirs
        if each.active == yes
    ]
