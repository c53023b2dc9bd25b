"""What the controller wrote comes back as no news: no decision may count on its own write's event.

Where the answer to a write is learned before its event comes, the watch tells nobody of it. So
whatever is left to do after a decision is done must be named by that decision: in ``after``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from trainc.controller.annotation import Minted, Note
from trainc.controller.decide import decide
from trainc.controller.decision import Decision, Observed, Status
from trainc.controller.view import JobSetView, Json, TrainJobView
from trainc.names import MANAGED_BY

NOW = datetime(2026, 11, 22, 13, tzinfo=UTC)
TIMES = st.sampled_from(
    ["2026-11-22T12:00:00Z", "2026-11-22T12:30:00Z", "2026-11-22T12:59:30Z", "2026-11-22T13:00:00Z"]
)
SECONDS = [0, 1, 60, 3600, 86400]
PROGRESS: list[Json | None] = [
    None,
    {"progressPercentage": 50, "estimatedRemainingSeconds": 9},
    {"progressPercentage": 100},
]


def _conditions(*kinds: str) -> st.SearchStrategy[tuple[Json, ...]]:
    """Each kind at most once."""
    one = st.fixed_dictionaries(
        {
            "type": st.sampled_from(kinds),
            "status": st.sampled_from(["True", "False"]),
            "reason": st.sampled_from(["Because", "DeadlineExceeded", "Suspended", "Resumed"]),
            "message": st.just("so it is"),
            "lastTransitionTime": TIMES,
        }
    )
    return st.lists(one, max_size=3, unique_by=lambda each: each["type"]).map(tuple)


TRAINJOBS = st.builds(
    TrainJobView,
    namespace=st.just("ns"),
    name=st.just("m"),
    uid=st.just("trainjob"),
    version=st.just(1),
    generation=st.just(1),
    created=TIMES,
    deleting=st.booleans(),
    managed_by=st.sampled_from([MANAGED_BY, "kueue.x-k8s.io/multikueue"]),
    suspended=st.booleans(),
    deadline=st.sampled_from(SECONDS),
    followed=st.booleans(),
    has_status=st.booleans(),
    conditions=_conditions("Suspended", "Complete", "Failed", "Stalled"),
    jobs=st.just(()),
    progress=st.sampled_from(PROGRESS),
)
JOBSETS = st.builds(
    JobSetView,
    namespace=st.just("ns"),
    name=st.just("m"),
    uid=st.just("jobset"),
    version=st.just(1),
    created=TIMES,
    deleting=st.booleans(),
    owner=st.sampled_from(["", "trainjob", "other"]),
    owner_kind=st.sampled_from(["", "TrainJob", "Workflow"]),
    note=st.one_of(
        st.none(),
        st.builds(
            Note,
            trainjob=st.just("m"),
            deadline=st.sampled_from(SECONDS),
            secrets=st.sampled_from([(), (Minted("m-mpi-ssh-auth", "ssh"),)]),
        ),
    ),
    malformed=st.sampled_from(["", "is no JSON"]),
    suspended=st.booleans(),
    held=st.booleans(),
    compiled_from=st.sampled_from([0, 1]),
    conditions=_conditions("Suspended", "Completed", "Failed"),
    jobs=st.sampled_from([(), ({"name": "node", "active": 1},)]),
    restarts=st.just(0),
    progress=st.sampled_from(PROGRESS),
    ttl=st.sampled_from([None, *SECONDS]),
    queued=st.booleans(),
)
OBSERVED = st.builds(
    Observed,
    trainjob=st.none() | TRAINJOBS,
    jobset=st.none() | JOBSETS,
    error=st.sampled_from(["", "TrainingRuntime tiny not found"]),
    reason=st.just("TrainJobResourcesCreationFailed"),
    compiled=st.booleans(),
    went=st.none() | JOBSETS,
)


def _done(seen: Observed, decision: Decision) -> Observed:
    """The same job once all of the decision is written."""
    trainjob, jobset = seen.trainjob, seen.jobset
    if trainjob is not None and decision.status is not None:
        written = decision.status
        trainjob = replace(
            trainjob,
            conditions=written.conditions,
            jobs=written.jobs,
            progress=written.progress,
            followed=True,
            has_status=True,
        )
    if jobset is not None and decision.hold:
        jobset = replace(jobset, held=True, suspended=True)
    elif jobset is not None and decision.release:
        jobset = replace(jobset, held=False, suspended=jobset.queued and jobset.suspended)
    elif jobset is not None and decision.progress is not None:
        jobset = replace(jobset, progress=decision.progress)
    return replace(seen, trainjob=trainjob, jobset=jobset)


def _asks_nothing(decision: Decision, seen: Observed) -> bool:
    if decision.delete or decision.hold or decision.release:
        return False
    if decision.progress is not None and seen.jobset and decision.progress != seen.jobset.progress:
        return False
    if decision.status is None or seen.trainjob is None:
        return True
    there = seen.trainjob
    return decision.status == Status(there.conditions, there.jobs, there.progress)


@settings(max_examples=1000, deadline=None)
@given(OBSERVED)
def test_what_is_left_to_do_is_named_before_it_is_written(seen: Observed) -> None:
    first = decide(seen, NOW)
    if first.delete:
        return  # a deletion is an event in any case
    after = _done(seen, first)
    second = decide(after, NOW)
    if first.after is not None and first.after <= 0:
        return  # it looks again at once
    assert _asks_nothing(second, after)
    assert first.mint or not second.mint
    if second.after is not None:
        assert first.after is not None
        assert first.after <= second.after
