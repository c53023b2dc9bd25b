from __future__ import annotations

from dataclasses import replace
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

    def __init__(self, jobset: Json | None = None, trainjob: Json = TRAINJOB) -> None:
        self._jobset = jobset
        self._trainjob = trainjob

    def find(self, path: str) -> Json | None:
        found = {"trainjobs/m": self._trainjob, "clustertrainingruntimes/torch": RUNTIME}
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


@pytest.mark.parametrize("key", ["Complete", "Failed"])
def test_a_job_that_another_controller_saw_end_is_not_made_again(key: str) -> None:
    """Its JobSet expired; our watch of JobSets told so before our watch of TrainJobs the end."""
    end = {"type": key, "status": "True", "lastTransitionTime": "2026-11-22T12:30:00Z"}
    metadata = {**TRAINJOB["metadata"], "resourceVersion": "2"}
    api = cast(
        Api, _Cluster(trainjob={**TRAINJOB, "metadata": metadata, "status": {"conditions": [end]}})
    )
    gathering = Gathering(api, Store(), Store())
    observed = Compiling(api, gathering, ()).ensure(Observed(trainjob_view(TRAINJOB), None))
    assert observed.trainjob is not None
    assert (observed.trainjob.conditions, observed.jobset, observed.error) == ((end,), None, "")
    assert gathering.trainjobs.get(("ns", "m")) == observed.trainjob


def test_a_job_that_ends_while_it_is_looked_at_is_not_made_again() -> None:
    """Its end is written, then its JobSet is deleted: who sees no JobSet must see the end."""
    end = {"type": "Complete", "status": "True", "lastTransitionTime": "2026-11-22T12:30:00Z"}

    class Ending(_Cluster):
        """Whose job ends, and expires, after the first look."""

        def find(self, path: str) -> Json | None:
            found = super().find(path)
            metadata = {**TRAINJOB["metadata"], "resourceVersion": "2"}
            self._trainjob = {**TRAINJOB, "metadata": metadata, "status": {"conditions": [end]}}
            self._jobset = None
            return found

    api = cast(Api, Ending())
    observed = Compiling(api, Gathering(api, Store(), Store()), ()).ensure(
        Observed(trainjob_view(TRAINJOB), None)
    )
    assert observed.trainjob is not None
    assert (observed.trainjob.conditions, observed.error) == ((end,), "")


def test_a_running_job_is_not_changed_though_it_was_suspended_when_last_heard_of() -> None:
    owner = {"kind": "TrainJob", "uid": "u", "controller": True}
    notes = {"trainc.dev/job": '{"version":1,"trainjob":"m"}'}
    metadata = {**TRAINJOB["metadata"], "ownerReferences": [owner], "annotations": notes}
    before = {"metadata": metadata, "spec": {"suspend": True}}
    now = {"metadata": {**metadata, "resourceVersion": "2"}, "spec": {"suspend": False}}
    api = cast(Api, _Cluster(now))
    ensure = Compiling(api, Gathering(api, Store(), Store()), ()).ensure
    observed = ensure(Observed(trainjob_view(TRAINJOB), jobset_view(before)))
    assert observed == Observed(trainjob_view(TRAINJOB), jobset_view(now), compiled=True)


def test_a_jobset_that_ended_and_was_deleted_at_once_is_not_made_again() -> None:
    end = {"type": "Completed", "status": "True", "lastTransitionTime": "2026-11-22T12:30:00Z"}
    owner = {"kind": "TrainJob", "uid": "u", "controller": True}
    notes = {"trainc.dev/job": '{"version":1,"trainjob":"m"}'}
    metadata = {**TRAINJOB["metadata"], "ownerReferences": [owner], "annotations": notes}
    went = jobset_view({"metadata": metadata, "status": {"conditions": [end]}})
    api = cast(Api, _Cluster())
    observed = Observed(trainjob_view(TRAINJOB), None, went=went)
    ensure = Compiling(api, Gathering(api, Store(), Store()), ()).ensure
    assert ensure(observed) == replace(observed, compiled=True)
