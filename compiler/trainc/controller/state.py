"""The one word for how a TrainJob is: what STATE columns and metrics show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from trainc.controller.conditions import COMPLETE, FAILED, STALLED, SUSPENDED, is_true
from trainc.controller.view import Json

RUNNING = "Running"
PENDING = "Pending"
STATES = (COMPLETE, FAILED, STALLED, SUSPENDED, RUNNING, PENDING)


def state_of(conditions: Sequence[Json], jobs: Iterable[Json]) -> str:
    """Complete, Failed, Stalled, Suspended, Running or Pending, the first that is true.

    Args:
        conditions: Of the TrainJob.
        jobs: Its ``jobsStatus``.
    """
    for kind in (COMPLETE, FAILED, STALLED, SUSPENDED):
        if is_true(conditions, kind):
            return kind
    begun = any(each.get("ready") or each.get("succeeded") for each in jobs)
    return RUNNING if begun else PENDING
