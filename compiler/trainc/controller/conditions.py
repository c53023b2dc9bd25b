"""Status conditions: finding, setting and removing one of a list, as Kubernetes' helpers do."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from trainc.controller.times import moment_of
from trainc.controller.view import Json

SUSPENDED = "Suspended"
COMPLETE = "Complete"
FAILED = "Failed"
STALLED = "Stalled"  # kstatus' word for an error that stands in the way
_OURS = (SUSPENDED, COMPLETE, FAILED, STALLED)

DEADLINE_EXCEEDED = "DeadlineExceeded"
NOT_SUPPORTED = "TrainingRuntimeNotSupported"
MAX_CONDITIONS = 8  # the CRD's bound


def find(conditions: Iterable[Json], kind: str) -> Json | None:
    """The condition of type ``kind``, or None."""
    return next((each for each in conditions if each.get("type") == kind), None)


def is_true(conditions: Iterable[Json], kind: str) -> bool:
    """Whether the condition of type ``kind`` is there and True."""
    found = find(conditions, kind)
    return found is not None and found.get("status") == "True"


def finished(conditions: Iterable[Json]) -> Json | None:
    """The condition that ended a TrainJob, Complete or Failed; None while there is none."""
    for each in conditions:
        if each.get("type") in (COMPLETE, FAILED) and each.get("status") == "True":
            return each
    return None


def end_of(conditions: Iterable[Json]) -> Json | None:
    """The condition that ended a JobSet, Completed or Failed; None while there is none."""
    held = {each.get("type"): each for each in conditions if each.get("status") == "True"}
    return held.get("Completed") or held.get("Failed")


def time_of(condition: Json) -> datetime | None:
    """When the condition last changed its status; None where that cannot be read."""
    return moment_of(str(condition.get("lastTransitionTime", "")))


def condition(kind: str, status: str, reason: str, message: str, when: str) -> Json:
    """A condition; ``when`` is a timestamp."""
    return {
        "lastTransitionTime": when,
        "message": message,
        "reason": reason,
        "status": status,
        "type": kind,
    }


def with_condition(conditions: tuple[Json, ...], new: Json) -> tuple[Json, ...]:
    """The list with ``new`` in the place of its type, or at the end.

    The time stays as it was where the status did not change (apimachinery's SetStatusCondition).
    A full list gives up the condition of another writer that has not changed for longest.
    """
    old = find(conditions, new["type"])
    if old is None:
        return (*_with_room(conditions), new)
    if old.get("status") == new["status"]:
        new = {**new, "lastTransitionTime": old.get("lastTransitionTime")}
    return tuple(new if each is old else each for each in conditions)


def _with_room(conditions: tuple[Json, ...]) -> tuple[Json, ...]:
    theirs = [each for each in conditions if each.get("type") not in _OURS]
    if len(conditions) < MAX_CONDITIONS or not theirs:
        return conditions
    oldest = min(theirs, key=lambda each: str(each.get("lastTransitionTime", "")))
    return tuple(each for each in conditions if each is not oldest)


def without(conditions: tuple[Json, ...], *kinds: str) -> tuple[Json, ...]:
    """The list without conditions of these types."""
    return tuple(each for each in conditions if each.get("type") not in kinds)
