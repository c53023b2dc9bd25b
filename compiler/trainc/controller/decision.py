"""What ``decide`` is given and what it gives: plain frozen data between gathering and applying."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trainc.controller.view import JobSetView, Json, TrainJobView

MALFORMED: Final = "MalformedAnnotation"  # a reason


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything known of one job.

    Attributes:
        trainjob: The TrainJob, or None.
        jobset: The JobSet of its name, or None.
        error: Why its objects could not be made (``--compile``) or its Secrets not be minted,
            empty where they could.
        reason: Of the condition that tells the error.
        compiled: Whether this controller makes the job's objects itself.
        went: How the JobSet of its name was when it went, where there is none.
    """

    trainjob: TrainJobView | None
    jobset: JobSetView | None
    error: str = ""
    reason: str = ""
    compiled: bool = False
    went: JobSetView | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """The parts of a TrainJob's status that the controller writes."""

    conditions: tuple[Json, ...] = ()
    jobs: tuple[Json, ...] = ()
    progress: Json | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """An Event on the TrainJob (or, without one, on the JobSet)."""

    type: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What shall be done.

    Attributes:
        status: Of the TrainJob; None to leave it as it is.
        progress: For the JobSet's annotation where there is no TrainJob; None to leave it.
        delete: Delete the JobSet: its time is over.
        hold: Suspend the JobSet: its TrainJob had finished before it was made.
        release: Take that back.
        mint: Ask for the JobSet's Secrets.
        cache: Groups the job's data cache shall have, 1 or 0; None where it has no cache.
        after: Seconds until the next look; None where only an event can change anything.
        confirm: Look again with fresh reads before any of this is done.
        events: To be told.
    """

    status: Status | None = None
    progress: Json | None = None
    delete: bool = False
    hold: bool = False
    release: bool = False
    mint: bool = False
    cache: int | None = None
    after: float | None = None
    confirm: bool = False
    events: tuple[Told, ...] = ()


NOTHING = Decision()
