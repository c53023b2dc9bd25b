from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from trainc.controller.annotation import Note
from trainc.controller.api import ApiError
from trainc.controller.conditions import condition
from trainc.controller.gather import Gathering
from trainc.controller.progress.reports import EVERY_SECONDS, Reports
from trainc.controller.progress.verdicts import Pod
from trainc.controller.store import Store
from trainc.controller.times import written
from trainc.controller.view import JobSetView, Json, TrainJobView
from trainc.names import MANAGED_BY

KEY = ("ns", "m")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FIRST = Pod(jobset="jobset", attempt=0, rank=0, first=True)


class Cluster:
    """An API server that keeps one TrainJob's status, and clocks that are set by hand."""

    def __init__(self) -> None:
        self.steady = 0.0
        self.ahead = timedelta()
        self.version = 1
        self.written: list[Json] = []
        self.failures = 0
        self.code = 503
        self.while_writing: Callable[[], None] = lambda: None
        self.stores: list[tuple[Store[TrainJobView], Store[JobSetView]]] = []

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.steady) + self.ahead

    def monotonic(self) -> float:
        return self.steady

    def replica(self) -> Reports:
        """A server of its own, whose stores follow this cluster."""
        trainjobs: Store[TrainJobView] = Store()
        jobsets: Store[JobSetView] = Store()
        self.stores.append((trainjobs, jobsets))
        trainjobs.put(_trainjob())
        jobsets.put(_jobset())
        api: Any = self
        gathering = Gathering(api, trainjobs, jobsets)
        return Reports(api, gathering, lambda: None, self.now, self.monotonic)

    def patch(self, path: str, patch: Json, content_type: str) -> Json:
        """Keeps what is written; every replica sees it."""
        if self.failures:
            self.failures -= 1
            raise ApiError(self.code, "overloaded")
        self.while_writing()
        told = {k: v for k, v in patch["status"]["trainerStatus"].items() if v is not None}
        self.written.append(told)
        self.version += 1
        for trainjobs, _ in self.stores:
            known = trainjobs.get(KEY)
            assert known is not None
            trainjobs.put(replace(known, version=self.version, progress=told))
        return {
            "metadata": {
                "namespace": "ns",
                "name": "m",
                "uid": "trainjob",
                "resourceVersion": str(self.version),
                "creationTimestamp": written(NOW),
            },
            "status": {"trainerStatus": told},
        }


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def reports(cluster: Cluster) -> Reports:
    return cluster.replica()


def _trainjob(**changes: Any) -> TrainJobView:
    view = TrainJobView(
        namespace="ns",
        name="m",
        uid="trainjob",
        version=1,
        generation=1,
        created=written(NOW),
        deleting=False,
        managed_by=MANAGED_BY,
        suspended=False,
        deadline=0,
        followed=True,
        has_status=True,
        conditions=(),
        jobs=(),
        progress=None,
    )
    return replace(view, **changes)


def _jobset() -> JobSetView:
    return JobSetView(
        namespace="ns",
        name="m",
        uid="jobset",
        version=1,
        created=written(NOW),
        deleting=False,
        owner="",
        owner_kind="",
        note=Note("m"),
        malformed="",
        suspended=False,
        held=False,
        compiled_from=0,
        conditions=(),
        jobs=(),
        restarts=0,
        progress=None,
    )


def _post(
    cluster: Cluster,
    reports: Reports,
    percent: int | None,
    pod: Pod = FIRST,
    late: float = 0,
    **more: Any,
) -> None:
    """A report of now, or of ``late`` seconds before, from a pod whose clock is right."""
    when = NOW + timedelta(seconds=cluster.steady - late)
    report = {"lastUpdatedTime": written(when), **more}
    if percent is not None:
        report["progressPercentage"] = percent
    reports.offer(KEY, pod, report)


def _percents(cluster: Cluster) -> list[int | None]:
    return [each.get("progressPercentage") for each in cluster.written]


def _due(reports: Reports) -> None:
    """Writes what is due by now, as a writer's thread would."""
    queue = reports._queue
    while True:
        with queue._lock:
            queue._ripen()
        if not len(queue):
            return
        key = queue.take()
        assert key is not None
        reports._write(key)
        queue.done(key)


def test_many_posts_are_one_write_each_five_seconds(cluster: Cluster, reports: Reports) -> None:
    for second in range(21):
        cluster.steady = float(second)
        _post(cluster, reports, second)
        _due(reports)
    assert _percents(cluster) == [0, 5, 10, 15, 20]


