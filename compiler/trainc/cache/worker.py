"""The worker: holds one range of rows and streams them.

In: an assignment from the head (action ``load``), tickets from readers. Out: record batches. It
loads in the background and says how far it is; until its range is whole it serves nothing, and what
it served before it goes on serving until the new range is there.
"""

import json
import logging
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pyarrow import flight

from trainc.cache import ticket as tickets
from trainc.cache.loading import Loading, start_loader
from trainc.cache.plan import Assignment
from trainc.cache.security import Security
from trainc.cache.serving import Counters, json_result, status
from trainc.cache.store import Store
from trainc.cache.streaming import tables

logger = logging.getLogger(__name__)

_MOST_WAIT: Final = 5.0

ACTIONS: Final = [
    ("health", "Whether the worker's rows are held."),
    ("stats", "Rows, bytes, progress and streams, as JSON."),
    ("load", "Internal: the head's assignment."),
    ("assignment", "Internal: the assignment again, for a head that has come back."),
    ("reload", "Read the worker's range again from its source."),
]


class Worker(flight.FlightServerBase):
    """The Flight server of one worker."""

    def __init__(self, location: str, security: Security, spill: Path, memory: int) -> None:
        """Starts to listen.

        Args:
            location: ``grpc://HOST:PORT`` or ``grpc+tls://HOST:PORT``; port 0 for any free one.
            security: TLS and token.
            spill: A folder that is this worker's alone.
            memory: Bytes that a load may hold.
        """
        super().__init__(location, **security.server_arguments())
        self._spill = spill
        self._memory = memory
        self._lock = threading.Lock()
        self._store: Store | None = None
        self._loading: Loading | None = None
        self._waiting: subprocess.Popen[str] | None = None
        self._news = threading.Condition()
        self.counters = Counters()

    def warm(self, kind: str) -> None:
        """Have a loader ready for the first assignment, so that it need not import first."""
        self._waiting = start_loader(kind)

    @property
    def ready(self) -> bool:
        """Whether all rows of the last assignment are held."""
        loading = self._loading
        return self._store is not None and (loading is None or loading.store is self._store)

    def stop(self) -> None:
        """End every process this worker has started."""
        with self._lock:
            if self._loading:
                self._loading.stop()
            if self._waiting:
                self._waiting.kill()
                self._waiting.wait()

    def do_get(self, _: Any, ticket: flight.Ticket) -> flight.FlightDataStream:
        """Stream the rows of a ticket that this worker holds."""
        with status():
            wanted = tickets.decode(ticket.ticket)
            store = self._held(wanted)
        counted = self.counters.counted(tables(wanted, store))
        return flight.GeneratorStream(store.assignment.schema, counted)

    def get_schema(self, _: Any, __: flight.FlightDescriptor) -> flight.SchemaResult:
        """The columns that are served."""
        return flight.SchemaResult(self._any_store().assignment.schema)

    def list_flights(self, _: Any, __: bytes) -> Iterator[flight.FlightInfo]:
        """No flights: the head knows who has which rows."""
        return iter(())

    def list_actions(self, _: Any) -> list[tuple[str, str]]:
        """The actions, each with a sentence."""
        return ACTIONS

    def do_action(self, _: Any, action: flight.Action) -> list[flight.Result]:
        """Answer an action with one JSON object."""
        with status():
            if action.type == "load":
                self.load(Assignment.decode(action.body.to_pybytes()))
            elif action.type == "reload":
                self.reload()
            elif action.type == "assignment":
                return [flight.Result(self._assigned().assignment.encode())]
            elif action.type == "health":
                return json_result({"ready": self.ready})
            elif action.type == "stats":
                self._wait(action.body.to_pybytes())
            else:
                raise KeyError(f"no action {action.type}")
            return json_result(self.state())

    def load(self, assignment: Assignment) -> None:
        """Begin to load, unless that is what is held or being loaded already."""
        with self._lock:
            if self._is(self._loading, assignment):
                return
            self._begin(assignment)

    def reload(self) -> None:
        """Read the range again.

        Raises:
            KeyError: There is none yet.
        """
        with self._lock:
            store = self._assigned()
            if self._loading:
                self._loading.stop()
            self._store = None
            shutil.rmtree(store.folder, ignore_errors=True)
            self._begin(store.assignment)

    def state(self) -> dict[str, Any]:
        """What the worker holds and how far it is; the answer to ``stats``."""
        loading, store = self._loading, self._store
        state: dict[str, Any] = {"ready": self.ready, "pid": os.getpid(), **self.counters.as_dict()}
        if loading:
            assignment = loading.store.assignment
            state |= {
                "cache": assignment.cache,
                "dataset": assignment.source.name,
                "snapshot": assignment.snapshot,
                "source": assignment.source.as_dict(),
                "range": assignment.range,
                "rows": loading.rows,
                "missing": [] if self.ready else loading.store.missing(),
                "error": loading.error,
            }
        return state | {"bytes": store.size if store else 0}

    def _wait(self, body: bytes) -> None:
        """Let the head, which asks with ``{"wait": SECONDS}``, hear at once of a load's end."""
        seconds = float(json.loads(body).get("wait", 0)) if body else 0.0
        with self._news:
            self._news.wait_for(lambda: not self._is_loading(), min(seconds, _MOST_WAIT))

    def _is_loading(self) -> bool:
        loading = self._loading
        return loading is not None and not self.ready and not loading.error

    def _assigned(self) -> Store:
        """The rows of the last assignment, held or not.

        Raises:
            KeyError: There is none yet.
        """
        if self._loading is None:
            raise KeyError("no assignment: the head has given this worker no rows yet")
        return self._loading.store

    def _is(self, loading: Loading | None, wanted: Assignment) -> bool:
        if loading is None or (loading.finished and loading.error):
            return False
        there = loading.store.assignment
        return (there.cache, there.range) == (wanted.cache, wanted.range)

    def _begin(self, assignment: Assignment) -> None:
        if self._loading:
            self._loading.stop()
        waiting, self._waiting = self._waiting, None
        process = waiting or start_loader(assignment.source.kind)
        logger.info("loading rows %s to %s of %s", *assignment.range, assignment.source.name)
        self._loading = Loading(assignment, self._spill, self._memory, process, self._ended)

    def _ended(self, loading: Loading) -> None:
        if loading is self._loading and not loading.error:
            self._serve(loading)
        with self._news:
            self._news.notify_all()

    def _serve(self, loading: Loading) -> None:
        self._store = loading.store
        logger.info("serving rows %s to %s", *loading.store.assignment.range)
        # What other plans left behind; streams of them go on, for a mapped file outlives its name.
        for other in self._spill.iterdir():
            if other != loading.store.folder:
                shutil.rmtree(other, ignore_errors=True)

    def _any_store(self) -> Store:
        store = self._store
        if store is None:
            loading = self._loading
            rows = "{}, {})".format(*loading.store.assignment.range) if loading else "none yet)"
            reason = (loading.error if loading else "") or "loading"
            raise flight.FlightUnavailableError(f"rows [{rows} are not held: {reason}")
        return store

    def _held(self, wanted: tickets.Ticket) -> Store:
        """The rows a ticket is about.

        Raises:
            flight.FlightUnavailableError: They are not there yet.
            ValueError: The ticket is of another table, snapshot or plan.
        """
        store = self._any_store()
        there = store.assignment
        if wanted.cache and wanted.cache != there.cache:
            raise ValueError(
                f"stale ticket: it is for snapshot {wanted.snapshot} of {wanted.dataset} (plan "
                f"{wanted.cache}), here is snapshot {there.snapshot} of {there.source.name} (plan "
                f"{there.cache})"
            )
        return store
