"""Gathers what is known of one job: from the stores, or fresh from the API server."""

from __future__ import annotations

from trainc.controller.api import Api
from trainc.controller.decision import Observed
from trainc.controller.paths import JOB_SETS, TRAIN_JOBS, Kind, item
from trainc.controller.store import Store
from trainc.controller.view import JobSetView, Json, Key, TrainJobView, jobset_view, trainjob_view


class Gathering:
    """Both stores, and the way to look again."""

    def __init__(
        self, api: Api, trainjobs: Store[TrainJobView], jobsets: Store[JobSetView]
    ) -> None:
        """The stores are kept by watches."""
        self._api = api
        self.trainjobs = trainjobs
        self.jobsets = jobsets

    def gather(self, key: Key) -> Observed:
        """What the stores know; costs nothing."""
        return Observed(self.trainjobs.get(key), self.jobsets.get(key))

    def again(self, key: Key) -> Observed:
        """What the API server has now, for what cannot be taken back; the stores learn it too."""
        trainjob = self._api.find(item(TRAIN_JOBS, *key))
        jobset = self._api.find(item(JOB_SETS, *key))
        if trainjob is not None:
            self.trainjobs.put(trainjob_view(trainjob))
        if jobset is not None:
            self.jobsets.put(jobset_view(jobset))
        return Observed(
            None if trainjob is None else trainjob_view(trainjob),
            None if jobset is None else jobset_view(jobset),
        )

    def learn(self, kind: Kind, found: Json) -> None:
        """What the API server answered to a write: the next decision must not be made without."""
        if kind == TRAIN_JOBS:
            self.trainjobs.put(trainjob_view(found))
        else:
            self.jobsets.put(jobset_view(found))
