"""The newest known view of each object of one kind, shared between watching and reconciling."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from trainc.controller.view import JobSetView, Key, TrainJobView, key_of

V = TypeVar("V", bound=TrainJobView | JobSetView)


_REMEMBERED = 10_000  # objects that are gone
_SHOWN = 1000  # of which it is remembered how they were, needed or not
_LOOKED_AT = 2  # of those whenever one goes: more than one, so that their number falls again


class Store(Generic[V]):
    """Views by namespace and name; an older version never replaces a newer one."""

    def __init__(self, is_needed: Callable[[Key], bool] = lambda key: False) -> None:
        """Starts empty.

        Args:
            is_needed: Whether it still matters how an object of that name was when it went. Such a
                view is kept for as long as this holds, however many there are.
        """
        self._is_needed = is_needed
        self._views: dict[Key, V] = {}
        self._gone: OrderedDict[Key, int] = OrderedDict()  # the version at which it went
        self._last: OrderedDict[Key, V] = OrderedDict()  # as they were when they went
        self._listed: dict[str, int] = {}  # version of the last list, by its namespace
        self._lock = threading.Lock()
        self.newest = 0  # the highest version heard of

    def __len__(self) -> int:
        """How many there are."""
        return len(self._views)

    def get(self, key: Key) -> V | None:
        """The view of that name, or None."""
        return self._views.get(key)

    def last(self, key: Key) -> V | None:
        """How the object was when it went, if that is needed or not long ago; else None."""
        return self._last.get(key)

    def keys(self) -> list[Key]:
        """All names."""
        with self._lock:
            return list(self._views)

    def views(self) -> list[V]:
        """All views."""
        with self._lock:
            return list(self._views.values())

    def put(self, view: V) -> bool:
        """Keeps the view, unless a version as new is there, or was deleted; True if it was kept.

        The answer to a write may come in after the event of the object's deletion, or after a list
        that does not hold the object any more.
        """
        key = key_of(view)
        with self._lock:
            old = self._views.get(key)
            known = self._absent_at(key) if old is None else old.version
            if known >= view.version:
                return False
            self._views[key] = view
            self._last.pop(key, None)
            self.newest = max(self.newest, view.version)
            return True

    def remove(self, key: Key, version: int, last: V | None = None) -> bool:
        """Forgets the object if what is known of it is not newer; True if it was known.

        Args:
            key: Its name.
            version: At which it went.
            last: How it was then.
        """
        with self._lock:
            old = self._views.get(key)
            if old is not None and old.version > version:
                return False
            self.newest = max(self.newest, version)
            self._bury(key, version)
            if last is not None:
                self._keep(key, last)
            return self._views.pop(key, None) is not None

    def heard_of(self, version: int) -> None:
        """The cluster has come as far as that."""
        with self._lock:
            self.newest = max(self.newest, version)

    def keep_only(self, namespace: str, keys: Iterable[Key], version: int) -> list[Key]:
        """Forgets what a list did not hold; gives the names forgotten.

        Args:
            namespace: Of the list, empty for all.
            keys: What the list held.
            version: The list's; what is known to be newer stays.
        """
        held = set(keys)
        with self._lock:
            gone = [
                key
                for key, view in self._views.items()
                if key not in held
                and (not namespace or key[0] == namespace)
                and view.version <= version
            ]
            for key in gone:
                self._keep(key, self._views.pop(key))
            self._listed[namespace] = version
            self.newest = max(self.newest, version)
            return gone

    def clear(self, namespace: str) -> list[Key]:
        """Forgets all of a namespace (of all, where it is empty); gives the names forgotten."""
        with self._lock:
            gone = [key for key in self._views if not namespace or key[0] == namespace]
            for key in gone:
                del self._views[key]
            self._gone.clear()
            self._last.clear()
            self._listed.clear()
            self.newest = max((view.version for view in self._views.values()), default=0)
            return gone

    def _keep(self, key: Key, last: V) -> None:
        """Remembers how the object was; drops the oldest views that nobody needs any more."""
        self._last[key] = last
        self._last.move_to_end(key)
        for _ in range(_LOOKED_AT):
            if len(self._last) <= _SHOWN:
                return
            oldest, view = self._last.popitem(last=False)
            if self._is_needed(oldest):
                self._last[oldest] = view  # as the youngest: looked at again after all others

    def _absent_at(self, key: Key) -> int:
        """The last version at which an object that is not known was not there."""
        listed = self._listed.get(key[0], self._listed.get("", 0))
        return max(self._gone.get(key, 0), listed)

    def _bury(self, key: Key, version: int) -> None:
        self._gone[key] = version
        self._gone.move_to_end(key)
        if len(self._gone) > _REMEMBERED:
            self._gone.popitem(last=False)
