"""The work queue: names to reconcile, each at most once at a time, some of them later.

In: names from watches, timers and reviews. Out: names for workers. A name added while it is worked
on comes back afterwards; one that failed comes back after an exponential wait. Bounded: who adds
more than fits waits, so that a flood slows the watch down instead of filling the memory. A closed
queue takes nothing in: where nobody works, nobody may wait for room, and who opens it looks at
everything.

A review's names have a lower queue of their own: they are handed out where no change is due, to
some of the workers, so that a change never waits behind a review.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable

from trainc.controller.backoff import wait
from trainc.controller.view import Key

FIRST_RETRY = 0.05  # seconds
LAST_RETRY = 30.0
_LATEST = 24 * 3600.0  # no lock can wait for 300 years, and a deadline may be further away


class Queue:
    """A set of names in order of arrival, with delays and back-off."""

    def __init__(
        self,
        bound: int = 100_000,
        monotonic: Callable[[], float] = time.monotonic,
        reviewers: int = 8,
    ) -> None:
        """An open queue.

        Args:
            bound: How many names are due at most; a review's names do not count.
            monotonic: The steady clock, in seconds.
            reviewers: How many names of a review are worked on at a time.
        """
        self._bound = bound
        self._monotonic = monotonic
        self._reviewers = reviewers
        self._reviews: OrderedDict[Key, None] = OrderedDict()  # none of them is in _waiting
        self._reviewing: set[Key] = set()  # those of _working that a review asked for
        self._due: deque[Key] = deque()
        self._waiting: set[Key] = set()  # in _due, or to be added when its work is done
        self._working: set[Key] = set()
        self._later: list[tuple[float, Key]] = []
        self._when: dict[Key, float] = {}
        self._failures: dict[Key, int] = {}
        self._closed = False
        self._lock = threading.Lock()
        self._ready = threading.Condition(self._lock)  # for takers
        self._room = threading.Condition(self._lock)  # for adders

    def __len__(self) -> int:
        """How many are due, those of a review left aside."""
        return len(self._waiting)

    @property
    def reviews(self) -> int:
        """How many names of a review are still to be handed out."""
        return len(self._reviews)

    @property
    def is_calm(self) -> bool:
        """Whether no change is due or worked on."""
        return not self._waiting and self._working == self._reviewing

    def add(self, key: Key) -> None:
        """The name is due now; waits while the queue is full, does nothing once it is closed."""
        with self._lock:
            while len(self._due) >= self._bound and not self._closed:
                self._room.wait()
            if not self._closed:
                self._add(key)

    def review(self, keys: Iterable[Key]) -> None:
        """The names are due when no change is; never waits."""
        with self._lock:
            if self._closed:
                return
            for key in keys:
                if key not in self._waiting:
                    self._reviews[key] = None
            self._ready.notify(self._reviewers)

    def add_after(self, key: Key, seconds: float) -> None:
        """The name is due after that time or after a day, or earlier if it was to be."""
        with self._lock:
            if self._closed:
                return
            when = self._monotonic() + min(max(seconds, 0.0), _LATEST)
            if self._when.get(key, when + 1) <= when:
                return
            self._when[key] = when
            heapq.heappush(self._later, (when, key))
            self._ready.notify()

    def retry(self, key: Key) -> float:
        """The work failed: due again after a wait that doubles; gives it in seconds."""
        with self._lock:
            failures = self._failures.get(key, 0)
            self._failures[key] = failures + 1
        pause = wait(failures, FIRST_RETRY, LAST_RETRY)
        self.add_after(key, pause)
        return pause

    def forgive(self, key: Key) -> None:
        """The work went well: the next failure waits the first time again."""
        with self._lock:
            self._failures.pop(key, None)

    def take(self) -> Key | None:
        """The next name, when there is one; None once the queue is closed. Then call ``done``."""
        with self._lock:
            while not self._closed:
                pause = self._ripen()
                if self._due:
                    key = self._due.popleft()
                    self._waiting.discard(key)
                    self._working.add(key)
                    self._room.notify()
                    return key
                if (reviewed := self._next_review()) is not None:
                    return reviewed
                self._ready.wait(pause)
            return None

    def done(self, key: Key) -> None:
        """The work on ``key`` is over; it is due again if it was added meanwhile."""
        with self._lock:
            self._working.discard(key)
            self._reviewing.discard(key)
            if key in self._waiting:
                self._due.append(key)
                self._ready.notify()
            elif self._reviews:
                self._ready.notify()

    def close(self) -> None:
        """Nothing is taken in or handed out any more; waiting takers get None."""
        with self._lock:
            self._closed = True
            for held in (self._due, self._waiting, self._later, self._when, self._failures):
                held.clear()
            self._reviews.clear()
            self._ready.notify_all()
            self._room.notify_all()

    def open(self) -> None:
        """Takes in and hands out again."""
        with self._lock:
            self._closed = False

    def delayed(self) -> list[Key]:
        """The names that are to come later, or may be once the work on them is done."""
        with self._lock:
            return [*self._when, *(self._working - self._when.keys())]

    def _add(self, key: Key) -> None:
        if key in self._waiting:
            return
        self._reviews.pop(key, None)
        self._waiting.add(key)
        if key not in self._working:
            self._due.append(key)
            self._ready.notify()

    def _next_review(self) -> Key | None:
        """The next name of a review, None where none is left or enough are worked on.

        One that is worked on is reconciled as it is now: that is its review.
        """
        while self._reviews and len(self._reviewing) < self._reviewers:
            key, _ = self._reviews.popitem(last=False)
            if key not in self._working:
                self._working.add(key)
                self._reviewing.add(key)
                return key
        return None

    def _ripen(self) -> float | None:
        """Moves what is due by now; gives the seconds until the next, None without one."""
        now = self._monotonic()
        while self._later:
            when, key = self._later[0]
            if self._when.get(key) != when:
                heapq.heappop(self._later)  # replaced by an earlier one
                continue
            if when > now:
                return when - now
            heapq.heappop(self._later)
            del self._when[key]
            self._add(key)
        return None
