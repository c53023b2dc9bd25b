"""``status`` of a TrainJob.

In: what the controller wrote. Out: ``TrainJobStatus``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from trainc.spec.models.value import ApiType, Count, Name, NonEmpty, Time, integral, unique

_REASON = r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"
_TYPE = (
    r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?"
    r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$"
)


class Condition(ApiType):
    """``status.conditions[]``: Suspended, Complete or Failed (meta/v1 Condition)."""

    type: Annotated[str, Field(max_length=316, pattern=_TYPE)]
    status: Literal["True", "False", "Unknown"]
    reason: Annotated[str, Field(min_length=1, max_length=1024, pattern=_REASON)]
    message: Annotated[str, Field(max_length=32768)]
    last_transition_time: Time
    observed_generation: (
        Annotated[int, BeforeValidator(integral), Field(ge=0, le=2**63 - 1)] | None
    ) = None


class JobStatus(ApiType):
    """``status.jobsStatus[]``: how many pods of a replicated job are in which state."""

    name: Name
    ready: Count
    succeeded: Count
    failed: Count
    active: Count
    suspended: Count


_Short = Annotated[str, Field(min_length=1, max_length=64)]


class Metric(ApiType):
    """``status.trainerStatus.metrics[]``: a number the trainer reports, as text."""

    name: _Short
    value: _Short


class TrainerStatus(ApiType):
    """``status.trainerStatus``: what the trainer reports of itself."""

    progress_percentage: Annotated[int, BeforeValidator(integral), Field(ge=0, le=100)] | None = (
        None
    )
    estimated_remaining_seconds: Count | None = None
    metrics: Annotated[list[Metric], Field(max_length=256)] = []
    last_updated_time: Time | None = None


class TrainJobStatus(NonEmpty):
    """``status``."""

    conditions: (
        Annotated[list[Condition], Field(max_length=8), AfterValidator(unique("type"))] | None
    ) = None
    jobs_status: (
        Annotated[list[JobStatus], Field(max_length=100), AfterValidator(unique("name"))] | None
    ) = None
    trainer_status: TrainerStatus | None = None
