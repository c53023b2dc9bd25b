from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from trainc.controller.annotation import Minted, Note
from trainc.controller.conditions import finished
from trainc.controller.decide import decide
from trainc.controller.decision import Decision, Observed
from trainc.controller.view import JobSetView, Json, TrainJobView
from trainc.names import MANAGED_BY

BORN = "2026-11-22T12:00:00Z"
LATER = "2026-11-22T12:30:00Z"
NOW = datetime(2026, 11, 22, 13, tzinfo=UTC)
JUST_NOW, AHEAD = "2026-11-22T12:59:58Z", "2026-11-22T13:05:00Z"
NOW_TEXT = "2026-11-22T13:00:00Z"
SECRET = Minted("m-mpi-ssh-auth", "ssh")


def a_trainjob(**changes: Any) -> TrainJobView:
    view = TrainJobView(
        namespace="ns",
        name="m",
        uid="trainjob",
        version=1,
        generation=1,
        created=BORN,
        deleting=False,
        managed_by=MANAGED_BY,
        suspended=False,
        deadline=0,
        followed=False,
        has_status=False,
        conditions=(),
        jobs=(),
        progress=None,
    )
    return replace(view, **changes)


def a_jobset(**changes: Any) -> JobSetView:
    view = JobSetView(
        namespace="ns",
        name="m",
        uid="jobset",
        version=1,
        created=BORN,
        deleting=False,
        owner="",
        owner_kind="",
        note=Note("m"),
        malformed="",
        suspended=False,
        held=False,
        compiled_from=0,
        conditions=(),
        jobs=(_job(active=1, ready=1),),
        restarts=0,
        progress=None,
    )
    return replace(view, **changes)


def _job(**counts: int) -> Json:
    zero = dict.fromkeys(("ready", "succeeded", "failed", "active", "suspended"), 0)
    return {"name": "node", **zero, **counts}


def _is(kind: str, status: str = "True", reason: str = "Because", when: str = LATER) -> Json:
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": "so it is",
        "lastTransitionTime": when,
    }


COMPLETED, FAILED_JOBSET = _is("Completed"), _is("Failed")


@dataclass(frozen=True)
class TestCase:
    """What is observed, and what the TrainJob's conditions shall be; None: its status is left."""

    __test__ = False
    name: str
    trainjob: TrainJobView | None
    jobset: JobSetView | None
    conditions: tuple[Json, ...] | None = None
    delete: bool = False
    hold: bool = False
    release: bool = False
    mint: bool = False
    after: float | None = None


RESUMED = {
    **_is("Suspended", "False", "Resumed", LATER),
    "message": "TrainJob is resumed",
}
OVERRAN = {
    **_is("Failed", reason="DeadlineExceeded", when="2026-11-22T13:00:00Z"),
    "message": "TrainJob exceeded its active deadline",
}

