"""Kueue's own means to hold a job: ``spec.active`` of its Workload.

In: the API and the UID of a TrainJob or JobSet that stands in a queue. Out: its Workloads, and what
changes them. Kueue writes ``spec.suspend`` of a queued job, so nobody else may. A Workload that is
not active gives back its quota, its job is suspended, and it is not admitted before it is active
again (Kueue, workload_types.go, ``WorkloadSpec.Active``). Workloads are looked up on demand, by the
label that Kueue's jobframework gives each.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from trainc.controller.api import Api, ApiError
from trainc.controller.paths import WORKLOADS, Kind, collection, item
from trainc.controller.view import Json
from trainc.names import JOB_UID_LABEL, QUEUE_LABEL


class Workload(NamedTuple):
    """One Workload.

    Attributes:
        name: Its name.
        uid: Its UID.
        path: Where it is on the API server.
        active: Whether it may be admitted.
    """

    name: str
    uid: str
    path: str
    active: bool

    def patch(self, active: bool) -> Json:
        """A merge patch that sets ``spec.active`` of this very Workload."""
        return {"metadata": {"uid": self.uid}, "spec": {"active": active}}


NOT_INSTALLED: Final = "Kueue is not in this cluster"


def is_queued(manifest: Json) -> bool:
    """Whether a live TrainJob or JobSet stands in a queue of Kueue's."""
    return bool((manifest["metadata"].get("labels") or {}).get(QUEUE_LABEL))


def workloads(api: Api, namespace: str, uid: str) -> list[Workload] | None:
    """The Workloads of the job of that UID; None where the cluster has no Kueue.

    Raises:
        ApiError: if they may not be listed, or the cluster does not answer.
    """
    for kind in WORKLOADS:
        try:
            return _listed(api, kind, namespace, uid)
        except ApiError as error:
            if not error.is_missing:
                raise
    return None


def _listed(api: Api, kind: Kind, namespace: str, uid: str) -> list[Workload]:
    query = {"labelSelector": f"{JOB_UID_LABEL}={uid}"}
    page = api.request("GET", collection(kind, namespace), query=query)
    return [_workload(kind, namespace, each) for each in page["items"] or () if _stays(each)]


def _stays(workload: Json) -> bool:
    """Whether it is not being deleted: Kueue makes another in its place."""
    return "deletionTimestamp" not in workload["metadata"]


def _workload(kind: Kind, namespace: str, workload: Json) -> Workload:
    metadata = workload["metadata"]
    path = item(kind, namespace, metadata["name"])
    active = (workload.get("spec") or {}).get("active") is not False  # its default is true
    return Workload(metadata["name"], metadata["uid"], path, active)
