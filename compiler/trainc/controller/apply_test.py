from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from trainc.controller.annotation import Note
from trainc.controller.api import Api, ApiError
from trainc.controller.apply import Applying
from trainc.controller.decision import Decision, Observed, Status, Told
from trainc.controller.gather import Gathering
from trainc.controller.minter import Minter
from trainc.controller.store import Store
from trainc.controller.times import parse
from trainc.controller.view import Json, jobset_view, trainjob_view

NOW = "2026-11-22T12:00:00Z"
OVER = Told("Warning", "DeadlineExceeded", "over")
FOUND = {
    "metadata": {
        "namespace": "ns",
        "name": "m",
        "uid": "u",
        "resourceVersion": "1",
        "creationTimestamp": NOW,
    }
}
TRAINJOB = trainjob_view(FOUND)
JOBSET = replace(jobset_view(FOUND), note=Note("m", cache="m-cache"))
FINISHED = Status(jobs=({"name": "node", "failed": 1},))


class Cluster:
    """Takes statuses, and answers nothing else; also what is told of it."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.told: list[Told] = []

    def patch(self, path: str, *_: Any) -> Json:
        code = self.status if path.endswith("/status") else 0
        if code == 200:
            return FOUND
        raise ApiError(code, "no")

    def find(self, path: str) -> Json | None:
        raise ApiError(0, "no answer")

    def delete(self, path: str, uid: str) -> None:
        raise ApiError(0, "no answer")

    def tell(self, subject: object, told: Told) -> None:
        self.told.append(told)

    def apply(self, observed: Observed, decision: Decision) -> None:
        api, events = cast(Api, self), cast(Any, self)
        gathering = Gathering(api, Store(), Store())
        Applying(api, gathering, Minter(api, str), events).apply(observed, decision, parse(NOW))


@pytest.mark.parametrize(
    ("observed", "decision"),
    [
        (Observed(None, JOBSET), Decision(delete=True)),
        (Observed(TRAINJOB, JOBSET), Decision(hold=True)),
        (Observed(TRAINJOB, JOBSET), Decision(status=FINISHED, cache=0)),
    ],
    ids=["deleted", "held", "its cache put to sleep"],
)
def test_what_may_be_done_without_an_answer_is_told(observed: Observed, decision: Decision) -> None:
    cluster = Cluster()
    with pytest.raises(ApiError):
        cluster.apply(observed, replace(decision, events=(OVER,)))
    assert cluster.told == [OVER]


@pytest.mark.parametrize(("code", "told"), [(422, []), (409, []), (0, [OVER]), (503, [OVER])])
def test_what_is_decided_anew_is_not_told_before(code: int, told: list[Told]) -> None:
    cluster = Cluster(code)
    with pytest.raises(ApiError):
        cluster.apply(Observed(TRAINJOB, None), Decision(status=FINISHED, events=(OVER,)))
    assert cluster.told == told
