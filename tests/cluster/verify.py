"""Whether the cluster is where the controller should have brought it, by a fresh decision."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.cluster.client import Client
from trainc.controller.decide import decide
from trainc.controller.decision import Observed
from trainc.controller.statuspatch import status_patch
from trainc.controller.view import jobset_view, key_of, trainjob_view


def unsettled(admin: Client, namespace: str) -> list[str]:
    """What is left to do, one line for each job of the namespace; empty when all is right."""
    now = datetime.now(UTC)
    trainjobs = {
        key_of(view): view for view in map(trainjob_view, admin.list("TrainJob", namespace))
    }
    jobsets = {key_of(view): view for view in map(jobset_view, admin.list("JobSet", namespace))}
    left: list[str] = []
    for key in sorted({*trainjobs, *jobsets}):
        trainjob, jobset = trainjobs.get(key), jobsets.get(key)
        decision = decide(Observed(trainjob, jobset), now)
        if trainjob is not None and decision.status is not None:
            patch = status_patch(trainjob, decision.status)
            left.extend([f"{key[1]}: {patch}"] if patch else [])
        if decision.delete or decision.hold or decision.release:
            left.append(f"{key[1]}: {decision}")
        if jobset is not None and decision.progress not in (None, jobset.progress):
            left.append(f"{key[1]}: {decision.progress}")
    return left
