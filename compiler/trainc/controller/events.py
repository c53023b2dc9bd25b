"""Events on TrainJobs and JobSets, for ``kubectl describe``.

In: what happened to which object. Out: Event objects, written by a thread of its own at a bounded
pace and where it can be while no status is on its way, the oldest dropped when too many wait: an
Event never holds up a status. The name is made of what is told, so the same is told once, also by a
controller that was restarted.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import UTC, datetime

from trainc.controller.api import Api, ApiError
from trainc.controller.decision import Told
from trainc.controller.paths import EVENTS, collection
from trainc.controller.times import written
from trainc.controller.view import JobSetView, Json, TrainJobView
from trainc.names import API_VERSION, JOBSET_API_VERSION

logger = logging.getLogger(__name__)

COMPONENT = "trainc-controller"
_WAITING = 1000
_REMEMBERED = 10_000
_PAUSE = 0.04  # seconds between two, 25 a second
_CALM = 1.0  # seconds before the first: with many of them come many statuses, which go first
_PATIENCE = 1.0  # seconds an Event waits for a moment in which no status is on its way
_LOOK = 0.02  # seconds between looks for one
_AGAIN = (1.0, 2.0, 4.0, 8.0, 16.0)  # seconds between tries while the API server does not answer
_LONGEST = 1024  # the API server's bound on an Event's message


class Events:
    """Tells what happened."""

    def __init__(self, api: Api, is_calm: Callable[[], bool] = lambda: True) -> None:
        """Nothing is written before ``start``.

        Args:
            api: The API server.
            is_calm: Whether no status is on its way.
        """
        self._api = api
        self._is_calm = is_calm
        self._waiting: deque[Json] = deque(maxlen=_WAITING)
        self._told: OrderedDict[str, None] = OrderedDict()
        self._change = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)

    def start(self) -> None:
        """Begins to write."""
        self._thread.start()

    def stop(self, seconds: float = 2) -> None:
        """Writes what waits, for up to ``seconds``, and ends."""
        with self._change:
            self._stopped = True
            self._change.notify()
        self._thread.join(seconds)

    def tell(self, subject: TrainJobView | JobSetView, told: Told) -> None:
        """Tells it of ``subject``, unless that was done before."""
        event = _event(subject, told)
        name = event["metadata"]["name"]
        with self._change:
            if name in self._told:
                return
            self._told[name] = None
            if len(self._told) > _REMEMBERED:
                self._told.popitem(last=False)
            self._waiting.append(event)
            self._change.notify()

    def _run(self) -> None:
        while True:
            with self._change:
                if not self._waiting and not self._stopped:
                    self._change.wait_for(lambda: self._waiting or self._stopped)
                    self._change.wait_for(lambda: self._stopped, _CALM)
                self._give_way()
                if not self._waiting:
                    return
                event = self._waiting.popleft()
            self._write(event)

    def _give_way(self) -> None:
        """Waits while statuses are on their way, but not for ever."""
        end = time.monotonic() + _PATIENCE
        while not self._stopped and not self._is_calm() and time.monotonic() < end:
            self._change.wait(_LOOK)

    def _write(self, event: Json) -> None:
        """Tries again where the API server may be back in a moment: nobody tells it once more."""
        for pause in (*_AGAIN, 0.0):
            if self._is_settled(event):
                break
            with self._change:
                if self._change.wait_for(lambda: self._stopped, pause):
                    break
        time.sleep(_PAUSE)

    def _is_settled(self, event: Json) -> bool:
        """Whether it was written, or never will be."""
        try:
            self._api.create(collection(EVENTS, event["metadata"]["namespace"]), event)
        except ApiError as error:
            logger.info("event not written: %s", error)
            return not error.is_passing
        except Exception:
            logger.exception("event not written")
        return True


def _event(subject: TrainJobView | JobSetView, told: Told) -> Json:
    is_trainjob = isinstance(subject, TrainJobView)
    now = written(datetime.now(UTC))
    digest = hashlib.sha256(f"{subject.uid}{told}".encode()).hexdigest()[:16]
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{subject.name[:200]}.{digest}", "namespace": subject.namespace},
        "involvedObject": {
            "apiVersion": API_VERSION if is_trainjob else JOBSET_API_VERSION,
            "kind": "TrainJob" if is_trainjob else "JobSet",
            "namespace": subject.namespace,
            "name": subject.name,
            "uid": subject.uid,
        },
        "type": told.type,
        "reason": told.reason,
        "message": told.message[:_LONGEST],
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }
