"""One job brought to where it shall be: gather, decide, apply."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from trainc.controller.again import soonest
from trainc.controller.api import ApiError
from trainc.controller.apply import Applying
from trainc.controller.decide import decide
from trainc.controller.decision import Decision, Observed
from trainc.controller.gather import Gathering
from trainc.controller.view import Key

logger = logging.getLogger(__name__)

MINTING_FAILED = "SecretCreationFailed"
_ATTEMPTS = 5  # against a writer who is faster


class Reconciler:
    """Reconciles by name; the same name never twice at once (the queue sees to that)."""

    def __init__(
        self,
        gathering: Gathering,
        applying: Applying,
        now: Callable[[], datetime],
        ensure: Callable[[Observed], Observed] | None = None,
    ) -> None:
        """``now`` is the clock; ``ensure`` makes a job's objects where the controller compiles."""
        self._ensure = ensure or (lambda observed: observed)
        self._gathering = gathering
        self._applying = applying
        self._now = now

    def reconcile(self, key: Key) -> float | None:
        """Seconds until the job must be looked at again; None where only a change matters.

        Raises:
            ApiError: if it did not succeed; it may be tried again.
        """
        observed, decision, now = self._decided(self._gathering.gather(key))
        if decision.confirm:
            observed, decision, now = self._decided(self._gathering.again(key))
        for _ in range(_ATTEMPTS):
            try:
                return self._applied(observed, decision, now)
            except ApiError as error:
                # 422 is also a test of the patch that failed: somebody wrote in between. With 404
                # somebody deleted.
                if error.code not in (404, 409, 422):
                    raise
                last = error
                observed, decision, now = self._decided(self._gathering.again(key))
        raise last

    def _decided(self, observed: Observed) -> tuple[Observed, Decision, datetime]:
        """What is decided once the job's objects are made, which may take its time."""
        observed = self._ensure(observed)
        now = self._now()
        return observed, decide(observed, now), now

    def _applied(self, observed: Observed, decision: Decision, now: datetime) -> float | None:
        """Mints first, but a status is written whatever becomes of that."""
        if observed.jobset is None:
            return self._applying.apply(observed, decision, now)
        try:
            again = self._applying.mint(observed.jobset, decision.mint, now)
        except ApiError as error:
            if error.is_passing:
                self._applying.apply(observed, decision, now)
                raise
            observed = replace(observed, error=str(error), reason=MINTING_FAILED)
            return self._applying.apply(observed, decide(observed, now), now)
        return soonest(again, self._applying.apply(observed, decision, now))
