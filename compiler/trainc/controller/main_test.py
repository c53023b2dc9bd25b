from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Timer
from typing import Any

import kubernetes
import pytest

from trainc.controller import main
from trainc.controller.controller import Options
from trainc.controller.main import client, run


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What ``run`` changes of the process is as it was afterwards."""
    handlers = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    interval = sys.getswitchinterval()
    monkeypatch.setattr(main, "client", lambda *_: None)
    monkeypatch.setattr(gc, "freeze", lambda: None)
    yield
    sys.setswitchinterval(interval)
    for number, handler in handlers.items():
        signal.signal(number, handler)


def _send(number: signal.Signals, times: int = 1) -> None:
    for _ in range(times):
        os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(
    "during",
    [
        lambda number: _send(number),
        lambda number: Timer(0.2, _send, (number,)).start(),
        lambda number: _send(number, 3),
    ],
    ids=["start", "work", "thrice"],
)
def test_a_signal_ends_it_in_good_order(
    process: None,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
    during: Callable[[signal.Signals], object],
) -> None:
    told: list[str] = []

    class Fake:
        """A controller to which signals come while it starts, works and stops."""

        def __init__(self, *_: Any) -> None:
            pass

        def start(self) -> None:
            told.append("start")
            during(number)

        def stop(self) -> None:
            _send(number)  # the impatient
            told.append("stop")

    monkeypatch.setattr(main, "Controller", Fake)
    assert run(Options(), None, None) == 0
    assert told == ["start", "stop"]


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"a: [", b"\xff\xfe", b"{}", b"contexts: 5", b"current-context: x\ncontexts: []"],
)
def test_a_kubeconfig_that_cannot_be_used_is_said_to_be(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "config"
    file.write_bytes(content)
    with pytest.raises(kubernetes.config.ConfigException):
        client(str(file), None, 1)


def test_a_folder_is_no_kubeconfig(tmp_path: Path) -> None:
    with pytest.raises(kubernetes.config.ConfigException):
        client(str(tmp_path), None, 1)
