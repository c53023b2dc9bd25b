"""Creates what JobSets want minted, and remembers when to ask again.

In: a JobSet that wants its Secrets. Out: create requests, at once and then at growing intervals for
as long as the JobSet wants them. Nothing minted is logged or kept.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime

from trainc.controller.annotation import AUTHORITY
from trainc.controller.api import Api
from trainc.controller.backoff import wait
from trainc.controller.decision import Told
from trainc.controller.minting import manifest
from trainc.controller.paths import CONFIG_MAPS, LEADER_WORKER_SETS, SECRETS, collection, item
from trainc.controller.view import JobSetView

logger = logging.getLogger(__name__)

FIRST_WAIT = 1.0  # seconds
LAST_WAIT = 60.0
LAST_WAIT_SUSPENDED = 600.0  # nothing waits for them; resuming asks at once
REMEMBERED = 10_000  # JobSets; of one that went nobody tells


class Minter:
    """The Secrets and ConfigMaps of all JobSets."""

    def __init__(
        self,
        api: Api,
        authority: Callable[[], str],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``authority`` gives the progress server's CA (PEM), or nothing where it does not run."""
        self._api = api
        self._authority = authority
        self._monotonic = monotonic
        self._asked: OrderedDict[str, tuple[int, float, bool]] = OrderedDict()
        self._lock = threading.Lock()

    def mint(self, jobset: JobSetView, now: datetime) -> tuple[float, list[Told]]:
        """Asks for what the JobSet wants if that is due.

        Returns:
            Seconds until it is due again, and what to tell of it.

        Raises:
            ApiError: if something could not be created.
        """
        with self._lock:
            times, due, suspended = self._asked.get(jobset.uid, (0, 0.0, jobset.suspended))
        if suspended and not jobset.suspended:
            times, due = 0, 0.0
        left = due - self._monotonic()
        if left > 0:
            return left, []
        told = self._create(jobset, now)
        pause = wait(times, FIRST_WAIT, LAST_WAIT_SUSPENDED if jobset.suspended else LAST_WAIT)
        with self._lock:
            self._asked[jobset.uid] = (times + 1, self._monotonic() + pause, jobset.suspended)
            self._asked.move_to_end(jobset.uid)
            if len(self._asked) > REMEMBERED:
                self._asked.popitem(last=False)
        return pause, told

    def forget(self, uid: str) -> None:
        """The JobSet has what it wants, or is gone: the next time it is asked at once."""
        with self._lock:
            self._asked.pop(uid, None)

    def _create(self, jobset: JobSetView, now: datetime) -> list[Told]:
        told: list[Told] = []
        assert jobset.note is not None
        for minted in jobset.note.secrets:
            is_map = minted.kind == AUTHORITY
            group = None
            if minted.group:
                where = item(LEADER_WORKER_SETS, jobset.namespace, minted.group)
                if (group := self._api.find(where)) is None:
                    told.append(Told("Warning", "NoCache", f"no LeaderWorkerSet {minted.group}"))
                    continue
            made = manifest(minted, jobset, self._authority() if is_map else "", now, group)
            if made is None:
                message = f"ConfigMap {minted.name} is not made: no progress server runs here"
                told.append(Told("Warning", "NoProgressServer", message))
                continue
            kind = CONFIG_MAPS if is_map else SECRETS
            if self._api.create(collection(kind, jobset.namespace), made):
                logger.info("made %s %s/%s", made["kind"], jobset.namespace, minted.name)
                told.append(Told("Normal", "Minted", f"made {made['kind']} {minted.name}"))
        return told
