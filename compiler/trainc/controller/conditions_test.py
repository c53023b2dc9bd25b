from __future__ import annotations

from trainc.controller.conditions import (
    COMPLETE,
    FAILED,
    MAX_CONDITIONS,
    STALLED,
    condition,
    finished,
    with_condition,
    without,
)
from trainc.controller.view import Json

OLD, NEW = "2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z"


def _a(kind: str, status: str = "True", when: str = OLD) -> Json:
    return condition(kind, status, "Because", "so it is", when)


def test_the_time_moves_only_with_the_status() -> None:
    (same,) = with_condition((_a(STALLED),), {**_a(STALLED, when=NEW), "message": "other"})
    assert (same["lastTransitionTime"], same["message"]) == (OLD, "other")
    (changed,) = with_condition((_a(STALLED),), _a(STALLED, "False", NEW))
    assert changed["lastTransitionTime"] == NEW


def test_the_order_of_others_stays() -> None:
    found = with_condition((_a("A"), _a(STALLED), _a("B")), _a(STALLED, "False", NEW))
    assert [each["type"] for each in found] == ["A", STALLED, "B"]
    assert [each["type"] for each in without(found, "A", "B")] == [STALLED]


def test_a_full_list_gives_up_the_one_of_others_that_is_oldest() -> None:
    theirs = [_a(f"T{number}", when=NEW) for number in range(MAX_CONDITIONS - 1)]
    theirs[3] = _a("T3", when=OLD)
    found = with_condition((_a(STALLED, when="2026-01-01T00:00:00Z"), *theirs), _a(COMPLETE))
    assert len(found) == MAX_CONDITIONS
    assert "T3" not in [each["type"] for each in found]
    assert {STALLED, COMPLETE} <= {each["type"] for each in found}


def test_finished_is_what_is_true() -> None:
    assert finished([_a(FAILED, "False"), _a("Suspended")]) is None
    end = finished([_a(FAILED, "False"), _a(COMPLETE)])
    assert end is not None
    assert end["type"] == COMPLETE
    assert finished([{}, {"type": COMPLETE}]) is None
