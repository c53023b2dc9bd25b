"""What shall be so for one job: status of its TrainJob, end of its time, Secrets to mint.

In: what was gathered, and the time. Out: a ``Decision``. Pure: no clock, no network, no memory, so
that a restart of the controller, a second one beside it or a late event all lead to the same end.
The rules are Kubeflow Trainer v2.3.0's, without their defects.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from trainc.controller.again import AT_ONCE, soonest, try_again
from trainc.controller.annotation import Note
from trainc.controller.caching import groups_of
from trainc.controller.conditions import (
    COMPLETE,
    FAILED,
    NOT_SUPPORTED,
    STALLED,
    SUSPENDED,
    condition,
    end_of,
    find,
    finished,
    is_true,
    with_condition,
    without,
)
from trainc.controller.deadline import EXCEEDED, seconds_kept, seconds_left
from trainc.controller.decision import MALFORMED, NOTHING, Decision, Observed, Status, Told
from trainc.controller.finish import Verdict, made_after, verdict_of
from trainc.controller.foreigntime import changed_at, ended_at, is_of_older_run
from trainc.controller.minting import wants_minting
from trainc.controller.times import written
from trainc.controller.view import JobSetView, Json, TrainJobView
from trainc.names import JOB_ANNOTATION, MANAGED_BY

MAX_JOBS = 100  # the CRD's bound on jobsStatus
_COUNTS = ("ready", "succeeded", "failed", "active", "suspended")
_ENDS = {"Completed": COMPLETE, "Failed": FAILED}  # JobSet's condition -> TrainJob's


def decide(seen: Observed, now: datetime) -> Decision:
    """What shall be so for the job that was gathered."""
    trainjob, jobset = seen.trainjob, seen.jobset
    if trainjob is not None and trainjob.managed_by != MANAGED_BY:
        return NOTHING
    if jobset is not None and _foreign(jobset, trainjob):
        return _left_alone(trainjob)
    if jobset is not None and (not _is_built(jobset) or _of_another(jobset, trainjob)):
        jobset = None
    if trainjob is not None and trainjob.deleting and jobset is None:
        return NOTHING
    if jobset is not None and jobset.malformed:
        # Only what the annotation asks for is lost: the job is followed as any other.
        jobset = replace(jobset, note=Note(jobset.name))
        message = f"JobSet annotation {JOB_ANNOTATION} {jobset.malformed}"
        seen = replace(seen, error=message, reason=MALFORMED)
    if trainjob is not None:
        decision = _together(replace(seen, jobset=jobset), trainjob, now)
    else:
        decision = NOTHING if jobset is None else _alone(seen, jobset, now)
    return decision if jobset is None else replace(decision, cache=groups_of(jobset))


def _foreign(jobset: JobSetView, trainjob: TrainJobView | None) -> bool:
    """Whether another controller runs this JobSet: then it is none of our business."""
    if not jobset.owner:
        return False
    if jobset.owner_kind != "TrainJob":
        return True
    if not _is_built(jobset):
        return True  # the operator's: same owner, but not built by trainc
    return trainjob is None


def _is_built(jobset: JobSetView) -> bool:
    """Whether trainc built it, and be it by an annotation that cannot be read."""
    return jobset.note is not None or bool(jobset.malformed)


def _of_another(jobset: JobSetView, trainjob: TrainJobView | None) -> bool:
    """Whether the JobSet belongs to an older TrainJob of the name, and goes with it."""
    return trainjob is not None and jobset.owner not in ("", trainjob.uid)


def _left_alone(trainjob: TrainJobView | None) -> Decision:
    if trainjob is None:
        return NOTHING
    message = "its JobSet has another controller; trainc leaves both alone"
    told = (Told("Normal", "ManagedByAnother", message),)
    if not trainjob.followed or find(trainjob.conditions, STALLED) is None:
        return Decision(events=told)
    kept = without(trainjob.conditions, STALLED)  # ours, of before
    return Decision(status=Status(kept, trainjob.jobs, trainjob.progress), events=told)


def _alone(seen: Observed, jobset: JobSetView, now: datetime) -> Decision:
    """A JobSet without a TrainJob in the cluster: deadline, Secrets and progress only."""
    if end_of(jobset.conditions) is not None:
        complete = is_true(jobset.conditions, "Completed")
        return Decision(progress=_all_done(jobset.progress, now) if complete else None)
    if jobset.deleting:
        return NOTHING
    left = seconds_left(jobset.conditions, None, jobset, now)
    if left is not None and left <= 0:
        told = Told("Warning", EXCEEDED.reason, EXCEEDED.message)
        return Decision(delete=True, confirm=True, events=(told,))
    events = (Told("Warning", seen.reason, seen.error),) if seen.error else ()
    after = soonest(left, try_again(seen, now))
    after = AT_ONCE if jobset.held else after
    mint = wants_minting(jobset)
    return Decision(mint=mint, release=jobset.held, after=after, events=events)


def _together(seen: Observed, trainjob: TrainJobView, now: datetime) -> Decision:
    """A TrainJob with its JobSet, or with one that is missing."""
    verdict = verdict_of(trainjob, seen.jobset)
    if verdict is Verdict.OPEN:
        return _running(seen, trainjob, now)
    if verdict is Verdict.WITHDRAW:
        # A finish that no JobSet of this run stands behind: another writer's, or an older run's.
        cleared = without(trainjob.conditions, COMPLETE, FAILED)
        decision = _running(seen, replace(trainjob, conditions=cleared), now)
        return replace(decision, confirm=True)
    return _after_the_end(seen.jobset, trainjob, verdict, now)


def _after_the_end(
    jobset: JobSetView | None, trainjob: TrainJobView, verdict: Verdict, now: datetime
) -> Decision:
    """Finished is final: only the counts follow, and what must not run is stopped."""
    end = finished(trainjob.conditions) or {}
    conditions = without(trainjob.conditions, STALLED)
    status = Status(conditions, trainjob.jobs, trainjob.progress)
    if jobset is not None and not made_after(jobset, trainjob, end):
        status = replace(status, jobs=_jobs(jobset))
    if end.get("type") == COMPLETE:
        status = replace(status, progress=_all_done(trainjob.progress, now))
    if verdict is Verdict.HOLD:
        message = (
            f"TrainJob is {end.get('type')}, and its JobSet was made again; it is held suspended."
            " Delete the TrainJob to run it again"
        )
        told = (Told("Warning", "HeldAfterFinish", message),)
        return Decision(status=status, hold=True, confirm=True, events=told)
    left = None if jobset is None else seconds_kept(jobset, now)
    delete = verdict is Verdict.DELETE or (left is not None and left <= 0)
    return Decision(status=status, delete=delete, confirm=delete, after=None if delete else left)


def _running(seen: Observed, trainjob: TrainJobView, now: datetime) -> Decision:
    """Not finished so far: mirror the JobSet, and watch the time."""
    jobset = seen.jobset
    if jobset is None and (ended := ended_before_it_went(seen)) is not None:
        return replace(_ended(ended, trainjob, now), after=None)
    if jobset is None and not seen.error and (seen.compiled or not trainjob.followed):
        return NOTHING  # being made, still on its way, or another controller's
    if jobset is None:
        decision = _missing(seen, trainjob, now)
    elif end_of(jobset.conditions) is not None:
        return _ended(jobset, trainjob, now)
    else:
        decision = _mirrored(seen, jobset, trainjob, now)
    assert decision.status is not None
    conditions = decision.status.conditions
    left = seconds_left(conditions, trainjob, jobset, now)
    if left is None or left > 0:
        return replace(decision, after=soonest(left, decision.after))
    if finished(conditions):
        return decision
    over = condition(FAILED, "True", EXCEEDED.reason, EXCEEDED.message, written(now))
    status = replace(decision.status, conditions=with_condition(without(conditions, STALLED), over))
    told = Told("Warning", EXCEEDED.reason, EXCEEDED.message)
    delete = jobset is not None and not jobset.deleting
    return Decision(status=status, delete=delete, confirm=True, events=(told,))


def _missing(seen: Observed, trainjob: TrainJobView, now: datetime) -> Decision:
    """No JobSet: it could not be made, or it went while the job was not finished."""
    reason, message = seen.reason, seen.error
    if not seen.error:
        reason, message = "JobSetNotFound", f"JobSet {trainjob.name} not found"
    conditions = _suspension(trainjob.conditions, trainjob.suspended, None, now)
    status = replace(_stalled(trainjob, conditions, reason, message, now), jobs=())
    if reason == NOT_SUPPORTED:
        failed = condition(FAILED, "True", reason, message, written(now))
        kept = without(conditions, STALLED)
        status = replace(status, conditions=with_condition(kept, failed))
    told = Told("Warning", reason, message)
    again = try_again(seen, now)
    return Decision(status=status, confirm=not seen.error, after=again, events=(told,))


def _mirrored(
    seen: Observed, jobset: JobSetView, trainjob: TrainJobView, now: datetime
) -> Decision:
    """The status of a JobSet that has not ended."""
    resumes = jobset.held and not jobset.queued  # a queued one resumes when Kueue admits it
    released = replace(jobset, suspended=jobset.suspended and not resumes)
    conditions = _followed(trainjob.conditions, released, now)
    status = Status(without(conditions, STALLED), _jobs(jobset), trainjob.progress)
    told: tuple[Told, ...] = ()
    if seen.error:
        stalled = _stalled(trainjob, conditions, seen.reason, seen.error, now)
        status = replace(stalled, jobs=_jobs(jobset))
        told = (Told("Warning", seen.reason, seen.error),)
    mint = wants_minting(jobset) and not jobset.deleting
    after = AT_ONCE if jobset.held else try_again(seen, now)
    return Decision(status=status, mint=mint, release=jobset.held, after=after, events=told)


def _ended(jobset: JobSetView, trainjob: TrainJobView, now: datetime) -> Decision:
    """The JobSet finished: its condition becomes the TrainJob's, at a time of the API server."""
    end = end_of(jobset.conditions) or {}
    kind = _ENDS[end["type"]]
    when = ended_at(jobset, trainjob, now)
    new = condition(kind, "True", end["reason"], end["message"], when)
    conditions = without(_followed(trainjob.conditions, jobset, now), STALLED)
    status = Status(with_condition(conditions, new), _jobs(jobset), trainjob.progress)
    if kind == COMPLETE:
        status = replace(status, progress=_all_done(trainjob.progress, now))
    told = Told("Normal" if kind == COMPLETE else "Warning", new["reason"], new["message"])
    # A run that ended before the TrainJob was made is an older one's, unless it is still there.
    inherited = is_of_older_run(jobset, trainjob)
    return Decision(
        status=status, confirm=inherited, after=seconds_kept(jobset, now), events=(told,)
    )


