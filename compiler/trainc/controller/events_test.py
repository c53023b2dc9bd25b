from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from trainc.controller.api import ApiError
from trainc.controller.decision import Told
from trainc.controller.events import Events
from trainc.controller.view import Json, jobset_view, trainjob_view

FAILED = Told("Warning", "DeadlineExceeded", "over")


class Cluster:
    """Keeps Events by name, as the API server does."""

    def __init__(self) -> None:
        self.written: dict[str, Json] = {}
        self.failures = 0
        self.code = 403
        self.open = threading.Event()
        self.open.set()

    def create(self, path: str, event: Json) -> bool:
        """Keeps it; refuses some, and may be slow."""
        self.open.wait(10)
        if self.failures:
            self.failures -= 1
            raise ApiError(self.code, "refused")
        name = event["metadata"]["name"]
        return self.written.setdefault(name, event) is event


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def _events(cluster: Cluster) -> Events:
    api: Any = cluster
    events = Events(api)
    events.start()
    return events


def _found(uid: str = "u", name: str = "m") -> Json:
    metadata = {
        "namespace": "ns",
        "name": name,
        "uid": uid,
        "resourceVersion": "1",
        "creationTimestamp": "2026-11-22T12:00:00Z",
    }
    return {"metadata": metadata}


def test_the_same_is_told_once_also_after_a_restart(cluster: Cluster) -> None:
    for _ in range(2):
        events = _events(cluster)
        for _ in range(3):
            events.tell(trainjob_view(_found()), FAILED)
        events.stop(10)
    (event,) = cluster.written.values()
    assert (event["reason"], event["type"]) == ("DeadlineExceeded", "Warning")
    assert event["involvedObject"]["kind"] == "TrainJob"


def test_another_object_or_another_word_is_another_event(cluster: Cluster) -> None:
    events = _events(cluster)
    events.tell(trainjob_view(_found()), FAILED)
    events.tell(trainjob_view(_found("anew")), FAILED)
    events.tell(trainjob_view(_found()), Told("Warning", "DeadlineExceeded", "% over %s"))
    events.tell(jobset_view(_found("jobset")), FAILED)
    events.stop(10)
    assert len(cluster.written) == 4
    assert "% over %s" in {event["message"] for event in cluster.written.values()}


def test_a_refused_one_does_not_hold_up_the_next(cluster: Cluster) -> None:
    cluster.failures = 1
    events = _events(cluster)
    events.tell(trainjob_view(_found("lost")), FAILED)
    events.tell(trainjob_view(_found("told")), FAILED)
    events.stop(10)
    assert [event["involvedObject"]["uid"] for event in cluster.written.values()] == ["told"]


def test_an_api_server_that_is_down_for_a_while_is_told_later(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of a job is told once; no later look at it tells it again."""
    monkeypatch.setattr("trainc.controller.events._AGAIN", (0.01,) * 5)
    cluster.failures, cluster.code = 4, 0
    events = _events(cluster)
    events.tell(trainjob_view(_found()), FAILED)
    _until(lambda: bool(cluster.written))
    events.stop(10)


def test_one_that_is_refused_again_and_again_gives_way(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainc.controller.events._AGAIN", (0.01,) * 5)
    cluster.failures, cluster.code = 6, 500
    events = _events(cluster)
    events.tell(trainjob_view(_found("lost")), FAILED)
    events.tell(trainjob_view(_found("told")), FAILED)
    _until(lambda: bool(cluster.written))
    events.stop(10)
    assert [event["involvedObject"]["uid"] for event in cluster.written.values()] == ["told"]


def test_the_end_waits_for_no_api_server(cluster: Cluster) -> None:
    cluster.failures, cluster.code = 100, 0
    events = _events(cluster)
    events.tell(trainjob_view(_found()), FAILED)
    events.stop(20)
    assert not events._thread.is_alive()
    assert not cluster.written


def _until(check: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not check():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_telling_never_waits_for_the_api_server(cluster: Cluster) -> None:
    cluster.open.clear()
    events = _events(cluster)
    began = time.monotonic()
    for number in range(3000):
        events.tell(trainjob_view(_found(str(number))), FAILED)
    assert len(events._waiting) <= 1000  # the oldest are dropped
    assert time.monotonic() - began < 10
    events._waiting.clear()
    cluster.open.set()


@dataclass(frozen=True)
class Busy:
    """How long statuses are on their way, how long the Event is patient, and how long it waits."""

    id: str
    seconds: float
    patience: float
    soonest: float


@pytest.mark.parametrize(
    "case",
    [
        Busy("calm", 0.0, 60.0, 0.0),
        Busy("for a moment", 0.3, 60.0, 0.3),
        Busy("for ever", 1e9, 1.0, 0.9),
    ],
    ids=lambda case: case.id,
)
def test_statuses_go_first(cluster: Cluster, monkeypatch: pytest.MonkeyPatch, case: Busy) -> None:
    monkeypatch.setattr("trainc.controller.events._CALM", 0.0)
    monkeypatch.setattr("trainc.controller.events._PATIENCE", case.patience)
    began = time.monotonic()
    api: Any = cluster
    events = Events(api, lambda: time.monotonic() >= began + case.seconds)
    events.start()
    events.tell(trainjob_view(_found()), FAILED)
    _until(lambda: bool(cluster.written))
    assert time.monotonic() - began >= case.soonest
    events.stop(10)


def test_long_names_and_messages_fit(cluster: Cluster) -> None:
    events = _events(cluster)
    events.tell(trainjob_view(_found(name="n" * 253)), Told("Normal", "Long", "x" * 5000))
    events.stop(10)
    (event,) = cluster.written.values()
    assert len(event["metadata"]["name"]) <= 253
    assert len(event["message"]) <= 1024
