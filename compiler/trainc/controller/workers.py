"""Threads that take names from the queue and reconcile them."""

from __future__ import annotations

import logging
import threading
import time

from trainc.controller.api import ApiError
from trainc.controller.metrics import Metrics
from trainc.controller.queue import Queue
from trainc.controller.reconcile import Reconciler
from trainc.controller.view import Key

logger = logging.getLogger(__name__)


class Workers:
    """Some workers on one queue."""

    def __init__(self, count: int, queue: Queue, reconciler: Reconciler, metrics: Metrics) -> None:
        """Nothing is taken before ``start``."""
        self._count = count
        self._queue = queue
        self._reconciler = reconciler
        self._metrics = metrics
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begins to work."""
        self._queue.open()
        threads = [
            threading.Thread(target=self._run, name=f"worker {number}", daemon=True)
            for number in range(self._count)
        ]
        for thread in threads:
            thread.start()
        self._threads = threads

    def stop(self) -> None:
        """Ends what was begun, takes nothing new."""
        threads, self._threads = self._threads, []
        self._queue.close()
        for thread in threads:
            thread.join(35)  # longer than a request may take

    def alive(self) -> bool:
        """Whether no worker died."""
        return all(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        while (key := self._queue.take()) is not None:
            began = time.perf_counter()
            try:
                self._work(key)
            finally:
                self._metrics.reconciled.observe(time.perf_counter() - began)
                self._queue.done(key)

    def _work(self, key: Key) -> None:
        try:
            after = self._reconciler.reconcile(key)
        except ApiError as error:
            self._failed(key, str(error))
        except Exception:
            logger.exception("reconciling %s/%s", *key)
            self._failed(key, "unexpected error")
        else:
            self._queue.forgive(key)
            if after is not None:
                self._queue.add_after(key, after)

    def _failed(self, key: Key, why: str) -> None:
        self._metrics.errors.inc()
        pause = self._queue.retry(key)
        logger.warning("reconciling %s/%s failed, again in %.2f s: %s", *key, pause, why)
