"""How the jobs of a cluster are, put together from TrainJobs, JobSets and pods.

In: the API, a namespace and perhaps a name. Out: ``Job`` rows. A job is a TrainJob, or a JobSet
that trainc built and whose TrainJob is not in the cluster.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from sys import intern

from trainc.controller.api import Api, ApiError
from trainc.controller.conditions import COMPLETE, FAILED, condition, find, finished, is_true
from trainc.controller.console.pods import PodRow, in_order, pod_row
from trainc.controller.paths import JOB_SETS, PODS, TRAIN_JOBS, Kind, collection, item
from trainc.controller.state import state_of
from trainc.controller.times import moment_of
from trainc.controller.view import (
    JobSetView,
    Json,
    Key,
    TrainJobView,
    jobset_view,
    trainjob_view,
)

_MEMBER = "jobset.sigs.k8s.io/jobset-name"
_PAGE = "500"


@dataclass(frozen=True, slots=True)
class Job:
    """One job.

    Attributes:
        namespace: Its namespace.
        name: Its name.
        state: One of ``state.STATES``.
        reason: Of the condition that makes the state, empty where there is none.
        message: That condition's message.
        progress: Percent, None where nothing was reported.
        remaining: Seconds until the end as reported, less the time since; None where unknown.
        metrics: As reported.
        restarts: Of the JobSet and of its pods' containers.
        wanted: How many pods it shall have.
        pods: Those there are.
        runtime: Name of its runtime, empty where there is no TrainJob.
        created: When it was made.
        conditions: Of the TrainJob, or in its words those of the JobSet.
    """

    namespace: str
    name: str
    state: str
    reason: str
    message: str
    progress: int | None
    remaining: float | None
    metrics: tuple[Json, ...]
    restarts: int
    wanted: int
    pods: tuple[PodRow, ...]
    runtime: str
    created: datetime | None
    conditions: tuple[Json, ...]

    @property
    def ready(self) -> int:
        """How many pods are ready."""
        return sum(pod.ready for pod in self.pods)


@dataclass(slots=True)
class _Parts:
    """What is shown of one job's objects; ten thousand jobs fit in little memory.

    Attributes:
        trainjob: The TrainJob, where it is in the cluster.
        runtime: Name of its runtime.
        jobset: The JobSet of its name.
        wanted: How many pods that one shall have.
        pods: Those there are.
    """

    trainjob: TrainJobView | None = None
    runtime: str = ""
    jobset: JobSetView | None = None
    wanted: int = 0
    pods: list[PodRow] = field(default_factory=list)


def jobs(api: Api, namespace: str, name: str, now: datetime) -> list[Job]:
    """The jobs of a namespace (of all, where it is empty), or the one of that name; newest first.

    Raises:
        ApiError: if the cluster refuses or does not answer.
    """
    parts: dict[Key, _Parts] = defaultdict(_Parts)
    for found in _found(api, TRAIN_JOBS, namespace, name):
        part = parts[_key(found)]
        part.trainjob = trainjob_view(found)
        part.runtime = intern(found["spec"].get("runtimeRef", {}).get("name", ""))
    for found in _found(api, JOB_SETS, namespace, name):
        part = parts[_key(found)]
        part.jobset, part.wanted = jobset_view(found), _wanted(found)
    selector = f"{_MEMBER}={name}" if name else _MEMBER
    for pod in _listed(api, PODS, namespace, {"labelSelector": selector}):
        key = (pod["metadata"]["namespace"], pod["metadata"]["labels"][_MEMBER])
        if key in parts:
            parts[key].pods.append(pod_row(pod))
    rows = [_job(part, now) for _, part in sorted(parts.items()) if _is_ours(part)]
    return sorted(rows, key=_made, reverse=True)


def _is_ours(part: _Parts) -> bool:
    built = part.jobset is not None and part.jobset.note is not None
    return part.trainjob is not None or built


def _made(job: Job) -> float:
    return 0.0 if job.created is None else job.created.timestamp()


def _found(api: Api, kind: Kind, namespace: str, name: str) -> Iterator[Json]:
    try:
        if name:
            found = api.find(item(kind, namespace, name))
            yield from [] if found is None else [found]
        else:
            yield from _listed(api, kind, namespace, {})
    except ApiError as error:
        if not error.is_missing:  # the kind is not installed
            raise


def _listed(api: Api, kind: Kind, namespace: str, query: dict[str, str]) -> Iterator[Json]:
    more = {"limit": _PAGE, **query}
    while more:
        page = api.request("GET", collection(kind, namespace), query=more)
        yield from page["items"]
        token = page["metadata"].get("continue")
        more = {**query, "limit": _PAGE, "continue": token} if token else {}


def _key(found: Json) -> Key:
    return found["metadata"]["namespace"], found["metadata"]["name"]


def _job(part: _Parts, now: datetime) -> Job:
    trainjob, jobset = part.trainjob, part.jobset
    whole = trainjob or jobset
    assert whole is not None
    rows = tuple(in_order(part.pods))
    job = Job(
        namespace=whole.namespace,
        name=whole.name,
        state="",
        reason="",
        message="",
        progress=None,
        remaining=None,
        metrics=(),
        restarts=(jobset.restarts if jobset else 0) + sum(pod.restarts for pod in rows),
        wanted=part.wanted,
        pods=rows,
        runtime=part.runtime,
        created=moment_of(whole.created),
        conditions=(),
    )
    if trainjob is not None:
        if trainjob.has_status or jobset is None:
            job = _with_state(job, trainjob.conditions, trainjob.jobs)
        else:  # nobody wrote one so far
            job = _with_state(job, _translated(jobset), jobset.jobs)
        return _with_progress(job, trainjob.progress, now)
    if jobset is not None:
        job = _with_state(job, _translated(jobset), jobset.jobs)
        return _with_progress(job, jobset.progress, now)
    return job


def _translated(jobset: JobSetView) -> tuple[Json, ...]:
    """A JobSet's end in the words of a TrainJob's."""
    out = [each for each in jobset.conditions if each["type"] in ("Suspended", FAILED)]
    done = find(jobset.conditions, "Completed")
    if done is not None:
        out.append({**done, "type": COMPLETE})
    if jobset.suspended and not is_true(out, "Suspended"):
        out.append(condition("Suspended", "True", "Suspended", "", jobset.created))
    return tuple(out)


def _with_state(job: Job, conditions: tuple[Json, ...], jobs: tuple[Json, ...]) -> Job:
    state = state_of(conditions, jobs)
    cause = find(conditions, state) or {}
    return replace(
        job,
        state=state,
        reason=str(cause.get("reason", "")),
        message=str(cause.get("message", "")),
        conditions=conditions,
    )


def _with_progress(job: Job, progress: Json | None, now: datetime) -> Job:
    told = progress or {}
    left = told.get("estimatedRemainingSeconds")
    when = moment_of(str(told.get("lastUpdatedTime", "")))
    if left is not None and when is not None:
        left = max(0.0, left - (now - when).total_seconds())
    return replace(
        job,
        progress=told.get("progressPercentage"),
        remaining=None if finished(job.conditions) else left,
        metrics=tuple(told.get("metrics") or ()),
    )


def _wanted(jobset: Json) -> int:
    jobs = (jobset.get("spec") or {}).get("replicatedJobs") or []
    return sum(
        job.get("replicas", 1) * (job["template"].get("spec") or {}).get("parallelism", 1)
        for job in jobs
    )
