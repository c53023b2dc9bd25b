"""An operation that the main thread waits for without taking part in it.

In: an operation. Out: what it returns or raises. Python handles signals in the main thread, and not
while that is inside a library of another language: a pod that is asked to end would wait for a
silent server.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

_T = TypeVar("_T")


def aside(operation: Callable[[], _T]) -> _T:
    """What the operation returns; where a signal ends the wait it is left behind."""
    ended: Future[_T] = Future()

    def run() -> None:
        try:
            ended.set_result(operation())
        except BaseException as error:  # what a library in Rust panics with is no Exception
            ended.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return ended.result()
