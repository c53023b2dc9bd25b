from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from trainc.controller import compile as compiling
from trainc.controller.api import Api
from trainc.controller.compile import Compiling
from trainc.controller.decide import decide
from trainc.controller.decision import NOTHING, Observed
from trainc.controller.gather import Gathering
from trainc.controller.store import Store
from trainc.controller.view import Json, jobset_view, trainjob_view

TRAINJOB: Json = {
    "metadata": {
        "namespace": "ns",
        "name": "m",
        "uid": "u",
        "resourceVersion": "1",
        "generation": 1,
        "creationTimestamp": "2026-11-22T12:00:00Z",
    },
    "spec": {"runtimeRef": {"name": "torch"}},
}
RUNTIME: Json = {"metadata": {"name": "torch"}, "spec": {}}


class _Cluster:
    """One TrainJob and its runtime, and perhaps a JobSet."""

    def __init__(self, jobset: Json | None = None) -> None:
        self._jobset = jobset

    def find(self, path: str) -> Json | None:
        found = {"trainjobs/m": TRAINJOB, "clustertrainingruntimes/torch": RUNTIME}
        found |= {} if self._jobset is None else {"jobsets/m": self._jobset}
        return next((each for end, each in found.items() if path.endswith(end)), None)

    def create(self, path: str, manifest: Json) -> bool:
        return True


def test_a_bug_of_the_compiler_is_a_condition_of_that_job(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise KeyError("secret of the job")

    monkeypatch.setattr(compiling, "build", broken)
    api = cast(Api, _Cluster())
    ensure = Compiling(api, Gathering(api, Store(), Store()), ()).ensure
    observed = ensure(Observed(trainjob_view(TRAINJOB), None))
    assert observed.reason == "TrainJobResourcesCreationFailed"
    assert observed.error.endswith("a bug of the compiler: KeyError")


@pytest.mark.parametrize("is_known", [True, False])
def test_a_jobset_that_a_person_made_is_in_the_way_and_is_told(is_known: bool) -> None:
    jobset = {"metadata": {**TRAINJOB["metadata"], "uid": "theirs"}}
    api = cast(Api, _Cluster(jobset))
    ensure = Compiling(api, Gathering(api, Store(), Store()), ()).ensure
    observed = ensure(Observed(trainjob_view(TRAINJOB), jobset_view(jobset) if is_known else None))
    decision = decide(observed, datetime(2026, 11, 22, 13, tzinfo=UTC))
    assert decision.status is not None
    (stalled,) = decision.status.conditions
    assert (stalled["type"], stalled["reason"]) == ("Stalled", "TrainJobResourcesCreationFailed")
    assert stalled["message"].endswith("is there, and trainc did not build it")
    assert not (decision.delete or decision.hold)


def test_the_trainjob_of_a_build_waits_for_its_jobset() -> None:
    labels = {"app.kubernetes.io/managed-by": "trainc"}
    trainjob = trainjob_view({**TRAINJOB, "metadata": {**TRAINJOB["metadata"], "labels": labels}})
    api = cast(Api, _Cluster())
    ensure = Compiling(api, Gathering(api, Store(), Store()), ()).ensure
    observed = ensure(Observed(trainjob, None))
    assert observed == Observed(trainjob, None)
    assert decide(observed, datetime(2026, 11, 22, 13, tzinfo=UTC)) == NOTHING
