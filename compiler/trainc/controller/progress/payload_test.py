from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from trainc.controller.progress.payload import InvalidError, UnreadableError, echo, read

WHEN = "2026-11-22T12:00:00Z"


@dataclass(frozen=True)
class TestCase:
    """A body and what is read from it."""

    __test__ = False
    name: str
    body: Any
    want: Any


TAKEN = [
    TestCase("nothing", {}, None),
    TestCase("null", None, None),
    TestCase("no status", {"trainerStatus": None}, None),
    TestCase("an empty status", {"trainerStatus": {}}, None),
    TestCase("unknown fields alone", {"other": 1}, None),
    TestCase(
        "all fields, and one that is not known",
        {
            "trainerStatus": {
                "progressPercentage": 100,
                "estimatedRemainingSeconds": 0,
                "metrics": [{"name": "a", "value": "b" * 64, "unit": "c"}],
                "lastUpdatedTime": WHEN,
                "x": [],
            }
        },
        {
            "progressPercentage": 100,
            "estimatedRemainingSeconds": 0,
            "metrics": [{"name": "a", "value": "b" * 64}],
            "lastUpdatedTime": WHEN,
        },
    ),
    TestCase(
        "nulls are absent",
        {
            "trainerStatus": {
                "progressPercentage": None,
                "metrics": None,
                "lastUpdatedTime": "2026-11-22T13:00:00.999999999+01:00",
            }
        },
        {"lastUpdatedTime": WHEN},
    ),
]


@pytest.mark.parametrize("case", TAKEN, ids=lambda case: case.name)
def test_taken(case: TestCase) -> None:
    found = read(json.dumps(case.body).encode())
    assert found == case.want
    assert echo(found) == ({} if case.want is None else {"trainerStatus": case.want})


def _with(**fields: Any) -> bytes:
    return json.dumps({"trainerStatus": {"lastUpdatedTime": WHEN, **fields}}).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[" * 60_000,
        b"[]",
        b'"a"',
        _with(progressPercentage="5"),
        _with(progressPercentage=5.0),
        _with(progressPercentage=True),
        _with(progressPercentage=2**31),
        _with(metrics={}),
        _with(metrics=["a"]),
        _with(metrics=[{"name": 5, "value": "a"}]),
        _with(metrics=[{"name": "a", "value": "\ud800"}]),
        _with(lastUpdatedTime=5),
        _with(lastUpdatedTime="2026-11-22"),
        _with(lastUpdatedTime="2026-13-22T12:00:00Z"),
        _with(lastUpdatedTime="2026-11-22T12:00:00"),
        b'{"trainerStatus":{"lastUpdatedTime":"' + WHEN.encode() + b'","progressPercentage":NaN}}',
    ],
)
def test_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableError):
        read(body)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (_with(progressPercentage=101), "progressPercentage"),
        (_with(progressPercentage=-1), "progressPercentage"),
        (_with(estimatedRemainingSeconds=-1), "estimatedRemainingSeconds"),
        (_with(metrics=[{"name": "a", "value": "b"}] * 257), "metrics"),
        (_with(metrics=[{"name": "a", "value": "b"}, {"name": "a"}]), "metrics[1].value"),
        (_with(metrics=[{"name": "a" * 65, "value": "b"}]), "metrics[0].name"),
        (b'{"trainerStatus":{"progressPercentage":1}}', "lastUpdatedTime"),
    ],
)
def test_out_of_bounds(body: bytes, place: str) -> None:
    with pytest.raises(InvalidError) as refused:
        read(body)
    assert str(refused.value).startswith(f"status.trainerStatus.{place}: ")
