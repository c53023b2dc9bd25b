"""``activeDeadlineSeconds`` and ``ttlSecondsAfterFinished``: how much of a job's time is left.

The rules of Kubeflow Trainer v2.3.0: counted from the TrainJob's creation, or from its last
resumption; not counted while it is suspended. Without a TrainJob the JobSet's own times stand in.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

from trainc.controller.conditions import DEADLINE_EXCEEDED, SUSPENDED, find, time_of
from trainc.controller.times import moment_of
from trainc.controller.view import JobSetView, Json, TrainJobView


class _Words(NamedTuple):
    reason: str
    message: str


EXCEEDED: Final = _Words(DEADLINE_EXCEEDED, "TrainJob exceeded its active deadline")


def seconds_left(
    conditions: Iterable[Json],
    trainjob: TrainJobView | None,
    jobset: JobSetView | None,
    now: datetime,
) -> float | None:
    """Seconds until the deadline, 0 or less when the time is over; None where none counts.

    Args:
        conditions: Those that tell the last resumption: the TrainJob's, or else the JobSet's.
        trainjob: The TrainJob, if it is in the cluster: its deadline counts, and its age.
        jobset: The JobSet, if there is one.
        now: The present time.
    """
    owner = trainjob if trainjob is not None else jobset
    running = jobset if jobset is not None else trainjob
    if owner is None or running is None or running.suspended:
        return None
    seconds = _limit(trainjob, jobset)
    # A JobSet that is older than its TrainJob may have been resumed before that was made.
    resumed = _resumed(conditions, now)
    starts = [each for each in (moment_of(owner.created), resumed) if each is not None]
    if not seconds or not starts:
        return None
    return seconds - (now - max(starts)).total_seconds()


def seconds_kept(jobset: JobSetView, now: datetime) -> float | None:
    """Seconds for which a finished JobSet is kept; None where that is not ours to end."""
    ends = [each for each in jobset.conditions if each.get("type") in ("Completed", "Failed")]
    end = next((time_of(each) for each in ends if each.get("status") == "True"), None)
    if jobset.ttl is None or jobset.deleting or end is None:
        return None
    return jobset.ttl - (now - end).total_seconds()


def _limit(trainjob: TrainJobView | None, jobset: JobSetView | None) -> int:
    if trainjob is not None:
        return trainjob.deadline
    return jobset.note.deadline if jobset is not None and jobset.note is not None else 0


def _resumed(conditions: Iterable[Json], now: datetime) -> datetime | None:
    """When what is not suspended any more was resumed: now, where JobSet has yet to say so."""
    suspended = find(conditions, SUSPENDED)
    if suspended is None:
        return None
    if suspended.get("status") != "False":
        return now
    return moment_of(str(suspended.get("lastTransitionTime", "")))
