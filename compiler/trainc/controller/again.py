"""When a job is looked at again where no event may tell of it: times over, failures, own writes."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from trainc.controller.conditions import STALLED, find, is_true, time_of
from trainc.controller.decision import MALFORMED, Observed

AT_ONCE: Final = 0.0  # seconds: what we wrote ourselves may be no news to our watch

_FIRST = 1.0  # seconds until what could not be made is tried again
_UNTOLD = 15.0  # where nothing tells for how long it has failed
_LATEST = 300.0


def try_again(seen: Observed, now: datetime) -> float | None:
    """Seconds until what failed is tried again: after as long as it has failed so far.

    To try costs requests and perhaps a compilation, but what is in the way may be an older job's of
    the name, and be collected in a moment. An annotation mends itself by an event.
    """
    if not seen.error or seen.reason == MALFORMED:
        return None
    if seen.trainjob is None:
        return _UNTOLD
    conditions = seen.trainjob.conditions
    stalled = find(conditions, STALLED) if is_true(conditions, STALLED) else None
    since = None if stalled is None else time_of(stalled)
    age = 0.0 if since is None else (now - since).total_seconds()
    if age < 0:  # another clock's
        return _UNTOLD
    return min(max(age, _FIRST), _LATEST)


def soonest(*seconds: float | None) -> float | None:
    """The first of some looks, each in seconds from now; None where there is none."""
    return min((each for each in seconds if each is not None), default=None)
