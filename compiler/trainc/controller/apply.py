"""Applies a decision: only what differs from what is there, each step so that it may be done twice.

In: what was observed and decided. Out: requests. The status goes before a deletion, so that a
controller that dies in between finds in the status what is left to do.
"""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import datetime
from typing import Any

from trainc.controller.again import soonest
from trainc.controller.api import JSON_PATCH, MERGE_PATCH, Api, ApiError
from trainc.controller.caching import keep
from trainc.controller.decision import Decision, Observed, Status
from trainc.controller.events import Events
from trainc.controller.gather import Gathering
from trainc.controller.kueue import workloads
from trainc.controller.minter import Minter
from trainc.controller.paths import JOB_SETS, TRAIN_JOBS, item
from trainc.controller.statuspatch import status_patch
from trainc.controller.times import moment_of, written
from trainc.controller.unclaimed import Unclaimed
from trainc.controller.view import JobSetView, Json, TrainJobView, key_of
from trainc.names import HELD_ANNOTATION, PROGRESS_ANNOTATION

logger = logging.getLogger(__name__)

# Seconds until Workloads are listed again: as old as the JobSet is, between these two.
_SOONEST = 0.2
_LATEST = 60.0


class Applying:
    """The controller's hands."""

    def __init__(self, api: Api, gathering: Gathering, minter: Minter, events: Events) -> None:
        """What was written is learned by ``gathering`` at once."""
        self._api = api
        self._gathering = gathering
        self._minter = minter
        self._events = events
        self._unclaimed = Unclaimed(api, lambda jobset, told: self._events.tell(jobset, told))

    def apply(self, observed: Observed, decision: Decision, now: datetime) -> float | None:
        """Does what was decided; gives the seconds until the next look, None without one.

        Raises:
            ApiError: if a step was refused; the steps before it are done.
        """
        trainjob, jobset = observed.trainjob, observed.jobset
        after = decision.after
        # Once a step is done, be it without an answer, no later decision tells it again.
        try:
            if trainjob is not None and decision.status is not None:
                self._write_status(trainjob, decision.status)
        except ApiError as error:
            if error.is_passing:
                self._tell(observed, decision)
            raise
        self._tell(observed, decision)
        if jobset is not None:
            after = soonest(after, self._steer(jobset, decision, now))
            if not decision.delete:
                after = soonest(after, self._unclaimed.look(jobset, now))
            if decision.cache is not None and not decision.delete:
                after = soonest(after, keep(self._api, jobset, decision.cache))
        return after

    def mint(self, jobset: JobSetView, wanted: bool, now: datetime) -> float | None:
        """Makes what the JobSet mounts; gives the seconds until it must be asked for again.

        Raises:
            ApiError: if it was refused.
        """
        if not wanted:
            self._minter.forget(jobset.uid)
            return None
        pause, events = self._minter.mint(jobset, now)
        for told in events:
            self._events.tell(jobset, told)
        return pause

    def _tell(self, observed: Observed, decision: Decision) -> None:
        subject = observed.trainjob or observed.jobset
        if subject is not None:
            for told in decision.events:
                self._events.tell(subject, told)

    def _write_status(self, trainjob: TrainJobView, status: Status) -> None:
        patch = status_patch(trainjob, status)
        if not patch:
            return
        path = item(TRAIN_JOBS, trainjob.namespace, trainjob.name, "status")
        found = self._api.patch(path, patch, JSON_PATCH)
        expected = replace(
            trainjob,
            conditions=status.conditions,
            jobs=status.jobs,
            progress=status.progress,
        )
        self._gathering.learn_trainjob(found, expected)

    def _steer(self, jobset: JobSetView, decision: Decision, now: datetime) -> float | None:
        """Deletes, holds or releases the JobSet, or writes its progress.

        Gives the seconds until the next try, None where nothing is left to do.
        """
        if decision.delete:
            self._api.delete(item(JOB_SETS, jobset.namespace, jobset.name), jobset.uid)
            logger.info("deleted JobSet %s/%s: its time is over", jobset.namespace, jobset.name)
        elif decision.hold or decision.release:
            return self._suspend(jobset, decision.hold, now)
        elif decision.progress is not None and decision.progress != jobset.progress:
            text = json.dumps(decision.progress, separators=(",", ":"))
            self._patch(jobset, {PROGRESS_ANNOTATION: text}, progress=decision.progress)
        return None

    def _suspend(self, jobset: JobSetView, hold: bool, now: datetime) -> float | None:
        """Holds the JobSet or releases it: a queued one through Kueue, which writes its suspend.

        Gives the seconds until the next try where Kueue has made no Workload so far.
        """
        annotations = {HELD_ANNOTATION: written(now) if hold else None}
        queued = workloads(self._api, jobset.namespace, jobset.uid) if jobset.queued else None
        if queued is None:
            self._patch(jobset, annotations, held=hold, suspended=hold)
            return None
        if hold and not queued:
            return _until_next_try(jobset, now)
        for workload in queued:
            if workload.active == hold:
                self._api.patch(workload.path, workload.patch(active=not hold), MERGE_PATCH)
        if jobset.held != hold:
            self._patch(jobset, annotations, held=hold)
        return None

    def _patch(
        self, jobset: JobSetView, annotations: dict[str, str | None], **changes: Any
    ) -> None:
        """Writes annotations and perhaps ``suspended``; ``changes`` are what the view then has."""
        patch: Json = {"metadata": {"uid": jobset.uid, "annotations": annotations}}
        if "suspended" in changes:
            patch["spec"] = {"suspend": changes["suspended"]}
        found = self._api.patch(item(JOB_SETS, *key_of(jobset)), patch, MERGE_PATCH)
        self._gathering.learn_jobset(found, replace(jobset, **changes))


def _until_next_try(jobset: JobSetView, now: datetime) -> float:
    """Kueue makes a Workload within a second, or waits for what the job names and is missing."""
    created = moment_of(jobset.created)
    age = 0.0 if created is None else (now - created).total_seconds()
    return min(max(age, _SOONEST), _LATEST)
