"""The data cache of a job: owned by its JobSet, and without pods while the job does not run.

In: a JobSet whose note names a cache. Out: an owner and a size for the LeaderWorkerSet that Git or
the compiler made. The manifest leaves both out, so no tool takes them back.
"""

from __future__ import annotations

import logging
from typing import Any

from trainc.controller.api import MERGE_PATCH, Api
from trainc.controller.conditions import is_true
from trainc.controller.paths import LEADER_WORKER_SETS, item
from trainc.controller.view import JobSetView, Json
from trainc.names import CACHE_LABEL, JOBSET_API_VERSION, MANAGED_BY_LABEL, TRAINC

logger = logging.getLogger(__name__)

_AGAIN = 30.0  # seconds until a cache that is not there is looked for again


def groups_of(jobset: JobSetView) -> int | None:
    """1 while the job runs or may begin, 0 while it is suspended or over; None without a cache."""
    if jobset.note is None or not jobset.note.cache:
        return None
    over = any(is_true(jobset.conditions, kind) for kind in ("Completed", "Failed"))
    return 0 if over or jobset.suspended or jobset.deleting else 1


def keep(api: Api, jobset: JobSetView, groups: int) -> float | None:
    """Gives the job's cache its owner and its size.

    Args:
        api: The API server.
        jobset: Whose cache it is.
        groups: How many groups it shall have.

    Returns:
        Seconds until it must be looked for again, None where it is as it shall be.

    Raises:
        ApiError: if it could not be read or changed.
    """
    assert jobset.note is not None
    path = item(LEADER_WORKER_SETS, jobset.namespace, jobset.note.cache)
    found = api.find(path)
    if found is None:
        return _AGAIN if groups else None
    labels = found["metadata"].get("labels", {})
    if labels.get(MANAGED_BY_LABEL) != TRAINC or labels.get(CACHE_LABEL) != jobset.note.cache:
        return None  # somebody else's, of the same name
    patch = changes(found, jobset, groups)
    if patch:
        version = {"resourceVersion": found["metadata"]["resourceVersion"]}
        patch["metadata"] = {**patch.get("metadata", {}), **version}
        api.patch(path, patch, MERGE_PATCH)
        said = (jobset.namespace, jobset.note.cache, groups)
        logger.info("data cache %s/%s: %d groups", *said)
    return None


def changes(found: Json, jobset: JobSetView, groups: int) -> dict[str, Any]:
    """What a LeaderWorkerSet lacks, as a merge patch; empty where it lacks nothing."""
    patch: dict[str, Any] = {}
    owners: list[Json] = found["metadata"].get("ownerReferences") or []
    # In a cluster that compiles, the TrainJob owns it already.
    if not any(owner["uid"] == jobset.uid or owner.get("controller") for owner in owners):
        others = [owner for owner in owners if owner["kind"] != "JobSet"]
        patch["metadata"] = {"ownerReferences": [*others, _owner(jobset)]}
    if found["spec"].get("replicas", 1) != groups:
        patch["spec"] = {"replicas": groups}
    return patch


def _owner(jobset: JobSetView) -> Json:
    return {
        "apiVersion": JOBSET_API_VERSION,
        "kind": "JobSet",
        "name": jobset.name,
        "uid": jobset.uid,
    }
