"""Times that JobSet's controller wrote, taken for the API server's where they can be.

In: conditions of a JobSet, and the API server's present time. Out: timestamps. JobSet's controller
writes by its own clock, which nobody compares with another: a time before what must have been
before it, in the future, or long before it was seen, is replaced by the moment it was seen at.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from trainc.controller.conditions import end_of, time_of
from trainc.controller.times import moment_of, written
from trainc.controller.view import JobSetView, Json, TrainJobView

_SLACK: Final = timedelta(seconds=2)  # whole seconds, and what is known of the server's clock
_FRESH: Final = timedelta(seconds=60)


def ended_at(jobset: JobSetView, trainjob: TrainJobView, now: datetime) -> str:
    """When a JobSet ended; before the TrainJob was made where it was an older run's."""
    end = end_of(jobset.conditions) or {}
    theirs = time_of(end)
    if is_of_older_run(jobset, trainjob):
        return str(end["lastTransitionTime"])
    known = [each for each in map(moment_of, (jobset.created, trainjob.created)) if each]
    if theirs is None or any(theirs < each for each in known) or theirs > now + _SLACK:
        return written(now)
    return str(end["lastTransitionTime"])


def is_of_older_run(jobset: JobSetView, trainjob: TrainJobView) -> bool:
    """Whether a JobSet that has ended did so before the TrainJob was made.

    It did not where the TrainJob is the older one, or has followed it while it ran: both are known
    without any clock but the API server's.
    """
    theirs = time_of(end_of(jobset.conditions) or {})
    created, born = moment_of(jobset.created), moment_of(trainjob.created)
    if trainjob.jobs or theirs is None or created is None or born is None:
        return False
    return created <= theirs < born


def changed_at(condition: Json, now: datetime, *, was_other: bool) -> str:
    """When a condition changed that is as it was just seen.

    Args:
        condition: The condition.
        now: The present time.
        was_other: Whether it had another status when it was looked at before. A time that is not
            of this minute is then of another clock, or of hours that nobody was there: it is the
            moment it was seen at, so that no deadline is counted from before it.
    """
    theirs = time_of(condition)
    if theirs is None or theirs > now + _SLACK or (was_other and theirs < now - _FRESH):
        return written(now)
    return str(condition["lastTransitionTime"])
