"""A JSON patch of exactly the parts of a TrainJob's status that change.

In: the TrainJob as it was read, and its status as decided. Out: patch operations, none where
nothing changes. Each part is tested before it is replaced, so that a writer who was faster is not
overwritten; what others keep in the status is not touched.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trainc.controller.decision import Status
from trainc.controller.view import Json, TrainJobView

_REMOVED: Json = {"op": "remove", "path": "/status"}


def status_patch(trainjob: TrainJobView, status: Status) -> list[Json]:
    """The operations; empty where the TrainJob's status is as decided."""
    was: dict[str, Any] = {
        "conditions": list(trainjob.conditions),
        "jobsStatus": list(trainjob.jobs),
        "trainerStatus": trainjob.progress,
    }
    shall: dict[str, Any] = {
        "conditions": list(status.conditions),
        "jobsStatus": list(status.jobs),
        "trainerStatus": status.progress,
    }
    changed = {key: value for key, value in shall.items() if (value or None) != (was[key] or None)}
    if not changed:
        return []
    # Of another TrainJob of this name it would be wrong.
    same = {"op": "test", "path": "/metadata/uid", "value": trainjob.uid}
    if not trainjob.has_status:
        # A path that is not there tests equal to null.
        absent = {"op": "test", "path": "/status", "value": None}
        whole = {key: value for key, value in changed.items() if value}
        return [same, absent, {"op": "add", "path": "/status", "value": whole}]
    if not any(shall.values()) and not trainjob.has_more:
        # The CRD refuses a status without properties; and what came in meanwhile must stay.
        whole = {key: value for key, value in was.items() if value}
        return [same, {"op": "test", "path": "/status", "value": whole}, _REMOVED]
    return [same, *(step for key in changed for step in _replaced(key, was[key], shall[key]))]


def _replaced(key: str, was: object, shall: object) -> Iterator[Json]:
    path = f"/status/{key}"
    yield {"op": "test", "path": path, "value": was or None}
    if shall:
        yield {"op": "add", "path": path, "value": shall}
    else:
        yield {"op": "remove", "path": path}
