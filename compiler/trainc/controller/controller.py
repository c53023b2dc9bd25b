"""The whole controller, put together: watches, queue, workers, election, Events, HTTP.

In: ``Options`` and a configured ``kubernetes`` client. Out: a ``Controller`` that runs until it is
stopped. Watches run in every replica (its progress server needs them), workers only in the leader.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import kubernetes

from trainc.controller.api import Api
from trainc.controller.apply import Applying
from trainc.controller.clock import ServerClock
from trainc.controller.conditions import finished
from trainc.controller.decision import Observed
from trainc.controller.election import PATIENCE, Election
from trainc.controller.events import Events
from trainc.controller.gather import Gathering
from trainc.controller.metrics import Metrics
from trainc.controller.minter import Minter
from trainc.controller.paths import JOB_SETS, TRAIN_JOBS
from trainc.controller.progress.server import ProgressOptions, ProgressServer
from trainc.controller.queue import Queue
from trainc.controller.reconcile import Reconciler
from trainc.controller.serving import Server, health
from trainc.controller.store import Store
from trainc.controller.view import JobSetView, Key, TrainJobView, jobset_view, trainjob_view
from trainc.controller.watching import Watching
from trainc.controller.workers import Workers

logger = logging.getLogger(__name__)

LEASE = "trainc-controller"
_TICK = 5.0  # seconds between looks at the clock
_JUMP = 2.0  # seconds the wall clock may stray from the steady one in a tick
_REVIEW = 300.0  # seconds between looks at everything
_STEP = 500  # names that a review puts into the queue at a time
# Lists under way at a time: each holds a page of 500 objects, as text and as JSON.
_LISTS = 2


@dataclass(frozen=True)
class Options:
    """How the controller runs.

    Attributes:
        namespaces: Whose jobs it serves; empty for all.
        workers: How many jobs are reconciled at a time.
        lease_namespace: Where its Lease is; empty for no election.
        identity: Its name among candidates.
        health_host: Where probes and metrics are served.
        health_port: Their port; 0 for any, negative for none.
        progress: How progress is received; None where it is not.
        compile: Whether TrainJobs that nobody built are compiled here.
        features: Features that are on for those.
    """

    namespaces: tuple[str, ...] = ()
    workers: int = 16
    lease_namespace: str = ""
    identity: str = "trainc-controller"
    health_host: str = "0.0.0.0"
    health_port: int = 8081
    progress: ProgressOptions | None = None
    compile: bool = False
    features: tuple[str, ...] = ()


class Controller:
    """A status controller; ``start`` and ``stop`` it once."""

    def __init__(
        self,
        options: Options,
        client: kubernetes.client.ApiClient,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Nothing is asked of the cluster before ``start``."""
        self._options = options
        self._client = client
        self.clock = ServerClock(now)
        self._now = self.clock
        self.trainjobs: Store[TrainJobView] = Store()
        # How a JobSet ended matters until its TrainJob's status has it.
        self.jobsets: Store[JobSetView] = Store(self._is_open)
        self.metrics = Metrics(self.trainjobs.views)
        self.api = Api(client, self.metrics.counted, clock=self.clock)
        self.queue = Queue(reviewers=max(options.workers // 2, 1))
        self.queue.close()  # until this one leads
        self.metrics.queued.set_function(lambda: len(self.queue) + self.queue.reviews)
        self._events = Events(self.api, lambda: self.queue.is_calm)
        # By the timer's way: a worker must never wait for room in its own queue.
        changed = partial(self.queue.add_after, seconds=0)
        gathering = Gathering(self.api, self.trainjobs, self.jobsets, changed)
        self.progress: ProgressServer | None = None
        authority: Callable[[], str] = str
        if options.progress is not None:
            self.progress = ProgressServer(
                options.progress, self.api, gathering, self.metrics, self.clock
            )
            authority = self.progress.certificate.authority
        applying = Applying(self.api, gathering, Minter(self.api, authority), self._events)
        compiling = _compiling(options, self.api, gathering)
        reconciler = Reconciler(gathering, applying, self.clock, compiling)
        self._workers = Workers(options.workers, self.queue, reconciler, self.metrics)
        self._watches = list(self._make_watches())
        self._begun = threading.Event()
        self._overdue = threading.Event()  # a review
        self.leading = threading.Event()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._server: Server | None = None
        if options.health_port >= 0:
            app = health(self.alive, self.missing, self.metrics.text)
            self._server = Server(app, options.health_host, options.health_port)

    @property
    def health_port(self) -> int:
        """The port of probes and metrics."""
        assert self._server is not None
        return self._server.port

    def start(self) -> None:
        """Runs from now on, in threads of its own."""
        if self._server is not None:
            self._server.start()
        self._events.start()
        for watch in self._watches:
            watch.start()
        if self.progress is not None:
            self.progress.start()
        for work in (self._lead, self._keep_time, self._keep_reviewing):
            thread = threading.Thread(target=work, name=work.__name__.strip("_"), daemon=True)
            thread.start()
            self._threads.append(thread)
        self._begun.set()

    def stop(self) -> None:
        """Ends what was begun, gives the lease back, and is back when that is done."""
        self._stop.set()
        self._overdue.set()
        if self.progress is not None:
            self.progress.stop()
        for watch in self._watches:
            watch.stop()
        for thread in self._threads:
            thread.join(45)
        self._events.stop()
        if self._server is not None:
            self._server.stop()

    def alive(self) -> bool:
        """Whether every thread lives that should."""
        if not self._begun.is_set() or self._stop.is_set():
            return True
        parts = [*self._watches, self._workers, *([self.progress] if self.progress else [])]
        return all(part.alive() for part in parts) and all(t.is_alive() for t in self._threads)

    def missing(self) -> str:
        """What must be there before it can serve, empty when nothing is missing."""
        late = [watch.name for watch in self._late()]
        if self.progress is not None and not self.progress.ready.is_set():
            late.append("the progress server's certificate")
        return ", ".join(late)

    def _late(self) -> list[Watching[TrainJobView] | Watching[JobSetView]]:
        """The watches that are waited for: a namespace without rights holds up no other."""
        late = [watch for watch in self._watches if not watch.synced.is_set()]
        if len(late) == len(self._watches):
            return late
        return [watch for watch in late if not watch.refused.is_set()]

    def _make_watches(self) -> Iterator[Watching[TrainJobView] | Watching[JobSetView]]:
        add, lists = self.queue.add, threading.BoundedSemaphore(_LISTS)
        for namespace in self._options.namespaces or ("",):
            yield Watching(self.api, JOB_SETS, namespace, jobset_view, self.jobsets, add, lists)
            yield Watching(
                self.api, TRAIN_JOBS, namespace, trainjob_view, self.trainjobs, add, lists
            )

    def _is_open(self, key: Key) -> bool:
        """Whether there is a TrainJob of that name whose status has no end yet."""
        trainjob = self.trainjobs.get(key)
        return trainjob is not None and finished(trainjob.conditions) is None

    def _lead(self) -> None:
        """Works while it is the leader, after the first lists are in."""
        while self._late():
            if self._stop.wait(0.02):
                return
        namespace = self._options.lease_namespace
        if not namespace:
            self._begin()
            self._stop.wait()
            self._end()
            return
        api = Api(self._client, self.metrics.counted, patience=PATIENCE)
        election = Election(api, namespace, LEASE, self._options.identity)
        election.run(self._stop, self._begin, self._end)

    def _begin(self) -> None:
        self._workers.start()
        self._overdue.set()
        self.leading.set()
        self.metrics.leading.set(1)

    def _end(self) -> None:
        self.leading.clear()
        self.metrics.leading.set(0)
        self._workers.stop()

    def _keep_reviewing(self) -> None:
        """Everything is looked at when this one begins to lead, and now and then.

        In a thread of its own, never in the one that renews the lease, and by small steps: each
        holds the queue's lock for a moment only. What is right costs no request.
        """
        while not self._stop.is_set():
            self._overdue.wait(_REVIEW)
            self._overdue.clear()
            keys = [*{*self.trainjobs.keys(), *self.jobsets.keys()}]
            for start in range(0, len(keys), _STEP):
                self.queue.review(keys[start : start + _STEP])

    def _keep_time(self) -> None:
        """Deadlines are in wall time, timers in steady time: where they part, look at all again."""
        strayed = _stray(self._now)
        while not self._stop.wait(_TICK):
            stray = _stray(self._now)
            if abs(stray - strayed) > _JUMP:
                logger.warning("the clock jumped by %.0f s", stray - strayed)
                for key in self.queue.delayed():
                    self.queue.add(key)
            strayed = stray


def _compiling(
    options: Options, api: Api, gathering: Gathering
) -> Callable[[Observed], Observed] | None:
    if not options.compile:
        return None
    from trainc.controller.compile import Compiling  # the whole compiler: 30 MB

    return Compiling(api, gathering, options.features).ensure


def _stray(now: Callable[[], datetime]) -> float:
    """How far wall time is from steady time, in seconds."""
    return now().timestamp() - time.monotonic()
