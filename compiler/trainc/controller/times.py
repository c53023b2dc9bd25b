"""Kubernetes' timestamps (RFC 3339, whole seconds, UTC) to and from ``datetime``."""

from __future__ import annotations

from datetime import UTC, datetime


def parse(text: str) -> datetime:
    """The moment ``text`` names; one without a zone is taken for UTC.

    Raises:
        ValueError: if it is no timestamp, or in no year from 1 to 9999 in UTC.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text} is out of range") from error


def moment_of(text: str) -> datetime | None:
    """The moment ``text`` names, or None where it is no timestamp."""
    try:
        return parse(text)
    except ValueError:
        return None


def written(moment: datetime) -> str:
    """``moment`` as the API server writes it: whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
