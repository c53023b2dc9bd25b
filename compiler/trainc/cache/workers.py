"""The head's view of its workers: gives each its range, and knows at any time which is missing.

In: a plan, and what workers say of themselves. Out: the ranges that are not held, with the reason.
One thread looks after each worker, so that one that hangs delays no other.
"""

import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import pyarrow as pa
from pyarrow import flight

from trainc.cache.plan import Assignment, Plan
from trainc.cache.security import Security
from trainc.cache.shard import Range
from trainc.cache.streams import said

logger = logging.getLogger(__name__)

_WAIT: Final = b'{"wait": 0.25}'
_AWAY_SECONDS: Final = 0.1
_READY_SECONDS: Final = 1.0
_FAILED_SECONDS: Final = 5.0


class Missing(NamedTuple):
    """Rows that no worker holds."""

    rows: Range
    worker: str
    reason: str


class Follower:
    """Looks after one worker."""

    def __init__(
        self, address: str, index: int, security: Security, timeout: float, plan: Callable[[], Plan]
    ) -> None:
        """Begins to follow.

        Args:
            address: ``HOST:PORT``.
            index: Which of the plan's ranges is this worker's.
            security: How to speak to it.
            timeout: Seconds for one call.
            plan: The plan that holds now.
        """
        self.address = address
        self.reason = "not reached yet"
        self.state: dict[str, Any] = {}
        self._index = index
        self._security = security
        self._timeout = timeout
        self._plan = plan
        self._client: flight.FlightClient | None = None
        self._retry_at = 0.0
        self._stopped = threading.Event()
        self._nudged = threading.Event()
        self._forced = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Cease to follow."""
        self._stopped.set()
        self._nudged.set()
        if self._thread.is_alive():
            self._thread.join(self._timeout)

    def assignment(self, timeout: float) -> Assignment | None:
        """What the worker holds or loads already, None where it has nothing or is not reached."""
        scheme = self._security.scheme
        try:
            with self._security.connect(f"{scheme}://{self.address}") as client:
                action = flight.Action("assignment", b"")
                results = list(client.do_action(action, self._security.call(timeout)))
                return Assignment.decode(results[0].body.to_pybytes())
        except (flight.FlightError, pa.ArrowException, OSError, ValueError):
            return None

    def look_now(self) -> None:
        """Ask again at once."""
        self._nudged.set()

    def reload(self) -> None:
        """Have the worker read its range again."""
        self.reason = "reloading"
        self._forced.set()
        self._nudged.set()

    def missing(self, plan: Plan) -> Missing | None:
        """The worker's rows, where it does not hold them."""
        held = self.state.get("ready") and self.state.get("cache") == plan.cache
        if held and not self.reason:
            return None
        reason = self.reason or "of another plan"
        return Missing(plan.ranges[self._index], self.address, reason)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._look()
            except (flight.FlightError, pa.ArrowException, OSError) as error:
                self._lost(error)
            self._nudged.wait(self._pause())
            self._nudged.clear()

    def _pause(self) -> float:
        """Seconds until the next look; a worker that loads answers when there is news."""
        if not self.reason:
            return _READY_SECONDS
        loading = self._client is not None and not self.state.get("error")
        return 0.0 if loading else _AWAY_SECONDS

    def _look(self) -> None:
        plan = self._plan()
        forced = self._forced.is_set()
        state = self._act("reload") if forced else self._act("stats", _WAIT if self.reason else b"")
        if forced:
            self._forced.clear()
        if not _has(state, plan, self._index) or self._due(state):
            state = self._act("load", plan.assignment(self._index).encode())
        reason = _reason(state, plan.ranges[self._index])
        if bool(reason) != bool(self.reason):
            logger.info("worker %s: %s", self.address, reason or "ready")
        self.state, self.reason = state, reason

    def _due(self, state: dict[str, Any]) -> bool:
        """Whether a load that failed is to be tried again now."""
        now = time.monotonic()
        if not state.get("error"):
            self._retry_at = 0.0
            return False
        if not self._retry_at:
            self._retry_at = now + _FAILED_SECONDS
        due = now >= self._retry_at
        if due:
            self._retry_at = now + _FAILED_SECONDS
        return due

    def _act(self, name: str, body: bytes = b"") -> dict[str, Any]:
        if self._client is None:
            scheme = self._security.scheme
            self._client = self._security.connect(f"{scheme}://{self.address}")
        action = flight.Action(name, body)
        results = list(self._client.do_action(action, self._security.call(self._timeout)))
        state: dict[str, Any] = json.loads(results[0].body.to_pybytes())
        return state

    def _lost(self, error: Exception) -> None:
        if not self.reason.startswith("unreachable"):
            logger.warning("worker %s: %s", self.address, said(error))
        self.reason = f"unreachable: {said(error)}"
        if self._client is not None:
            # A new channel: the old one would wait longer and longer before it tries again.
            self._client.close()
            self._client = None


def _has(state: dict[str, Any], plan: Plan, index: int) -> bool:
    there = (state.get("cache"), tuple(state.get("range", ())))
    return there == (plan.cache, tuple(plan.ranges[index]))


def _reason(state: dict[str, Any], rows: Range) -> str:
    if state.get("ready"):
        return ""
    if state.get("error"):
        return str(state["error"])
    percent = 100 * state.get("rows", 0) // rows.rows if rows.rows else 0
    return f"loading, {percent} % of {rows.rows} rows"
