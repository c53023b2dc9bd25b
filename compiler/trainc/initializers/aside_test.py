from __future__ import annotations

import os
import signal
import threading

import pytest

from trainc.initializers.aside import aside
from trainc.initializers.failure import NotFoundError


class Panic(BaseException):
    """What a library in Rust raises."""


def test_what_it_returns_comes_back() -> None:
    assert aside(lambda: threading.current_thread() is threading.main_thread()) is False


@pytest.mark.parametrize("error", [NotFoundError("x"), ValueError("x"), Panic("x")])
def test_what_it_raises_comes_back(error: BaseException) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        aside(fail)
    assert raised.value is error


@pytest.mark.parametrize("moment", range(20))  # it may come at any moment
def test_a_signal_ends_the_wait(moment: int) -> None:
    begun, never = threading.Event(), threading.Event()

    def silent() -> None:
        begun.set()
        never.wait()

    def interrupt() -> None:
        begun.wait()
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        aside(silent)
    never.set()
