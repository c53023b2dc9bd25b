"""Why a fetch ended, by kind: each kind has the exit code a Job's podFailurePolicy can act on.

In: what went wrong, in words. Out: an exception whose text is the one-line reason of the pod.
"""

from __future__ import annotations

from typing import ClassVar

from trainc.names import (
    EXIT_CONFIGURATION,
    EXIT_DISK,
    EXIT_INTEGRITY,
    EXIT_NOT_FOUND,
    EXIT_PERMISSION,
    EXIT_TRANSIENT,
)


def printable(text: str) -> str:
    """The text with escapes for what would steer a terminal or forge a line of a log."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() or each == "\n" else each.encode("unicode_escape").decode()
        for each in text
    )


class FetchError(Exception):
    """The data cannot be fetched; ``code`` is the process's exit code."""

    code: ClassVar[int]
    kind: ClassVar[str]

    def __str__(self) -> str:
        """The reason in one line, kind first; what servers say may hold any character."""
        return printable(f"{self.kind}: {' '.join(super().__str__().split())}")


class ConfigurationError(FetchError):
    """The settings cannot be right, whatever the network does."""

    code = EXIT_CONFIGURATION
    kind = "configuration"


class IntegrityError(FetchError):
    """What arrived is not what was promised, or would leave the target."""

    code = EXIT_INTEGRITY
    kind = "integrity"


class NotFoundError(FetchError):
    """The remote has no such thing, or the patterns leave nothing of it."""

    code = EXIT_NOT_FOUND
    kind = "not found"


class DiskError(FetchError):
    """The target has no room, or cannot be written."""

    code = EXIT_DISK
    kind = "disk"


class PermissionDeniedError(FetchError):
    """The credentials are missing, wrong or not enough."""

    code = EXIT_PERMISSION
    kind = "permission"


class TransientError(FetchError):
    """A later attempt may succeed.

    Attributes:
        retry_after: Seconds the server asked to wait, 0 where it did not ask.
        again: False where this process need not try again, a new one may.
    """

    code = EXIT_TRANSIENT
    kind = "transient"

    def __init__(self, message: str, retry_after: float = 0.0, again: bool = True) -> None:
        """Keeps the server's wish beside the reason."""
        super().__init__(message)
        self.retry_after = retry_after
        self.again = again
