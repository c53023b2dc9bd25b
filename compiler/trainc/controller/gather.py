"""Gathers what is known of one job: from the stores, or fresh from the API server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from trainc.controller.api import Api
from trainc.controller.decision import Observed
from trainc.controller.paths import JOB_SETS, TRAIN_JOBS, item
from trainc.controller.store import Store
from trainc.controller.view import (
    JobSetView,
    Json,
    Key,
    TrainJobView,
    jobset_view,
    key_of,
    trainjob_view,
)


class Gathering:
    """Both stores, and the way to look again."""

    def __init__(
        self,
        api: Api,
        trainjobs: Store[TrainJobView],
        jobsets: Store[JobSetView],
        changed: Callable[[Key], None] = lambda key: None,
    ) -> None:
        """The stores are kept by watches; ``changed`` is called as theirs is."""
        self._api = api
        self._changed = changed
        self.trainjobs = trainjobs
        self.jobsets = jobsets

    def gather(self, key: Key) -> Observed:
        """What the stores know; costs nothing."""
        jobset = self.jobsets.get(key)
        return Observed(self.trainjobs.get(key), jobset, went=self._went(key, jobset))

    def again(self, key: Key) -> Observed:
        """What the API server has now, for what cannot be taken back; the stores learn it too."""
        found = self._api.find(item(TRAIN_JOBS, *key))
        there = self._api.find(item(JOB_SETS, *key))
        trainjob = None if found is None else trainjob_view(found)
        jobset = None if there is None else jobset_view(there)
        if trainjob is not None:
            self.trainjobs.put(trainjob)
        if jobset is not None:
            self.jobsets.put(jobset)
        return Observed(trainjob, jobset, went=self._went(key, jobset))

    def _went(self, key: Key, jobset: JobSetView | None) -> JobSetView | None:
        return self.jobsets.last(key) if jobset is None else None

    def learn_trainjob(self, found: Json, expected: TrainJobView) -> None:
        """What the API server answered to a write: the next decision must not be made without.

        What others wrote just before is in the answer too, and its event then tells the watch
        nothing new: where the answer is not as ``expected``, the job is looked at again.
        """
        view = trainjob_view(found)
        if self.trainjobs.put(view) and _content(view) != _content(expected):
            self._changed(key_of(view))

    def learn_jobset(self, found: Json, expected: JobSetView | None = None) -> None:
        """The same of a JobSet; nothing is expected where the decision is still to be made."""
        view = jobset_view(found)
        is_new = expected is not None and replace(view, version=expected.version) != expected
        if self.jobsets.put(view) and is_new:
            self._changed(key_of(view))


def _content(trainjob: TrainJobView) -> TrainJobView:
    """Without what any write of ours changes."""
    return replace(trainjob, version=0, followed=True, has_status=True)
