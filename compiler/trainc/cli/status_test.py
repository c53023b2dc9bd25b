from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

from trainc.cli import status as command
from trainc.controller.api import ApiError
from trainc.errors import TraincError


class _EndError(Exception):
    """The watch is over: nobody would end it otherwise."""


@pytest.fixture(autouse=True)
def cluster(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the looks at the jobs come to, in turn; then the watch ends."""
    looks: list[Any] = []

    def look(*_: Any) -> list[Any]:
        found = looks.pop(0) if looks else _EndError()
        if isinstance(found, Exception):
            raise found
        return list(found)

    monkeypatch.setattr(command, "_EVERY", 0)
    monkeypatch.setattr(command, "_cluster", lambda *_: (None, "ns"))
    monkeypatch.setattr(command, "_jobs", look)
    return looks


def _run(*arguments: str) -> tuple[str, BaseException | None]:
    done = CliRunner().invoke(command.status, arguments, standalone_mode=False)
    return done.output, done.exception


@pytest.mark.parametrize("error", [ApiError(0, "no answer"), ApiError(503, "overloaded")])
def test_a_watch_outlives_a_cluster_that_does_not_answer(
    cluster: list[Any], error: ApiError
) -> None:
    cluster += [[], error, error, []]
    output, ended = _run("--watch")
    assert isinstance(ended, _EndError)
    assert output.count("looking again") == 2
    assert output.count("no jobs in ns") == 1  # nothing changed


@pytest.mark.parametrize(
    "looks",
    [[ApiError(0, "no answer")], [[], ApiError(403, "forbidden")]],
    ids=["the first look", "refused"],
)
def test_what_will_not_pass_ends_it(cluster: list[Any], looks: list[Any]) -> None:
    cluster += looks
    output, ended = _run("--watch")
    assert isinstance(ended, TraincError) or "error:" in output
    assert cluster == []
    assert not isinstance(ended, _EndError)
