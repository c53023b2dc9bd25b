"""Signals and bugs that arrive as exceptions of an engine in Rust; memory that ends."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest

from trainc.cli import run as module
from trainc.cli.report import Report


class Panic(BaseException):
    """What pyo3 raises in place of what it met."""


@dataclass(frozen=True)
class TestCase:
    """A signal that an engine turned into its panic, and the exit status that is right."""

    __test__ = False
    id: str
    number: signal.Signals | None
    want: int


CASES = [
    TestCase(id="SIGTERM", number=signal.SIGTERM, want=143),
    TestCase(id="Ctrl-C", number=signal.SIGINT, want=130),
    TestCase(id="no signal: a bug of the engine", number=None, want=3),
]


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_panic_is_what_it_answers(
    case: TestCase, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def panics(args: list[str], report: Report) -> int:
        with suppress(BaseException):
            if case.number is not None:
                os.kill(os.getpid(), case.number)
        raise Panic("failed to import the stdlib decimal module")

    monkeypatch.setattr(module, "_guarded", panics)
    assert module.run(["build"]) == case.want
    stderr = capsys.readouterr().err
    assert ("has a bug: Panic" in stderr) == (case.number is None)
    assert "Traceback" not in stderr


def test_memory_that_ends_is_no_bug_of_ours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def runs_out(*args: object, **options: object) -> int:
        raise MemoryError

    monkeypatch.setattr(module.trainc, "main", runs_out)
    assert module.run(["build"]) == 1
    assert capsys.readouterr().err.startswith("error: out of memory [TRC098]\n")