CASES = [
    TestCase("nothing there", None, None),
    TestCase("running", a_trainjob(), a_jobset(), ()),
    TestCase(
        "complete, as the JobSet says",
        a_trainjob(),
        a_jobset(conditions=(COMPLETED,)),
        (_is("Complete"),),
    ),
    TestCase(
        "failed, as the JobSet says",
        a_trainjob(),
        a_jobset(conditions=(FAILED_JOBSET,)),
        (_is("Failed"),),
    ),
    TestCase(
        "a condition that is False is no end",
        a_trainjob(),
        a_jobset(conditions=(_is("Completed", "False"),)),
        (),
    ),
    TestCase(
        "suspended",
        a_trainjob(suspended=True),
        a_jobset(suspended=True, conditions=(_is("Suspended"),)),
        (
            {
                **_is("Suspended", reason="Suspended"),
                "message": "TrainJob is suspended",
            },
        ),
    ),
    TestCase(
        "resumed",
        a_trainjob(conditions=(_is("Suspended", when=BORN),)),
        a_jobset(conditions=(_is("Suspended", "False", when=JUST_NOW),)),
        ({**RESUMED, "lastTransitionTime": JUST_NOW},),
    ),
    TestCase(
        "resumed by the word of a clock that is behind, or hours ago: seen now",
        a_trainjob(deadline=60, conditions=(_is("Suspended", when=BORN),)),
        a_jobset(conditions=(_is("Suspended", "False"),)),
        ({**RESUMED, "lastTransitionTime": NOW_TEXT},),
        after=60,
    ),
    TestCase(
        "resumed by the word of a clock that is ahead: seen now",
        a_trainjob(deadline=60, conditions=(_is("Suspended", when=BORN),)),
        a_jobset(conditions=(_is("Suspended", "False", when=AHEAD),)),
        ({**RESUMED, "lastTransitionTime": NOW_TEXT},),
        after=60,
    ),
    TestCase(
        "suspended and resumed while nobody looked",
        a_trainjob(),
        a_jobset(conditions=(_is("Suspended", "False"),)),
        (RESUMED,),
    ),
    TestCase(
        "suspended and resumed once more while nobody looked",
        a_trainjob(deadline=3600, conditions=({**RESUMED, "lastTransitionTime": BORN},)),
        a_jobset(conditions=(_is("Suspended", "False"),)),
        (RESUMED,),
        after=1800.0,
    ),
    TestCase(
        "resumed while nobody looked, the deadline begins anew",
        a_trainjob(deadline=3600),
        a_jobset(conditions=(_is("Suspended", "False"),)),
        (RESUMED,),
        after=1800.0,
    ),
    TestCase(
        "resumed by our clock, the JobSet's is behind",
        a_trainjob(conditions=(RESUMED,)),
        a_jobset(conditions=(_is("Suspended", "False", when=BORN),)),
        (RESUMED,),
    ),
    TestCase(
        "a JobSet that was resumed before its TrainJob was made",
        a_trainjob(deadline=7200),
        a_jobset(conditions=(_is("Suspended", "False", when="2026-11-22T11:00:00Z"),)),
        ({**RESUMED, "lastTransitionTime": "2026-11-22T11:00:00Z"},),
        after=3600.0,
    ),
    TestCase(
        "finished and expired",
        a_trainjob(conditions=(_is("Failed"),)),
        None,
        (_is("Failed"),),
    ),
    TestCase(
        "finished, and its JobSet made again",
        a_trainjob(conditions=(_is("Failed"),)),
        a_jobset(created="2026-11-22T12:45:00Z"),
        (_is("Failed"),),
        hold=True,
    ),
    TestCase(
        "finished, and its JobSet made again in the same second",
        a_trainjob(conditions=(_is("Failed"),)),
        a_jobset(created=LATER),
        (_is("Failed"),),
        hold=True,
    ),
    TestCase(
        "finished in the second it was made in",
        a_trainjob(conditions=(_is("Failed", when=BORN),)),
        a_jobset(conditions=(_is("Failed", when=BORN),)),
        (_is("Failed", when=BORN),),
    ),
    TestCase(
        "made again, and held already",
        a_trainjob(conditions=(_is("Failed"),)),
        a_jobset(created="2026-11-22T12:45:00Z", suspended=True, held=True),
        (_is("Failed"),),
    ),
    TestCase(
        "held, but the TrainJob is new",
        a_trainjob(),
        a_jobset(suspended=True, held=True),
        (),
        release=True,
        after=0,
    ),
    TestCase(
        "a finish by another writer is taken back",
        a_trainjob(conditions=(_is("Complete"),)),
        a_jobset(),
        (),
    ),
    TestCase(
        "a finish older than the TrainJob was another run's",
        a_trainjob(conditions=(_is("Complete", when="2026-11-22T11:00:00Z"),)),
        a_jobset(created="2026-11-22T12:45:00Z"),
        (),
    ),
    TestCase(
        "another writer said Failed, the JobSet says Completed",
        a_trainjob(conditions=(_is("Failed", reason="ByHand"),)),
        a_jobset(conditions=(COMPLETED,)),
        (_is("Complete"),),
    ),
    TestCase(
        "the deadline is still far",
        a_trainjob(deadline=7200),
        a_jobset(),
        (),
        after=3600.0,
    ),
    TestCase(
        "the deadline is over", a_trainjob(deadline=3600), a_jobset(), (OVERRAN,), delete=True
    ),
    TestCase(
        "resuming begins the deadline anew",
        a_trainjob(deadline=3600, conditions=(RESUMED,)),
        a_jobset(conditions=(_is("Suspended", "False"),)),
        (RESUMED,),
        after=1800.0,
    ),
    TestCase(
        "no deadline while suspended",
        a_trainjob(deadline=60, suspended=True, conditions=(_is("Suspended", reason="Suspended"),)),
        a_jobset(suspended=True, conditions=(_is("Suspended"),)),
        ({**_is("Suspended", reason="Suspended"), "message": "TrainJob is suspended"},),
    ),
    TestCase(
        "finished in time, seen too late",
        a_trainjob(deadline=60),
        a_jobset(conditions=(COMPLETED,)),
        (_is("Complete"),),
    ),
    TestCase(
        "overran, and the JobSet is still there",
        a_trainjob(conditions=(OVERRAN,)),
        a_jobset(),
        (OVERRAN,),
        delete=True,
    ),
    TestCase(
        "overran, and the JobSet is going",
        a_trainjob(conditions=(OVERRAN,)),
        a_jobset(deleting=True),
        (OVERRAN,),
    ),
    TestCase(
        "overran, and a GitOps tool made the JobSet again",
        a_trainjob(conditions=(OVERRAN,)),
        a_jobset(created="2026-11-22T13:00:01Z"),
        (OVERRAN,),
        hold=True,
    ),
    TestCase(
        "finished, and kept for a while",
        a_trainjob(conditions=(_is("Complete"),)),
        a_jobset(conditions=(COMPLETED,), ttl=3600),
        (_is("Complete"),),
        after=1800.0,
    ),
    TestCase(
        "finished, and kept for long enough",
        a_trainjob(conditions=(_is("Failed"),)),
        a_jobset(conditions=(FAILED_JOBSET,), ttl=1800),
        (_is("Failed"),),
        delete=True,
    ),
    TestCase(
        "its end is told before it goes",
        a_trainjob(),
        a_jobset(conditions=(COMPLETED,), ttl=0),
        (_is("Complete"),),
        after=-1800,
    ),
    TestCase(
        "its end is told while it is kept",
        a_trainjob(),
        a_jobset(conditions=(COMPLETED,), ttl=7200),
        (_is("Complete"),),
        after=5400,
    ),
    TestCase(
        "not kept any longer, and going",
        a_trainjob(conditions=(_is("Complete"),)),
        a_jobset(conditions=(COMPLETED,), ttl=0, deleting=True),
        (_is("Complete"),),
    ),
    TestCase(
        "without a TrainJob the deadline is the annotation's",
        None,
        a_jobset(note=Note("m", deadline=3600)),
        delete=True,
    ),
    TestCase(
        "without a TrainJob, resumed",
        None,
        a_jobset(note=Note("m", deadline=3600), conditions=(_is("Suspended", "False"),)),
        after=1800.0,
    ),
    TestCase(
        "without a TrainJob, resumed, and JobSet has yet to say so",
        None,
        a_jobset(note=Note("m", deadline=60), conditions=(_is("Suspended"),)),
        after=60.0,
    ),
    TestCase(
        "without a TrainJob, held since the one before",
        None,
        a_jobset(note=Note("m", deadline=60), suspended=True, held=True),
        release=True,
        after=0,
    ),
    TestCase("not built by trainc", None, a_jobset(note=None)),
    TestCase("not built by trainc, beside a TrainJob", a_trainjob(), a_jobset(note=None)),
    TestCase("no JobSet so far", a_trainjob(), None),
    TestCase(
        "the operator's TrainJob, between two JobSets", a_trainjob(jobs=(_job(active=1),)), None
    ),
    TestCase(
        "another controller's JobSet",
        a_trainjob(),
        a_jobset(owner="x", owner_kind="Workflow", conditions=(COMPLETED,)),
    ),
    TestCase(
        "the operator's JobSet",
        a_trainjob(),
        a_jobset(owner="trainjob", owner_kind="TrainJob", note=None, conditions=(COMPLETED,)),
    ),
    TestCase(
        "our own JobSet",
        a_trainjob(),
        a_jobset(owner="trainjob", owner_kind="TrainJob", conditions=(COMPLETED,)),
        (_is("Complete"),),
    ),
    TestCase(
        "the JobSet of an older TrainJob of the name",
        a_trainjob(),
        a_jobset(owner="older", owner_kind="TrainJob", conditions=(COMPLETED,)),
    ),
    TestCase(
        "Kueue's in another cluster",
        a_trainjob(managed_by="kueue.x-k8s.io/multikueue"),
        a_jobset(conditions=(COMPLETED,)),
    ),
    TestCase(
        "going, and held up by a finalizer",
        a_trainjob(deleting=True, deadline=3600),
        a_jobset(),
        (OVERRAN,),
        delete=True,
    ),
    TestCase("going, and its JobSet went", a_trainjob(deleting=True, followed=True), None),
    TestCase(
        "an annotation that cannot be read takes no end away",
        a_trainjob(),
        a_jobset(note=None, malformed="is not JSON", conditions=(COMPLETED,)),
        (_is("Complete"),),
    ),
    TestCase(
        "an annotation that cannot be read takes no deadline away",
        a_trainjob(deadline=3600),
        a_jobset(note=None, malformed="is not JSON"),
        (OVERRAN,),
        delete=True,
    ),
    TestCase(
        "an annotation that cannot be read, of an older TrainJob of the name",
        a_trainjob(),
        a_jobset(note=None, malformed="is not JSON", owner="older", owner_kind="TrainJob"),
    ),
    TestCase(
        "Secrets before anything runs",
        a_trainjob(),
        a_jobset(note=Note("m", secrets=(SECRET,)), jobs=()),
        (),
        mint=True,
    ),
    TestCase(
        "Secrets while a pod may wait for them",
        a_trainjob(),
        a_jobset(note=Note("m", secrets=(SECRET,)), jobs=(_job(active=1),)),
        (),
        mint=True,
    ),
    TestCase(
        "no Secrets once everything runs",
        a_trainjob(),
        a_jobset(note=Note("m", secrets=(SECRET,))),
        (),
    ),
    TestCase(
        "no Secrets for what is finished",
        a_trainjob(),
        a_jobset(note=Note("m", secrets=(SECRET,)), jobs=(), conditions=(COMPLETED,)),
        (_is("Complete"),),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_decide(case: TestCase) -> None:
    decision = _decided(case)
    found = None if decision.status is None else decision.status.conditions
    assert found == case.conditions
    assert decision.delete == case.delete
    assert decision.hold == case.hold
    assert decision.release == case.release
    assert decision.mint == case.mint
    assert decision.after == case.after


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_cannot_be_taken_back_is_confirmed(case: TestCase) -> None:
    decision = _decided(case)
    assert decision.confirm or not (decision.delete or decision.hold)
    if case.trainjob is not None and decision.status is not None:
        withdrawn = finished(case.trainjob.conditions) and not finished(decision.status.conditions)
        assert decision.confirm or not withdrawn


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_deciding_again_changes_nothing(case: TestCase) -> None:
    decision = _decided(case)
    if case.trainjob is None or decision.status is None:
        return
    written = replace(
        case.trainjob,
        conditions=decision.status.conditions,
        jobs=decision.status.jobs,
        followed=True,
    )
    again = decide(Observed(written, case.jobset), NOW)
    assert again.status == decision.status


def _decided(case: TestCase) -> Decision:
    return decide(Observed(case.trainjob, case.jobset), NOW)


def test_counts_are_the_jobsets() -> None:
    theirs = {**_job(ready=2, active=3), "jobRestarts": [1]}
    decision = decide(Observed(a_trainjob(), a_jobset(jobs=(theirs,))), NOW)
    assert decision.status is not None
    assert decision.status.jobs == (_job(ready=2, active=3),)


@dataclass(frozen=True)
class ProgressCase:
    __test__ = False
    name: str
    progress: Json | None
    end: Json
    want: int | None


@pytest.mark.parametrize(
    "case",
    [
        ProgressCase("reported, complete", {"progressPercentage": 97}, COMPLETED, 100),
        ProgressCase("reported, failed", {"progressPercentage": 97}, FAILED_JOBSET, 97),
        ProgressCase("nothing reported", None, COMPLETED, None),
    ],
    ids=lambda case: case.name,
)
@pytest.mark.parametrize("with_trainjob", [True, False])
def test_progress_at_the_end(case: ProgressCase, with_trainjob: bool) -> None:
    jobset = a_jobset(conditions=(case.end,), progress=None if with_trainjob else case.progress)
    trainjob = a_trainjob(progress=case.progress) if with_trainjob else None
    decision = decide(Observed(trainjob, jobset), NOW)
    if trainjob is None:
        found = decision.progress if decision.progress is not None else jobset.progress
    else:
        assert decision.status is not None
        found = decision.status.progress
    assert (found or {}).get("progressPercentage") == case.want


def test_a_jobset_that_went_is_told() -> None:
    trainjob = a_trainjob(followed=True, jobs=(_job(active=1),))
    decision = decide(Observed(trainjob, None), NOW)
    assert decision.status is not None
    assert [each["type"] for each in decision.status.conditions] == ["Stalled"]
    assert decision.status.jobs == ()
    assert decision.confirm


def test_a_deadline_is_not_lost_once_the_jobset_went() -> None:
    trainjob = a_trainjob(followed=True, jobs=(_job(active=1),), deadline=3660)
    gone = decide(Observed(trainjob, None), NOW)
    assert gone.status is not None
    assert (gone.after, gone.status.jobs) == (60.0, ())
    written = replace(trainjob, jobs=(), conditions=gone.status.conditions)
    over = decide(Observed(written, None), NOW + timedelta(seconds=60))
    assert over.status is not None
    assert [each["reason"] for each in over.status.conditions] == ["DeadlineExceeded"]


def test_a_deadline_counts_without_a_jobset() -> None:
    trainjob = a_trainjob(followed=True, jobs=(_job(active=1),), deadline=60)
    decision = decide(Observed(trainjob, None), NOW)
    assert decision.status is not None
    assert [each["reason"] for each in decision.status.conditions] == ["DeadlineExceeded"]
    assert not decision.delete


def test_a_malformed_annotation_is_a_condition_and_goes_with_it() -> None:
    trainjob = a_trainjob()
    decision = decide(Observed(trainjob, a_jobset(note=None, malformed="is not JSON")), NOW)
    assert decision.status is not None
    assert [each["reason"] for each in decision.status.conditions] == ["MalformedAnnotation"]
    mended = replace(trainjob, conditions=decision.status.conditions)
    again = decide(Observed(mended, a_jobset()), NOW)
    assert again.status is not None
    assert again.status.conditions == ()


def test_what_could_not_be_made_is_a_condition() -> None:
    seen = Observed(a_trainjob(), None, error="no such runtime", reason="Why", compiled=True)
    decision = decide(seen, NOW)
    assert decision.status is not None
    assert [(c["type"], c["message"]) for c in decision.status.conditions] == [
        ("Stalled", "no such runtime")
    ]


def test_conditions_of_others_are_kept() -> None:
    theirs = _is("QuotaReserved")
    decision = decide(
        Observed(a_trainjob(conditions=(theirs,)), a_jobset(conditions=(COMPLETED,))), NOW
    )
    assert decision.status is not None
    assert decision.status.conditions == (theirs, _is("Complete"))


@pytest.mark.parametrize("trainjob", [a_trainjob(), None])
def test_secrets_that_could_not_be_minted_are_told_and_the_job_is_followed(
    trainjob: TrainJobView | None,
) -> None:
    jobset = a_jobset(note=Note("m", secrets=(SECRET,)), jobs=(_job(active=1),))
    decision = decide(Observed(trainjob, jobset, error="over quota", reason="Why"), NOW)
    assert [(each.reason, each.message) for each in decision.events] == [("Why", "over quota")]
    assert decision.after is not None
    if trainjob is not None:
        assert decision.status is not None
        assert [each["reason"] for each in decision.status.conditions] == ["Why"]
        assert decision.status.jobs == (_job(active=1),)


def test_suspension_is_followed_whatever_else_fails() -> None:
    """Or a deadline would count the time for which a job was suspended."""
    trainjob = a_trainjob(deadline=3600, conditions=(_is("Suspended", when=BORN),))
    jobset = a_jobset(conditions=(_is("Suspended", "False"),))
    seen = Observed(trainjob, jobset, error="over quota", reason="Why")
    decision = decide(seen, NOW)
    assert decision.status is not None
    assert decision.status.conditions[0] == {**RESUMED, "lastTransitionTime": NOW_TEXT}
    assert not decision.delete


def test_a_job_that_cannot_be_made_is_suspended_all_the_same() -> None:
    trainjob = a_trainjob(deadline=3600, suspended=True)
    seen = Observed(trainjob, None, error="no such runtime", reason="Why", compiled=True)
    decision = decide(seen, NOW)
    assert decision.status is not None
    assert [each["type"] for each in decision.status.conditions] == ["Suspended", "Stalled"]
    later = replace(trainjob, suspended=False, conditions=decision.status.conditions)
    resumed = decide(replace(seen, trainjob=later), NOW + timedelta(seconds=60))
    assert resumed.status is not None
    assert not finished(resumed.status.conditions)
    assert resumed.status.conditions[0]["reason"] == "Resumed"


def test_what_failed_just_now_is_tried_soon() -> None:
    """What is in the way may be an older TrainJob's of the name, and be collected in a moment."""
    seen = Observed(a_trainjob(), None, error="not owned by this", reason="Why", compiled=True)
    assert decide(seen, NOW).after == 1
    alone = Observed(None, a_jobset(), error="no quota", reason="Why")
    assert decide(alone, NOW).after == 15


@pytest.mark.parametrize(("age", "want"), [(0, 1), (3, 3), (60, 60), (3600, 300), (-60, 15)])
def test_what_failed_for_long_is_tried_less_often(age: int, want: float) -> None:
    since = (NOW - timedelta(seconds=age)).strftime("%Y-%m-%dT%H:%M:%SZ")
    trainjob = a_trainjob(conditions=(_is("Stalled", when=since),))
    seen = Observed(trainjob, None, error="no such runtime", reason="Why", compiled=True)
    assert decide(seen, NOW).after == want


def test_what_another_controller_took_over_keeps_no_complaint_of_ours() -> None:
    trainjob = a_trainjob(conditions=(_is("Stalled"),), followed=True)
    jobset = a_jobset(owner="trainjob", owner_kind="TrainJob", note=None)
    decision = decide(Observed(trainjob, jobset), NOW)
    assert decision.status is not None
    assert decision.status.conditions == ()
    assert decide(Observed(replace(trainjob, conditions=()), jobset), NOW).status is None


@dataclass(frozen=True)
class WentCase:
    """How a JobSet was when it went, and what the TrainJob's conditions shall be."""

    name: str
    went: JobSetView
    kinds: tuple[str, ...]
    trainjob: TrainJobView = a_trainjob(followed=True)


OVER = a_jobset(conditions=(COMPLETED,), deleting=True)
WENT = [
    WentCase("it had completed", OVER, ("Complete",)),
    WentCase("it had failed", replace(OVER, conditions=(FAILED_JOBSET,)), ("Failed",)),
    WentCase("nobody followed it so far", OVER, ("Complete",), a_trainjob()),
    WentCase("it ran", a_jobset(), ("Stalled",)),
    WentCase("another TrainJob's", replace(OVER, owner="x", owner_kind="TrainJob"), ("Stalled",)),
    WentCase("another controller's", replace(OVER, owner="x", owner_kind="Flow"), ("Stalled",)),
    WentCase("not built by trainc", replace(OVER, note=None), ("Stalled",)),
    WentCase(
        "an older run's",
        OVER,
        ("Stalled",),
        a_trainjob(followed=True, created="2026-11-22T12:45:00Z"),
    ),
]


@pytest.mark.parametrize("case", WENT, ids=lambda case: case.name)
def test_a_jobset_that_expired_at_once_tells_how_it_ended(case: WentCase) -> None:
    """Where both events come together, nobody saw it while it was there."""
    decision = decide(Observed(case.trainjob, None, went=case.went), NOW)
    assert decision.status is not None
    assert tuple(each["type"] for each in decision.status.conditions) == case.kinds
    assert decision.after is None
    assert not decision.delete
    ended = replace(case.trainjob, conditions=decision.status.conditions, jobs=decision.status.jobs)
    again = decide(Observed(ended, None, went=case.went), NOW)
    assert again.status is not None
    assert again.status.conditions == decision.status.conditions
