"""A few threads that work off a stack of tasks.

In: tasks, which may add further ones. Out: all of them done, or the first failure.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Final

from trainc.initializers.failure import TransientError
from trainc.initializers.retry import Stopped

_BEAT: Final = 0.1  # seconds between two looks of the main thread
_FAREWELL: Final = 2.0  # seconds: a thread that waits for a silent server is left behind

Task = Callable[[], None]


class Crew:
    """Takes the task that was added last: what a task is split into is done before the next one."""

    def __init__(self, stop: threading.Event) -> None:
        """``stop`` is set when a task fails, so that the others end soon."""
        self._stop = stop
        self._tasks: queue.LifoQueue[Task | None] = queue.LifoQueue()
        self._lock = threading.Lock()
        self.left = 0  # tasks that are not done yet
        self._failure: BaseException | None = None

    def add(self, task: Task) -> None:
        """Puts a task on the stack."""
        with self._lock:
            self.left += 1
        self._tasks.put(task)

    def work(self, count: int, beat: Callable[[], None]) -> None:
        """Works with ``count`` threads until nothing is left; calls ``beat`` now and then.

        Raises:
            BaseException: the failure of a task: the first, but a lasting one before a passing one.
        """
        threads = [threading.Thread(target=self._run, daemon=True) for _ in range(count)]
        for thread in threads:
            thread.start()
        try:
            while self.left and not self._stop.is_set():
                beat()
                self._stop.wait(_BEAT)
        finally:
            self._stop.set()
            for _ in threads:
                self._tasks.put(None)
            end = time.monotonic() + _FAREWELL
            for thread in threads:
                thread.join(max(0.0, end - time.monotonic()))
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            try:
                if not self._stop.is_set():
                    task()
            except Stopped:
                pass
            except BaseException as error:
                self._fail(error)
            finally:
                with self._lock:
                    self.left -= 1
            if self.left == 0:
                self._stop.set()

    def _fail(self, error: BaseException) -> None:
        with self._lock:
            if self._failure is None or isinstance(self._failure, TransientError):
                self._failure = error
        self._stop.set()
