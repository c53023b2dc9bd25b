from __future__ import annotations

import threading
import time
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
        self.open = threading.Event()
        self.open.set()

    def create(self, path: str, event: Json) -> bool:
        """Keeps it; refuses some, and may be slow."""
        self.open.wait(10)
        if self.failures:
            self.failures -= 1
            raise ApiError(503, "overloaded")
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
    """How long statuses are on their way, seconds, and when the Event is written at last."""

    id: str
    seconds: float
    soonest: float
    latest: float


@pytest.mark.parametrize(
    "case",
    [
        Busy("calm", 0.0, 0.0, 0.5),
        Busy("for a moment", 0.3, 0.3, 0.9),
        Busy("for ever", 1e9, 0.9, 5.0),
    ],
    ids=lambda case: case.id,
)
def test_statuses_go_first(cluster: Cluster, monkeypatch: pytest.MonkeyPatch, case: Busy) -> None:
    monkeypatch.setattr("trainc.controller.events._CALM", 0.0)
    began = time.monotonic()
    api: Any = cluster
    events = Events(api, lambda: time.monotonic() >= began + case.seconds)
    events.start()
    events.tell(trainjob_view(_found()), FAILED)
    while not cluster.written and time.monotonic() < began + 10:
        time.sleep(0.01)
    assert case.soonest <= time.monotonic() - began <= case.latest
    events.stop(10)


def test_long_names_and_messages_fit(cluster: Cluster) -> None:
    events = _events(cluster)
    events.tell(trainjob_view(_found(name="n" * 253)), Told("Normal", "Long", "x" * 5000))
    events.stop(10)
    (event,) = cluster.written.values()
    assert len(event["metadata"]["name"]) <= 253
    assert len(event["message"]) <= 1024
