"""Plans the table and sees that workers hold it.

In: a source and the workers' addresses. Out: the plan, once it is made, and what is missing. A
source that cannot be read is tried again until it can; the reason is told to whoever asks.
"""

import logging
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from pyarrow import flight

from trainc.cache.adoption import adopted
from trainc.cache.plan import Plan
from trainc.cache.security import Security
from trainc.cache.sources.opening import survey
from trainc.cache.sources.source import Source
from trainc.cache.workers import Follower, Missing

logger = logging.getLogger(__name__)

_FIRST_RETRY: Final = 1.0
_LAST_RETRY: Final = 30.0
_ASK_SECONDS: Final = 2.0


class Coordinator:
    """The head's knowledge."""

    def __init__(
        self, source: Source, workers: Sequence[str], security: Security, timeout: float
    ) -> None:
        """Knows nothing yet.

        Args:
            source: What to cache.
            workers: ``HOST:PORT`` of each, in the order of their ranges.
            security: How to speak to them.
            timeout: Seconds for one call to a worker.
        """
        self.source = source
        self.error = ""
        self._plan: Plan | None = None
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self.followers = [
            Follower(address, index, security, timeout, self.plan)
            for index, address in enumerate(workers)
        ]

    def start(self) -> None:
        """Plan and follow, in the background."""
        threading.Thread(target=self._start, daemon=True).start()

    def stop(self) -> None:
        """Cease to follow."""
        self._stopped.set()
        for follower in self.followers:
            follower.stop()

    @property
    def ready(self) -> bool:
        """Whether every row is held."""
        return self._plan is not None and not self._missing(self._plan)

    def plan(self) -> Plan:
        """The plan that holds now.

        Raises:
            flight.FlightUnavailableError: There is none yet.
        """
        if self._plan is None:
            reason = self.error or "the source is being planned"
            raise flight.FlightUnavailableError(f"{self.source.name}: {reason}")
        return self._plan

    def whole_plan(self) -> Plan:
        """The plan, all of whose rows are held.

        Raises:
            flight.FlightUnavailableError: Some are not; says which, where, and why.
        """
        plan = self.plan()
        missing = self._missing(plan)
        if missing:
            words = "; ".join(
                f"[{gap.rows.start}, {gap.rows.stop}) on {gap.worker}: {gap.reason}"
                for gap in missing
            )
            raise flight.FlightUnavailableError(f"{self.source.name}: missing rows {words}")
        return plan

    def reload(self, force: bool) -> None:
        """Look at the source again, and have the workers load what is new.

        Args:
            force: Have them read it again though it is the same.

        Raises:
            ValueError: The source cannot be read; what was held is still held.
        """
        try:
            plan = Plan(survey(self.source), len(self.followers))
        except Exception as error:
            raise ValueError(f"{self.source.name}: {error}") from None
        changed = self._plan is None or plan.cache != self._plan.cache
        self._plan = plan
        for follower in self.followers:
            if force and not changed:
                follower.reload()
            follower.look_now()

    def state(self) -> dict[str, Any]:
        """The answer to ``stats``."""
        plan = self._plan
        if plan is None:
            return {"ready": False, "dataset": self.source.name, "error": self.error}
        return {
            "ready": self.ready,
            "dataset": plan.survey.source.name,
            "snapshot": plan.survey.snapshot,
            "location": plan.survey.source.location,
            "cache": plan.cache,
            "rows": plan.rows,
            "block": plan.block,
            "shuffle_block": plan.shuffle_block,
            "workers": [
                {"address": f.address, "range": rows, "reason": f.reason, **f.state}
                for f, rows in zip(self.followers, plan.ranges, strict=True)
            ],
            "missing": [gap._asdict() for gap in self._missing(plan)],
        }

    def _missing(self, plan: Plan) -> list[Missing]:
        found = (follower.missing(plan) for follower in self.followers)
        return [gap for gap in found if gap is not None]

    def _held_plan(self) -> Plan | None:
        """The plan by which the workers hold the table already, for a head that has come back."""
        with ThreadPoolExecutor(len(self.followers)) as pool:
            held = list(pool.map(lambda f: f.assignment(_ASK_SECONDS), self.followers))
        plan = adopted([one for one in held if one], self.source)
        return plan if plan and plan.workers == len(self.followers) else None

    def _start(self) -> None:
        pause = _FIRST_RETRY
        while self._plan is None and not self._stopped.is_set():
            try:
                self._plan = self._held_plan() or Plan(survey(self.source), len(self.followers))
            except Exception as error:
                self.error = f"{type(error).__name__}: {error}"
                logger.warning("%s: %s; next try in %g s", self.source.name, self.error, pause)
                self._stopped.wait(pause)
                pause = min(_LAST_RETRY, 2 * pause)
        if self._plan is None or self._stopped.is_set():
            return
        logger.info(
            "%s at snapshot %s: %d rows over %d workers",
            self.source.name,
            self._plan.survey.snapshot,
            self._plan.rows,
            len(self.followers),
        )
        for follower in self.followers:
            follower.start()