def test_an_older_report_is_ignored(cluster: Cluster, reports: Reports) -> None:
    cluster.steady = 60.0
    _post(cluster, reports, 50)
    _due(reports)
    cluster.steady += EVERY_SECONDS
    _post(cluster, reports, 51, late=30)
    _due(reports)
    assert _percents(cluster) == [50]


def test_percent_falls_after_a_restart_only(cluster: Cluster, reports: Reports) -> None:
    anew = replace(FIRST, attempt=1)
    for pod, percent in ((FIRST, 50), (FIRST, 30), (anew, 5), (FIRST, 60), (anew, 6)):
        cluster.steady += EVERY_SECONDS
        _post(cluster, reports, percent, pod)
        _due(reports)
    assert _percents(cluster) == [50, 50, 5, 6]


def test_a_new_start_that_tells_no_percent_forgets_the_old_one(
    cluster: Cluster, reports: Reports
) -> None:
    anew = replace(FIRST, attempt=1)
    for pod, percent in ((FIRST, 90), (anew, None), (anew, 2)):
        cluster.steady += EVERY_SECONDS
        _post(cluster, reports, percent, pod)
        _due(reports)
    assert _percents(cluster) == [90, None, 2]


def test_a_restarted_server_knows_what_the_status_says(cluster: Cluster) -> None:
    cluster.steady = 100.0
    before = cluster.replica()
    _post(cluster, before, 50)
    _due(before)
    cluster.steady += 1
    after = cluster.replica()
    after._gathering.trainjobs.put(_trainjob(version=9, progress=cluster.written[-1]))
    _post(cluster, after, 20, late=60)
    _due(after)
    assert _percents(cluster) == [50]


def test_two_replicas_write_as_one(cluster: Cluster) -> None:
    """Each post reaches another one of them; the status only goes on, and not faster."""
    both = [cluster.replica(), cluster.replica()]
    for second in range(41):
        cluster.steady = float(second)
        _post(cluster, both[second % 2], second)
        for each in both:
            _due(each)
    percents = _percents(cluster)
    assert percents == sorted(percents, key=lambda each: each or 0)
    assert 5 <= len(percents) <= 9


def test_a_pending_report_gives_way_to_another_replicas_newer_one(cluster: Cluster) -> None:
    one, other = cluster.replica(), cluster.replica()
    _post(cluster, one, 1)
    _due(one)
    cluster.steady = 1.0
    _post(cluster, one, 2)  # waits for its time
    cluster.steady = 6.0
    _post(cluster, other, 3)
    _due(other)
    _due(one)
    assert _percents(cluster) == [1, 3]


@pytest.mark.parametrize("ahead", [timedelta(hours=-2), timedelta(hours=2)])
def test_the_clock_is_set_and_reports_are_still_taken(
    cluster: Cluster, reports: Reports, ahead: timedelta
) -> None:
    cluster.steady = 60.0
    _post(cluster, reports, 1)
    _due(reports)
    cluster.ahead = ahead
    cluster.steady += EVERY_SECONDS
    _post(cluster, reports, 2)
    _due(reports)
    assert _percents(cluster) == [1, 2]


def test_a_time_to_come_in_the_status_shuts_nobody_out(cluster: Cluster, reports: Reports) -> None:
    told = {"progressPercentage": 4, "lastUpdatedTime": "2999-01-01T00:00:00Z"}
    reports._gathering.trainjobs.put(_trainjob(version=2, progress=told))
    cluster.version = 2
    _post(cluster, reports, 5)
    _due(reports)
    assert _percents(cluster) == [5]


@pytest.mark.parametrize("code", [503, 409], ids=["overloaded", "other writers"])
def test_what_could_not_be_written_is_written_later(
    cluster: Cluster, reports: Reports, code: int
) -> None:
    _post(cluster, reports, 1)
    cluster.failures, cluster.code = 1, code
    with pytest.raises(ApiError):
        _due(reports)
    reports._queue.done(KEY)
    reports._queue.add(KEY)
    _due(reports)
    assert _percents(cluster) == [1]


@pytest.mark.parametrize(
    "told", [{"progressPercentage": "x"}, {"lastUpdatedTime": 5}, {"lastUpdatedTime": "soon"}]
)
def test_odd_words_in_the_status_are_passed_over(
    cluster: Cluster, reports: Reports, told: Json
) -> None:
    reports._gathering.trainjobs.put(_trainjob(version=2, progress=told))
    cluster.version = 2
    _post(cluster, reports, 5)
    _due(reports)
    assert _percents(cluster) == [5]


