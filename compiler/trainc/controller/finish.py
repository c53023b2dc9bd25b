"""Finished is final, but only for the run that finished: which of the two a TrainJob's end is.

In: the TrainJob and the JobSet of its name. Out: a ``Verdict``. GitOps tools make a deleted JobSet
again, other writers may set conditions, and a TrainJob may be made anew beside an old JobSet; the
times of creation and of the finish tell these apart.
"""

from __future__ import annotations

from enum import Enum, auto

from trainc.controller.conditions import (
    COMPLETE,
    DEADLINE_EXCEEDED,
    FAILED,
    end_of,
    finished,
    is_true,
    time_of,
)
from trainc.controller.times import moment_of
from trainc.controller.view import JobSetView, Json, TrainJobView

_ENDS = {COMPLETE: "Completed", FAILED: "Failed"}


class Verdict(Enum):
    """What a TrainJob's finished condition means for the JobSet there is."""

    OPEN = auto()  # not finished
    OVER = auto()  # finished, and nothing is left to stop
    DELETE = auto()  # finished by its deadline, and the JobSet that overran it is still there
    HOLD = auto()  # finished, and a JobSet made afterwards would run
    WITHDRAW = auto()  # a finish that no JobSet stands behind


def verdict_of(trainjob: TrainJobView, jobset: JobSetView | None) -> Verdict:
    """What the TrainJob's end, if it has one, means for ``jobset``."""
    end = finished(trainjob.conditions)
    if end is None:
        return Verdict.OPEN
    if jobset is None:
        return Verdict.OVER
    if made_after(jobset, trainjob, end):
        stopped = _is_held(jobset) or jobset.deleting or _has_finished(jobset)
        return Verdict.OVER if stopped else Verdict.HOLD
    if end.get("reason") == DEADLINE_EXCEEDED:
        return Verdict.OVER if jobset.deleting or _has_finished(jobset) else Verdict.DELETE
    return Verdict.OVER if is_true(jobset.conditions, _ENDS[end["type"]]) else Verdict.WITHDRAW


def made_after(jobset: JobSetView, trainjob: TrainJobView, end: Json) -> bool:
    """Whether the JobSet came after the finish, and the finish after the TrainJob.

    A finish older than the TrainJob is an older run's, taken over with its JobSet.
    """
    created, born, ended = moment_of(jobset.created), moment_of(trainjob.created), time_of(end)
    if created is None or born is None or ended is None:
        return False
    # In one and the same second: what has not finished cannot be what the finish was of.
    return born <= ended and (ended < created or (ended == created and not _has_finished(jobset)))


def _is_held(jobset: JobSetView) -> bool:
    """Whether it is suspended, and stays so.

    A queued JobSet is suspended while it waits too: Kueue resumes it when it admits it.
    """
    return jobset.suspended and (jobset.held or not jobset.queued)


def _has_finished(jobset: JobSetView) -> bool:
    return end_of(jobset.conditions) is not None
