from __future__ import annotations

import copy
from typing import Any

import pytest

from trainc.controller.conditions import condition
from trainc.controller.decision import Status
from trainc.controller.statuspatch import status_patch
from trainc.controller.view import Json, TrainJobView, trainjob_view

COMPLETE = condition("Complete", "True", "Done", "", "2026-11-22T12:00:00Z")
JOBS = {"name": "node", "ready": 1}
PROGRESS = {"progressPercentage": 5, "lastUpdatedTime": "2026-11-22T12:00:00Z"}


def _found(**status: Any) -> Json:
    metadata = {
        "namespace": "ns",
        "name": "m",
        "uid": "u",
        "resourceVersion": "1",
        "creationTimestamp": "2026-11-22T12:00:00Z",
    }
    return {"metadata": metadata, **({"status": status} if status else {})}


def _applied(found: Json, patch: list[Json]) -> Json | None:
    """RFC 6902, as far as it is used; None where a test fails."""
    found = copy.deepcopy(found)
    for step in patch:
        *parents, last = step["path"].strip("/").split("/")
        at = found
        for name in parents:
            at = at[name]
        if step["op"] == "test" and at.get(last) != step["value"]:
            return None
        if step["op"] == "add":
            at[last] = step["value"]
        if step["op"] == "remove":
            del at[last]
    return found


def _view(found: Json) -> TrainJobView:
    return trainjob_view(found)


@pytest.mark.parametrize(
    "was",
    [
        {},
        {"conditions": [COMPLETE]},
        {"jobsStatus": [JOBS]},
        {"conditions": [COMPLETE], "jobsStatus": [JOBS], "trainerStatus": PROGRESS, "theirs": 1},
    ],
)
@pytest.mark.parametrize(
    "shall",
    [
        Status(),
        Status(conditions=(COMPLETE,)),
        Status(jobs=(JOBS,), progress=PROGRESS),
        Status(conditions=(COMPLETE,), jobs=(JOBS,), progress=PROGRESS),
    ],
)
def test_patched_it_is_as_decided(was: Json, shall: Status) -> None:
    found = _found(**was)
    patch = status_patch(_view(found), shall)
    after = _applied(found, patch)
    assert after is not None
    view = _view(after)
    assert (view.conditions, view.jobs, view.progress) == (
        shall.conditions,
        shall.jobs,
        shall.progress,
    )
    assert after.get("status", {}).get("theirs") == was.get("theirs")
    assert after.get("status") != {}  # the CRD wants a property
    assert status_patch(view, shall) == []


@pytest.mark.parametrize(
    "meanwhile",
    [
        {"conditions": [{**COMPLETE, "type": "QuotaReserved"}]},
        {"conditions": []},
        {"trainerStatus": PROGRESS},
    ],
)
def test_a_writer_who_was_faster_is_not_overwritten(meanwhile: Json) -> None:
    patch = status_patch(_view(_found()), Status(conditions=(COMPLETE,)))
    assert _applied(_found(**meanwhile), patch) is None


def test_a_report_that_comes_in_keeps_the_status() -> None:
    patch = status_patch(_view(_found(conditions=[COMPLETE])), Status())
    assert _applied(_found(conditions=[COMPLETE], trainerStatus=PROGRESS), patch) is None


def test_another_trainjob_of_the_name_is_not_written() -> None:
    patch = status_patch(_view(_found()), Status(conditions=(COMPLETE,)))
    other = _found()
    other["metadata"]["uid"] = "other"
    assert _applied(other, patch) is None


def test_what_does_not_change_is_not_tested() -> None:
    """A report of progress that comes in meanwhile is no conflict."""
    found = _found(conditions=[COMPLETE])
    patch = status_patch(_view(found), Status(conditions=(COMPLETE,), jobs=(JOBS,)))
    assert _applied(_found(conditions=[COMPLETE], trainerStatus=PROGRESS), patch) is not None
