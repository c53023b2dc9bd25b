"""An operation that the main thread waits for without taking part in it.

In: an operation. Out: what it returns or raises. Python handles signals in the main thread, and not
while that is inside a library of another language: a pod that is asked to end would wait for a
silent server.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, TypeVar

# Seconds: a signal that comes just before a wait begins is seen at its end.
_BEAT: Final = 0.1

_T = TypeVar("_T")


def aside(operation: Callable[[], _T]) -> _T:
    """What the operation returns; where a signal ends the wait it is left behind."""
    result: Future[_T] = Future()
    ended = threading.Event()

    def run() -> None:
        try:
            result.set_result(operation())
        except BaseException as error:  # what a library in Rust panics with is no Exception
            result.set_exception(error)
        ended.set()

    threading.Thread(target=run, daemon=True).start()
    while not ended.wait(_BEAT):
        pass
    return result.result()
