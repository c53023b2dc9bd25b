"""Reports on their way into the status: the newest of each job, at most every 5 seconds.

In: checked reports of rank 0. Out: one write for many posts. An older report is ignored, a lower
percentage counts only after the JobSet started anew, and a finished job takes no new reports.
Several replicas take reports of one job: what another one wrote is seen in the job's status.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from trainc.controller.api import MERGE_PATCH, Api, ApiError
from trainc.controller.conditions import COMPLETE, finished, is_true
from trainc.controller.gather import Gathering
from trainc.controller.paths import JOB_SETS, TRAIN_JOBS, item
from trainc.controller.progress.verdicts import Pod
from trainc.controller.queue import Queue
from trainc.controller.times import moment_of
from trainc.controller.view import JobSetView, Json, Key, TrainJobView
from trainc.names import MANAGED_BY, PROGRESS_ANNOTATION

logger = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
_WRITERS = 4
_FIELDS = ("progressPercentage", "estimatedRemainingSeconds", "metrics", "lastUpdatedTime")
_PRUNE = 1000  # new jobs between two looks for those that are gone
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Job:
    """What is known of one job's reports.

    Attributes:
        holder: UID of the object whose status they go into.
        since: When the present start's first report came; long ago where that was not seen.
        told: What the status said when last looked at.
    """

    holder: str = ""
    time: datetime = _LONG_AGO
    percent: int = 0
    attempt: tuple[str, int] | None = None
    since: datetime = _LONG_AGO
    pending: Json | None = None
    pending_time: datetime = _LONG_AGO
    told: Json | None = None
    written_at: float = float("-inf")


class Reports:
    """All jobs' reports."""

    def __init__(
        self,
        api: Api,
        gathering: Gathering,
        wrote: Callable[[], None],
        now: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is written before ``start``; ``wrote`` is called after each write."""
        self._api = api
        self._gathering = gathering
        self._wrote = wrote
        self._now = now
        self._monotonic = monotonic
        self._jobs: dict[Key, _Job] = {}
        self._lock = threading.Lock()
        self._queue = Queue(monotonic=monotonic)
        self._threads = [
            threading.Thread(target=self._run, name=f"progress {number}", daemon=True)
            for number in range(_WRITERS)
        ]

    def start(self) -> None:
        """Begins to write."""
        for thread in self._threads:
            thread.start()

    def alive(self) -> bool:
        """Whether every writer lives."""
        return all(thread.is_alive() for thread in self._threads)

    def stop(self) -> None:
        """Writes what is pending, while the API server answers, and ends."""
        self._queue.close()
        for thread in self._threads:
            thread.join(35)
        with self._lock:
            pending = [key for key, job in self._jobs.items() if job.pending is not None]
        for number, key in enumerate(pending):
            try:
                self._write(key, at_once=True)
            except ApiError as error:
                logger.warning("last report of %s/%s is lost: %s", *key, error)
                if error.is_passing:  # to ask for each would outlast the time there is to stop
                    logger.warning("and those of %d more jobs", len(pending) - number - 1)
                    return

    def takes(self, key: Key) -> bool:
        """Whether there is such a job, and it is ours."""
        jobset = self._gathering.jobsets.get(key)
        trainjob = self._gathering.trainjobs.get(key)
        ours = trainjob is None or trainjob.managed_by == MANAGED_BY
        return jobset is not None and jobset.note is not None and ours

    def offer(self, key: Key, pod: Pod, report: Json) -> None:
        """Takes a report of the job's first pod; it is written soon, unless a newer one comes."""
        jobset = self._gathering.jobsets.get(key)
        if jobset is None or jobset.uid != pod.jobset or self._has_finished(key):
            return
        with self._lock:
            job = self._job(key)
            self._heed(key, job)
            job.holder = (self._gathering.trainjobs.get(key) or jobset).uid
            if not _taken(job, (pod.jobset, pod.attempt), report, self._now()):
                return
            due = job.written_at + EVERY_SECONDS - self._monotonic()
        self._queue.add_after(key, due)

    def _is_of_another(self, key: Key, job: _Job) -> bool:
        """Whether what is pending is of a job that went, and perhaps was made again."""
        jobset = self._gathering.jobsets.get(key)
        if jobset is not None:
            return job.attempt is None or job.attempt[0] != jobset.uid
        trainjob = self._gathering.trainjobs.get(key)
        return trainjob is None or trainjob.uid != job.holder

    def _has_finished(self, key: Key) -> bool:
        trainjob = self._gathering.trainjobs.get(key)
        if trainjob is not None:
            return finished(trainjob.conditions) is not None
        jobset = self._gathering.jobsets.get(key)
        return jobset is not None and any(
            is_true(jobset.conditions, kind) for kind in ("Completed", "Failed")
        )

    def _job(self, key: Key) -> _Job:
        job = self._jobs.get(key)
        if job is None:
            if len(self._jobs) % _PRUNE == _PRUNE - 1:
                known = set(self._gathering.jobsets.keys())
                self._jobs = {each: held for each, held in self._jobs.items() if each in known}
            job = self._jobs[key] = _Job()
        return job

    def _heed(self, key: Key, job: _Job) -> None:
        """Learns what the status says: after a restart all there is, or another replica's word."""
        holder = self._gathering.trainjobs.get(key) or self._gathering.jobsets.get(key)
        told = None if holder is None else holder.progress
        if told is None or told == job.told or self._has_finished(key):
            return  # of a finished job it may be the end's own 100 %, and that is no report
        job.told = told
        now, moment = self._now(), moment_of(str(told.get("lastUpdatedTime", "")))
        if moment is None or moment > now:
            return  # a clock that is ahead must not shut out everybody else
        age = min((now - moment).total_seconds(), EVERY_SECONDS)
        job.written_at = max(job.written_at, self._monotonic() - age)
        job.time = max(job.time, moment)
        if moment > job.since:  # else it tells of the start before
            job.percent = max(job.percent, _percent(told))

    def _run(self) -> None:
        while (key := self._queue.take()) is not None:
            try:
                self._write(key)
                self._queue.forgive(key)
            except ApiError as error:
                logger.warning("progress of %s/%s not written: %s", *key, error)
                self._queue.retry(key)
            except Exception:
                logger.exception("progress of %s/%s", *key)
            finally:
                self._queue.done(key)

    def _write(self, key: Key, at_once: bool = False) -> None:
        with self._lock:
            job = self._jobs.get(key)
            report = None if job is None else job.pending
            if job is None or report is None:
                return
            self._heed(key, job)
            if job.time > job.pending_time or self._is_of_another(key, job):
                job.pending = None  # another replica wrote a newer one, or the job is gone
                return
            early = job.written_at + EVERY_SECONDS - self._monotonic()
            if early > 0 and not at_once and not self._has_finished(key):
                self._queue.add_after(key, early)  # another replica wrote meanwhile
                return
            job.pending, before = None, job.written_at
            job.written_at = self._monotonic()
        trainjob = self._gathering.trainjobs.get(key)
        jobset = self._gathering.jobsets.get(key)
        try:
            if trainjob is not None:
                self._into_status(trainjob, report)
            elif jobset is not None:
                self._into_annotation(jobset, report)
        except ApiError as error:
            if error.is_missing:
                return
            with self._lock:
                job.written_at = before
                job.pending = job.pending or report
            raise
        self._wrote()

    def _into_status(self, trainjob: TrainJobView, report: Json) -> None:
        if is_true(trainjob.conditions, COMPLETE):
            report = _complete(report)
        # A report replaces the one before: what it does not tell is removed.
        status = {"trainerStatus": {**dict.fromkeys(_FIELDS), **report}}
        patch = {"metadata": {"uid": trainjob.uid}, "status": status}
        path = item(TRAIN_JOBS, trainjob.namespace, trainjob.name, "status")
        found = self._api.patch(path, patch, MERGE_PATCH)
        self._gathering.learn_trainjob(found, replace(trainjob, progress=report))

    def _into_annotation(self, jobset: JobSetView, report: Json) -> None:
        if is_true(jobset.conditions, "Completed"):
            report = _complete(report)
        text = json.dumps(report, separators=(",", ":"))
        patch = {"metadata": {"uid": jobset.uid, "annotations": {PROGRESS_ANNOTATION: text}}}
        path = item(JOB_SETS, jobset.namespace, jobset.name)
        found = self._api.patch(path, patch, MERGE_PATCH)
        self._gathering.learn_jobset(found, replace(jobset, progress=report))


def _percent(told: Json) -> int:
    """What a status tells; an annotation may hold anything."""
    found = told.get("progressPercentage")
    return found if isinstance(found, int) else 0


def _taken(job: _Job, attempt: tuple[str, int], report: Json, now: datetime) -> bool:
    """Whether the report is newer than what is known; then it is pending."""
    before = job.attempt
    anew = before is not None and attempt != before
    if before is not None and attempt[0] == before[0] and attempt[1] < before[1]:
        return False  # a pod of an earlier start, on its way out
    # A pod whose clock is ahead must not shut out its successors.
    moment = min(moment_of(report["lastUpdatedTime"]) or now, now)
    known = job.time if job.time <= now else _LONG_AGO  # or the clock was set back
    if not anew and moment < known:
        return False
    if anew:
        job.percent, job.since = 0, now
    percent = report.get("progressPercentage")
    if percent is not None:
        if before is not None and not anew and percent < job.percent:
            percent = job.percent
            report = {**report, "progressPercentage": percent}
        job.percent = percent
    job.attempt, job.pending = attempt, report
    job.time = job.pending_time = moment
    return True


def _complete(report: Json) -> Json:
    left = {"estimatedRemainingSeconds": 0} if "estimatedRemainingSeconds" in report else {}
    return {**report, **left, "progressPercentage": 100}
