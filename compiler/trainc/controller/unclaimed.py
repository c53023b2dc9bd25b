"""Queued JobSets that Kueue makes no Workload for: nothing else says why they never run.

Kueue makes a Workload within a second, or none at all where the WorkloadPriorityClass that the job
names is not there, and says so in its own log alone.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Final

from trainc.controller.api import Api, ApiError
from trainc.controller.decision import Told
from trainc.controller.kueue import workloads
from trainc.controller.times import moment_of
from trainc.controller.view import JobSetView

_PATIENCE: Final = 10.0  # seconds after the JobSet was made
_AGAIN: Final = 60.0
_MOST: Final = 50_000  # JobSets remembered
NO_WORKLOAD: Final = Told(
    "Warning",
    "NoWorkload",
    "Kueue has made no Workload for it, so it waits for ever: is the WorkloadPriorityClass of its "
    "label kueue.x-k8s.io/priority-class in the cluster?",
)


class Unclaimed:
    """Looks once for the Workload of each queued JobSet."""

    def __init__(self, api: Api, tell: Callable[[JobSetView, Told], None]) -> None:
        """``tell`` writes an Event about a JobSet."""
        self._api = api
        self._tell = tell
        self._lock = threading.Lock()
        self._claimed: OrderedDict[str, None] = OrderedDict()

    def look(self, jobset: JobSetView, now: datetime) -> float | None:
        """Reports a JobSet without a Workload; gives the seconds until the next look.

        None where it has one, needs none, or nobody can say.
        """
        waits = jobset.queued and jobset.suspended and not jobset.held and not jobset.deleting
        created = moment_of(jobset.created)
        if not waits or created is None or jobset.uid in self._claimed:
            return None
        age = (now - created).total_seconds()
        if age < _PATIENCE:
            return _PATIENCE - age
        try:
            found = workloads(self._api, jobset.namespace, jobset.uid)
        except ApiError as error:
            return _AGAIN if error.is_passing else None
        if found is None or found:
            self._remember(jobset.uid)
            return None
        self._tell(jobset, NO_WORKLOAD)
        return _AGAIN

    def _remember(self, uid: str) -> None:
        with self._lock:
            self._claimed[uid] = None
            if len(self._claimed) > _MOST:
                self._claimed.popitem(last=False)