def ended_before_it_went(seen: Observed) -> JobSetView | None:
    """The JobSet that is not there any more and had ended: it expires at once where it shall."""
    trainjob, went = seen.trainjob, seen.went
    if trainjob is None or went is None or end_of(went.conditions) is None:
        return None
    if _foreign(went, trainjob) or not _is_built(went) or _of_another(went, trainjob):
        return None
    return None if is_of_older_run(went, trainjob) else went


def _followed(conditions: tuple[Json, ...], jobset: JobSetView, now: datetime) -> tuple[Json, ...]:
    """Suspended as the JobSet is; its own condition tells what nobody was there to see."""
    theirs = find(jobset.conditions, SUSPENDED)
    return _suspension(conditions, jobset.suspended, theirs, now)


def _suspension(
    conditions: tuple[Json, ...], suspended: bool, theirs: Json | None, now: datetime
) -> tuple[Json, ...]:
    """Suspended is True while it is so, False afterwards, absent if it never was.

    JobSet sets its condition to False only where it was True (jobset_controller.go,
    ``updateCondition``), so that one that is there tells of a suspension.
    """
    if not suspended and theirs is None and not is_true(conditions, SUSPENDED):
        return conditions
    status = "True" if suspended else "False"
    reason = "Suspended" if suspended else "Resumed"
    message = "TrainJob is suspended" if suspended else "TrainJob is resumed"
    same = theirs is not None and theirs.get("status") == status
    ours = find(conditions, SUSPENDED)
    was_other = ours is not None and ours.get("status") != status
    when = changed_at(theirs, now, was_other=was_other) if theirs and same else written(now)
    new = condition(SUSPENDED, status, reason, message, when)
    is_theirs = theirs is not None and same and when == theirs.get("lastTransitionTime")
    if ours is not None and is_theirs and when > str(ours.get("lastTransitionTime")):
        # It was resumed and suspended again, or the other way round, since we looked.
        return tuple(new if each is ours else each for each in conditions)
    return with_condition(conditions, new)


def _jobs(jobset: JobSetView) -> tuple[Json, ...]:
    return tuple(
        {"name": each["name"], **{count: each.get(count) or 0 for count in _COUNTS}}
        for each in jobset.jobs[:MAX_JOBS]
    )


def _stalled(
    trainjob: TrainJobView, conditions: tuple[Json, ...], reason: str, message: str, now: datetime
) -> Status:
    new = condition(STALLED, "True", reason, message, written(now))
    return Status(with_condition(conditions, new), trainjob.jobs, trainjob.progress)


def _all_done(progress: Json | None, now: datetime) -> Json | None:
    """The last report with 100 %, where anything was reported at all."""
    if not progress or progress.get("progressPercentage") == 100:
        return progress
    left = {"estimatedRemainingSeconds": 0} if "estimatedRemainingSeconds" in progress else {}
    return {**progress, **left, "progressPercentage": 100, "lastUpdatedTime": written(now)}