def test_what_was_pending_at_the_end_is_still_written(cluster: Cluster, reports: Reports) -> None:
    _post(cluster, reports, 60)
    _due(reports)
    cluster.steady = 1.0
    _post(cluster, reports, 90, metrics=[{"name": "loss", "value": "0.1"}])
    cluster.steady = 2.0
    cluster.version = 2
    complete = condition("Complete", "True", "Done", "", written(cluster.now()))
    told = {"progressPercentage": 100, "lastUpdatedTime": written(cluster.now())}
    reports._gathering.trainjobs.put(_trainjob(version=3, progress=told, conditions=(complete,)))
    cluster.version = 3
    cluster.steady = 6.0
    _due(reports)
    _post(cluster, reports, 70)
    cluster.steady = 20.0
    _due(reports)
    assert _percents(cluster) == [60, 100]
    assert cluster.written[-1]["metrics"] == [{"name": "loss", "value": "0.1"}]


def test_what_is_pending_when_the_server_stops_is_written(
    cluster: Cluster, reports: Reports
) -> None:
    reports.start()
    _post(cluster, reports, 1)
    deadline = time.monotonic() + 10
    while not cluster.written and time.monotonic() < deadline:
        time.sleep(0.01)
    cluster.steady = 1.0
    _post(cluster, reports, 2)
    reports.stop()
    assert _percents(cluster) == [1, 2]


@dataclass
class AnewCase:
    name: str
    jobset: JobSetView | None  # that there is by now
    trainjob: TrainJobView | None
    written: list[int | None]


AGAIN = replace(_jobset(), version=5, uid="jobset again")
ANEW = [
    AnewCase("both are another run's", AGAIN, _trainjob(version=5, uid="again"), []),
    AnewCase("another run, and no JobSet so far", None, _trainjob(version=5, uid="again"), []),
    AnewCase("the JobSet started anew", AGAIN, _trainjob(version=5), []),
    AnewCase("all is gone", None, None, []),
    AnewCase("the JobSet expired", None, _trainjob(version=5), [40]),
    AnewCase("the TrainJob was replaced beside it", _jobset(), _trainjob(version=5, uid="x"), [40]),
]


@pytest.mark.parametrize("case", ANEW, ids=lambda case: case.name)
def test_a_pending_report_is_not_another_runs(
    cluster: Cluster, reports: Reports, case: AnewCase
) -> None:
    _post(cluster, reports, 40)
    gathering = reports._gathering
    gathering.trainjobs.clear("")
    gathering.jobsets.clear("")
    if case.trainjob is not None:
        gathering.trainjobs.put(case.trainjob)
    if case.jobset is not None:
        gathering.jobsets.put(case.jobset)
    cluster.version = 5
    _due(reports)
    assert _percents(cluster) == case.written


def test_a_write_of_the_start_before_says_nothing_of_the_new_one(
    cluster: Cluster, reports: Reports
) -> None:
    """Its answer comes when the new start's first report is there already."""
    anew = replace(FIRST, attempt=1)
    _post(cluster, reports, 80)
    cluster.steady = 1.0

    def post() -> None:
        cluster.while_writing = lambda: None
        _post(cluster, reports, 5, anew)

    cluster.while_writing = post
    for percent in (6, 7):
        _due(reports)
        cluster.steady += EVERY_SECONDS
        _post(cluster, reports, percent, anew)
    _due(reports)
    assert _percents(cluster) == [80, 6, 7]


def test_a_write_that_fails_while_the_server_stops_is_tried_once_more(
    cluster: Cluster, reports: Reports
) -> None:
    """Nothing is pending while it is on its way."""

    def fail() -> None:
        cluster.while_writing = lambda: None
        reports._queue.close()
        raise ApiError(0, "connection reset")

    cluster.while_writing = fail
    _post(cluster, reports, 1)
    reports.start()
    for thread in reports._threads:
        thread.join(10)
    reports.stop()
    assert _percents(cluster) == [1]


def test_an_api_server_that_is_down_does_not_hold_up_the_end(
    cluster: Cluster, reports: Reports
) -> None:
    _post(cluster, reports, 1)
    for number in range(20):
        job = replace(reports._jobs[KEY])
        reports._jobs["ns", f"m-{number}"] = job
        reports._gathering.trainjobs.put(_trainjob(name=f"m-{number}"))
    cluster.failures = 100
    reports._queue.close()
    reports.start()
    reports.stop()
    assert cluster.failures == 99
