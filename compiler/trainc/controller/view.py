"""The parts of a TrainJob and a JobSet that the controller looks at.

In: an object as the API server sends it. Out: a small frozen view; the rest is let go, so that
thousands of jobs fit in little memory. Lists and maps inside are never changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from sys import intern
from typing import Any

from trainc.controller.annotation import MalformedError, Note, read
from trainc.names import (
    GENERATION_ANNOTATION,
    HELD_ANNOTATION,
    JOB_ANNOTATION,
    MANAGED_BY,
    MANAGED_BY_LABEL,
    PROGRESS_ANNOTATION,
    QUEUE_LABEL,
    TRAINC,
    TTL_ANNOTATION,
)

FIELD_MANAGER = "trainc-controller"  # who owns the fields that the controller writes

_STATUS = {"conditions", "jobsStatus", "trainerStatus"}
_LONGEST_NUMBER = 18  # digits that an int64 holds in any case

Json = dict[str, Any]
Key = tuple[str, str]  # namespace, name


def owned_by(api_version: str, kind: str, name: str, uid: str) -> Json:
    """The ``ownerReferences`` of what one object controls and takes with it."""
    owner = {"apiVersion": api_version, "kind": kind, "name": name, "uid": uid, "controller": True}
    return {"ownerReferences": [owner]}


@dataclass(frozen=True, slots=True)
class TrainJobView:
    """A TrainJob: identity, the fields that steer its life, and its status.

    Attributes:
        followed: A controller of ours wrote its status before. Only then a JobSet that is not
            there has gone; another controller's may just be on its way.
        has_more: Its status has parts that are not here.
        built: Printed by a build, which prints its JobSet too.
    """

    namespace: str
    name: str
    uid: str
    version: int
    generation: int
    created: str
    deleting: bool
    managed_by: str
    suspended: bool
    deadline: int
    followed: bool
    has_status: bool
    conditions: tuple[Json, ...]
    jobs: tuple[Json, ...]
    progress: Json | None
    has_more: bool = False
    built: bool = False


@dataclass(frozen=True, slots=True)
class JobSetView:
    """A JobSet: identity, whose it is, and its status.

    Attributes:
        owner: UID of the owner that is its controller, empty where there is none.
        owner_kind: That owner's kind.
        note: What the compiler left for us; None where trainc did not build it.
        malformed: Why the annotation could not be read.
        held: Suspended by us, since its TrainJob had finished before it was made.
        compiled_from: Generation of the TrainJob that a controller compiled it from; 0 where a
            build did.
        ttl: Seconds it is kept after its finish by us; None where JobSet sees to that.
        queued: It stands in a queue of Kueue's, which alone writes its ``spec.suspend``.
    """

    namespace: str
    name: str
    uid: str
    version: int
    created: str
    deleting: bool
    owner: str
    owner_kind: str
    note: Note | None
    malformed: str
    suspended: bool
    held: bool
    compiled_from: int
    conditions: tuple[Json, ...]
    jobs: tuple[Json, ...]
    restarts: int
    progress: Json | None
    ttl: int | None = None
    queued: bool = False


def trainjob_view(found: Json) -> TrainJobView:
    """The view of a TrainJob."""
    metadata, spec, status = found["metadata"], found.get("spec") or {}, found.get("status") or {}
    return TrainJobView(
        namespace=intern(metadata["namespace"]),
        name=metadata["name"],
        uid=metadata["uid"],
        version=int(metadata["resourceVersion"]),
        generation=metadata.get("generation") or 0,
        created=metadata["creationTimestamp"],
        deleting="deletionTimestamp" in metadata,
        managed_by=intern(spec.get("managedBy") or MANAGED_BY),
        suspended=bool(spec.get("suspend")),
        deadline=spec.get("activeDeadlineSeconds") or 0,
        followed=_followed(metadata),
        has_status=bool(status),
        conditions=tuple(status.get("conditions") or ()),
        jobs=tuple(status.get("jobsStatus") or ()),
        progress=status.get("trainerStatus"),
        has_more=not status.keys() <= _STATUS,
        built=(metadata.get("labels") or {}).get(MANAGED_BY_LABEL) == TRAINC,
    )


def jobset_view(found: Json) -> JobSetView:
    """The view of a JobSet."""
    metadata, status = found["metadata"], found.get("status") or {}
    annotations = metadata.get("annotations") or {}
    owner = _controller(metadata)
    note, malformed = _note(annotations.get(JOB_ANNOTATION), metadata["name"])
    return JobSetView(
        namespace=intern(metadata["namespace"]),
        name=metadata["name"],
        uid=metadata["uid"],
        version=int(metadata["resourceVersion"]),
        created=metadata["creationTimestamp"],
        deleting="deletionTimestamp" in metadata,
        owner=owner.get("uid", ""),
        owner_kind=intern(owner.get("kind", "")),
        note=note,
        malformed=malformed,
        suspended=bool((found.get("spec") or {}).get("suspend")),
        held=HELD_ANNOTATION in annotations,
        compiled_from=_number(annotations.get(GENERATION_ANNOTATION)) or 0,
        conditions=tuple(status.get("conditions") or ()),
        jobs=tuple(status.get("replicatedJobsStatus") or ()),
        restarts=status.get("restarts") or 0,
        progress=_progress(annotations.get(PROGRESS_ANNOTATION)),
        ttl=_number(annotations.get(TTL_ANNOTATION)),
        queued=bool((metadata.get("labels") or {}).get(QUEUE_LABEL)),
    )


def key_of(view: TrainJobView | JobSetView) -> Key:
    """Namespace and name: a TrainJob and its JobSet have the same."""
    return view.namespace, view.name


def _number(text: str | None) -> int | None:
    is_one = text and text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER
    return int(text) if text and is_one else None


def _followed(metadata: Mapping[str, Any]) -> bool:
    writers: list[Json] = metadata.get("managedFields") or []
    return any(
        each.get("manager") == FIELD_MANAGER and each.get("subresource") == "status"
        for each in writers
    )


def _controller(metadata: Mapping[str, Any]) -> Json:
    owners: list[Json] = metadata.get("ownerReferences") or []
    return next((owner for owner in owners if owner.get("controller")), {})


@lru_cache(maxsize=4096)  # the same in each event of a JobSet
def _note(text: str | None, name: str) -> tuple[Note | None, str]:
    if text is None:
        return None, ""
    try:
        note = read(text)
    except MalformedError as error:
        return None, str(error)
    if note.trainjob != name:
        return None, f"names the TrainJob {note.trainjob!r}, not {name!r}"
    return note, ""


def _progress(text: str | None) -> Json | None:
    try:
        found = json.loads(text or "null")
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
