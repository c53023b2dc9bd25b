"""Keeps a store equal to the cluster: one list, then a watch that is resumed while it can be.

In: the API and a kind. Out: a store, and a call for every name that changed. A watch that ends or
breaks is resumed at its last version; only when that has expired (410), or is newer than a cluster
restored from a backup, is the kind listed again.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Generic

from trainc.controller.api import Api, ApiError
from trainc.controller.backoff import Backoff
from trainc.controller.paths import Kind, collection
from trainc.controller.store import Store, V
from trainc.controller.view import Json, Key, key_of

logger = logging.getLogger(__name__)

_ABSENT_SECONDS = 30  # until a kind that is not installed is asked for again
_LASTED_SECONDS = 10  # a watch that ends before and without an event is not asked for at once


class Watching(Generic[V]):
    """One kind in one namespace (or in all), followed by a thread of its own."""

    def __init__(
        self,
        api: Api,
        kind: Kind,
        namespace: str,
        view: Callable[[Json], V],
        store: Store[V],
        changed: Callable[[Key], None],
        lists: threading.BoundedSemaphore | None = None,
    ) -> None:
        """Nothing happens before ``start``.

        Args:
            api: The API server.
            kind: Which kind.
            namespace: Of which namespace, empty for all.
            view: What is kept of an object.
            store: Where.
            changed: Called with each name that changed, after the store did.
            lists: Bounds how many watches list at a time, where there are many.
        """
        self._api = api
        self._path = collection(kind, namespace)
        self._namespace = namespace
        self._view = view
        self._store = store
        self._changed = changed
        self._lists = lists or threading.BoundedSemaphore()
        self._backoff = Backoff(0.1, 10)
        self._version = ""  # that a watch is resumed at
        self._stop = threading.Event()
        self.synced = threading.Event()
        self.refused = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"watch {self._path}", daemon=True)

    def start(self) -> None:
        """Begins; ``synced`` is set once the first list is in the store, or ``refused`` by 403."""
        self._thread.start()

    def stop(self) -> None:
        """Asks the thread to end; it does not outlive the process in any case."""
        self._stop.set()

    @property
    def name(self) -> str:
        """What is watched: its path."""
        return self._path

    def alive(self) -> bool:
        """Whether its thread lives."""
        return self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self._lists:
                    version = self._list()
                self._follow(version)
            except ApiError as error:
                self._stop.wait(self._pause(error))
            except Exception:
                logger.exception("watching %s", self._path)
                self._stop.wait(self._backoff.next())

    def _pause(self, error: ApiError) -> float:
        if error.is_missing:
            logger.info("%s is not installed", self._path)
            for key in self._store.clear(self._namespace):
                self._changed(key)
            self.synced.set()
            return _ABSENT_SECONDS
        if error.code == 403:
            self.refused.set()
        if not error.is_expired:
            logger.warning("%s", error)
        return self._backoff.next()

    def _list(self) -> str:
        """Brings the store up to date; gives the version to watch from."""
        held: set[Key] = set()
        known, version = self._store.newest, ""
        for items, of_list in self._api.pages(self._path):
            version = version or self._begun(of_list, known)
            for found in items:
                view = self._seen(found)
                if view is not None:
                    held.add(key_of(view))
        for key in self._store.keep_only(self._namespace, held, int(version)):
            self._changed(key)
        self.synced.set()
        self.refused.clear()
        logger.info("listed %s: %d objects", self._path, len(held))
        return version

    def _begun(self, version: str, known: int) -> str:
        """A list older than what is known comes from a cluster restored from a backup."""
        if int(version) < known:
            logger.warning("%s went back in time; forgetting what was known", self._path)
            for key in self._store.clear(self._namespace):
                self._changed(key)
        return version

    def _follow(self, version: str) -> None:
        """Watches, and resumes, until the version is refused, or newer than the cluster is."""
        self._version, is_sure = version, True
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                # From a version that is still to come a watch would be silent.
                if not is_sure and int(self._api.version(self._path)) < int(self._version):
                    return
                is_sure = self._heard()
            except ApiError as error:
                if error.code in (404, 410):
                    raise
                is_sure = False
                logger.info("resuming %s: %s", self._path, error)
            finally:
                if time.monotonic() - began > _LASTED_SECONDS:
                    self._backoff.reset()
            if not is_sure:
                self._stop.wait(self._backoff.next())

    def _heard(self) -> bool:
        """Watches until the server ends it; whether anything came."""
        heard = False
        for event in self._api.watch(self._path, self._version, random.randint(240, 360)):
            self._version = event["object"]["metadata"]["resourceVersion"]
            self._happened(event)
            heard = True
            self._backoff.reset()
            if self._stop.is_set():
                break
        return heard

    def _happened(self, event: Json) -> None:
        if event["type"] == "BOOKMARK":
            self._store.heard_of(int(event["object"]["metadata"]["resourceVersion"]))
            return
        if event["type"] != "DELETED":
            self._seen(event["object"])
            return
        metadata = event["object"]["metadata"]
        key = (metadata["namespace"], metadata["name"])
        last = self._viewed(event["object"])
        if self._store.remove(key, int(metadata["resourceVersion"]), last):
            self._changed(key)

    def _seen(self, found: Json) -> V | None:
        view = self._viewed(found)
        if view is not None and self._store.put(view):
            self._changed(key_of(view))
        return view

    def _viewed(self, found: Json) -> V | None:
        try:
            return self._view(found)
        except (KeyError, TypeError, ValueError, AttributeError):
            # No server sends this; one odd object must not end the watch of all others.
            logger.exception("cannot read an object of %s", self._path)
            return None
