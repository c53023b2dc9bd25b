"""``activeDeadlineSeconds``: the job is ended, whatever happens to the controller in between."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.cluster.client import Client, eventually
from tests.cluster.jobs import a_jobset, a_note, a_trainjob, conditions, events
from tests.cluster.plane import Plane
from tests.cluster.running import running
from trainc.controller.api import ApiError
from trainc.controller.controller import Controller
from trainc.controller.times import parse


class Clock:
    """The wall clock, which may be set."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def controller(plane: Plane, namespace: str) -> Iterator[Controller]:
    with running(plane, namespace) as started:
        yield started


def test_a_job_that_overruns_is_ended(
    admin: Client, namespace: str, controller: Controller
) -> None:
    admin.apply(a_trainjob(namespace, activeDeadlineSeconds=2))
    admin.apply(a_jobset(namespace))
    failed = eventually(lambda: conditions(admin, namespace).get("Failed"))
    assert (failed["status"], failed["reason"]) == ("True", "DeadlineExceeded")
    assert failed["message"] == "TrainJob exceeded its active deadline"
    eventually(lambda: admin.find("JobSet", namespace, "m") is None)
    eventually(lambda: not admin.list("Pod", namespace))
    assert list(conditions(admin, namespace)) == ["Failed"]


def test_without_a_trainjob_the_annotation_tells(
    admin: Client, namespace: str, controller: Controller
) -> None:
    admin.apply(a_jobset(namespace, note=a_note("m", deadline=2)))
    eventually(lambda: admin.find("JobSet", namespace, "m") is None)
    eventually(lambda: "DeadlineExceeded" in events(admin, namespace))


def test_a_deadline_that_passed_while_nobody_watched(
    plane: Plane, admin: Client, namespace: str
) -> None:
    with running(plane, namespace):
        admin.apply(a_trainjob(namespace, activeDeadlineSeconds=5))
        admin.apply(a_jobset(namespace))
        eventually(lambda: admin.get("TrainJob", namespace, "m").get("status"))
    time.sleep(6)
    assert admin.get("JobSet", namespace, "m")
    with running(plane, namespace):
        eventually(lambda: admin.find("JobSet", namespace, "m") is None)
        assert conditions(admin, namespace)["Failed"]["reason"] == "DeadlineExceeded"


def test_killed_between_the_condition_and_the_deletion(
    plane: Plane, admin: Client, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise ApiError(0, "gone")

    admin.apply(a_trainjob(namespace, activeDeadlineSeconds=1))
    admin.apply(a_jobset(namespace))
    with running(plane, namespace) as controller:
        monkeypatch.setattr(controller.api, "delete", refused)
        eventually(lambda: "Failed" in conditions(admin, namespace))
    assert admin.get("JobSet", namespace, "m")
    with running(plane, namespace):
        eventually(lambda: admin.find("JobSet", namespace, "m") is None)


def test_the_deletion_is_tried_until_it_is_done(
    plane: Plane, admin: Client, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[str] = []
    with running(plane, namespace) as controller:
        really = controller.api.delete

        def reluctant(path: str, uid: str) -> None:
            tries.append(path)
            if len(tries) < 4:
                raise ApiError(503, "overloaded")
            really(path, uid)

        monkeypatch.setattr(controller.api, "delete", reluctant)
        admin.apply(a_trainjob(namespace, activeDeadlineSeconds=1))
        admin.apply(a_jobset(namespace))
        eventually(lambda: admin.find("JobSet", namespace, "m") is None)
    assert len(tries) == 4


@pytest.mark.parametrize("hours", [-3, 2])
def test_the_clock_of_the_controller_is_off(
    plane: Plane, admin: Client, namespace: str, hours: int
) -> None:
    """Deadlines are counted by the API server's clock."""
    clock = Clock()
    clock.ahead = timedelta(hours=hours)
    begun = time.monotonic()
    with running(plane, namespace, clock):
        for name, seconds in (("long", 3600), ("short", 6)):
            admin.apply(a_trainjob(namespace, name=name, activeDeadlineSeconds=seconds))
            admin.apply(a_jobset(namespace, name=name))
        eventually(lambda: admin.find("JobSet", namespace, "short") is None)
        assert time.monotonic() - begun > 4
        failed = conditions(admin, namespace, "short")["Failed"]
        assert failed["reason"] == "DeadlineExceeded"
        assert abs(datetime.now(UTC) - parse(failed["lastTransitionTime"])) < timedelta(minutes=1)
        clock.ahead = timedelta(hours=-hours)
        labels = {"metadata": {"labels": {"a": "b"}}}
        admin.merge("JobSet", namespace, "long", labels)
        time.sleep(2)
        assert admin.get("JobSet", namespace, "long")
        assert "Failed" not in conditions(admin, namespace, "long")


def test_a_deadline_does_not_count_while_suspended(
    plane: Plane, admin: Client, namespace: str
) -> None:
    with running(plane, namespace) as controller:
        admin.apply(a_trainjob(namespace, activeDeadlineSeconds=2, suspend=True))
        admin.apply(a_jobset(namespace, suspend=True))
        eventually(lambda: "Suspended" in conditions(admin, namespace))
        time.sleep(3)
        labels = {"metadata": {"labels": {"seen": "again"}}}
        version = int(admin.merge("JobSet", namespace, "m", labels)["metadata"]["resourceVersion"])
        eventually(lambda: _version(controller, namespace) >= version)
        eventually(lambda: len(controller.queue) == 0)
        assert "Failed" not in conditions(admin, namespace)
        assert admin.get("JobSet", namespace, "m")


def _version(controller: Controller, namespace: str) -> int:
    seen = controller.jobsets.get((namespace, "m"))
    return 0 if seen is None else seen.version
