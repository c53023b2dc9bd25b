"""Leader election by a Lease: of several controllers, one reconciles.

In: the API and an identity. Out: calls when this one becomes the leader and when it is no longer.
The rules are client-go's: a lease has expired when its record has not changed for its duration on
the *local* clock, so that clocks need not agree.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import urllib3

from trainc.controller.api import Api, ApiError
from trainc.controller.paths import LEASES, collection, item
from trainc.controller.view import Json

logger = logging.getLogger(__name__)

DURATION = 15  # seconds a lease is good for
RENEW_WITHIN = 10  # a leader that could not renew for so long is none
RENEW_EVERY = 5.0
RETRY_EVERY = 2.0
# With more, the answer would come when another one leads: there must be time for two tries.
PATIENCE = urllib3.Timeout(total=3)


class Election:
    """One candidate."""

    def __init__(
        self,
        api: Api,
        namespace: str,
        name: str,
        identity: str,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """A candidate for the Lease ``namespace/name``; ``identity`` is unique among candidates.

        ``api`` has no more than ``PATIENCE``.
        """
        self._api = api
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._monotonic = monotonic
        self._record: Json = {}  # the lease's spec as last seen
        self._version = ""  # empty: must be looked at before it is written
        self._changed_at = 0.0

    def run(
        self, stop: threading.Event, started: Callable[[], None], stopped: Callable[[], None]
    ) -> None:
        """Stands for election until ``stop``; gives the lease back at the end."""
        while not stop.is_set():
            if not self._try():
                stop.wait(RETRY_EVERY)
                continue
            logger.info("leading as %s", self._identity)
            started()
            try:
                self._keep(stop)
            finally:
                stopped()
        self._give_back()

    def _keep(self, stop: threading.Event) -> None:
        """Renews until stopped, or until the lease is lost."""
        pause = RENEW_EVERY
        while not stop.wait(pause):
            if self._try():
                pause = RENEW_EVERY
            elif self._held_by_another():
                logger.warning("the lease went to %s", self._record.get("holderIdentity"))
                return
            elif self._monotonic() - self._changed_at > RENEW_WITHIN:
                logger.warning("the lease could not be renewed for %d s", RENEW_WITHIN)
                return
            else:
                pause = 1.0

    def _try(self) -> bool:
        """Takes or renews the lease; False where another has it or the server does not answer."""
        try:
            if not (self._version and self._is_mine()):
                self._look()
            if self._held_by_another():
                return False
            self._write(DURATION, self._identity)
        except ApiError as error:
            self._version = ""
            if not error.is_conflict:
                logger.warning("leader election: %s", error)
            return False
        return True

    def _is_mine(self) -> bool:
        return self._record.get("holderIdentity") == self._identity

    def _held_by_another(self) -> bool:
        if not self._record.get("holderIdentity") or self._is_mine():
            return False
        duration = self._record.get("leaseDurationSeconds") or DURATION
        return self._monotonic() - self._changed_at <= duration

    def _look(self) -> None:
        found = self._api.find(item(LEASES, self._namespace, self._name))
        record = {} if found is None else found.get("spec") or {}
        self._version = "" if found is None else found["metadata"]["resourceVersion"]
        if record == self._record:
            return
        self._record = record
        if not self._is_mine():
            # What this one wrote counts from when it began to: others may have seen it at once.
            self._changed_at = self._monotonic()

    def _write(self, duration: int, holder: str) -> None:
        began = self._monotonic()
        spec = self._spec(duration, holder)
        lease: Json = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self._name, "namespace": self._namespace},
            "spec": spec,
        }
        if self._version:
            lease["metadata"]["resourceVersion"] = self._version
            path, verb = item(LEASES, self._namespace, self._name), "PUT"
        else:
            path, verb = collection(LEASES, self._namespace), "POST"
        found = self._api.request(verb, path, lease)
        self._record, self._changed_at = found["spec"], began
        self._version = found["metadata"]["resourceVersion"]

    def _spec(self, duration: int, holder: str) -> Json:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        turns = self._record.get("leaseTransitions") or 0
        kept = self._is_mine() and bool(holder)
        return {
            "holderIdentity": holder,
            "leaseDurationSeconds": duration,
            "acquireTime": self._record.get("acquireTime", now) if kept else now,
            "renewTime": now,
            "leaseTransitions": turns if self._is_mine() or not self._version else turns + 1,
        }

    def _give_back(self) -> None:
        """Lets the next one in at once, instead of after the lease's duration."""
        if not self._is_mine() or not self._version:
            return
        try:
            self._write(1, "")
        except ApiError as error:
            logger.info("the lease was not given back: %s", error)
