"""What remotes call their files, held against what a target can take.

In: paths, as a listing has them. Out: nothing, or the reason why they cannot be fetched.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Final

from trainc.initializers import manifest
from trainc.initializers.failure import IntegrityError, TransientError
from trainc.initializers.manifest import Finished
from trainc.initializers.provider import RemoteFile

PARTIAL: Final = ".trainc-partial"

_LONGEST: Final = 255  # bytes of one name, in every file system that is mounted into pods


def is_ours(path: str) -> bool:
    """Whether that name in a target is our own: no data, even where a remote holds one."""
    return path.split("/", 1)[0] == PARTIAL or path == manifest.NAME


def check_paths(files: Iterable[RemoteFile]) -> None:
    """Makes sure that every file can be where it belongs.

    Raises:
        IntegrityError: for the first path that leaves the target or stands in another one's way.
    """
    paths: set[str] = set()
    for file in files:
        if not manifest.is_below(file.path) or not _is_writable(file.path):
            raise IntegrityError(
                f"{file.key!r} cannot be a file below the target; IGNORE_PATTERNS can leave it out"
            )
        if file.path in paths:
            raise IntegrityError(f"two files of the remote would both be {file.path!r}")
        paths.add(file.path)
    for path in paths:
        parent = path
        while parent := parent.rpartition("/")[0]:
            if parent in paths:
                raise IntegrityError(
                    f"{parent!r} would be a file and the folder of {path!r}; "
                    "IGNORE_PATTERNS can leave it out"
                )


def _is_writable(path: str) -> bool:
    """Whether each name on the way fits into a file system."""
    try:
        return all(len(os.fsencode(name)) <= _LONGEST for name in path.split("/"))
    except UnicodeEncodeError:  # half a character, as JSON can hold it
        return False


def check_source(files: Iterable[RemoteFile], name: str) -> None:
    """Makes sure that what is fetched is not itself the target of a fetch that has not ended.

    Raises:
        TransientError: if it is: a later attempt may find it whole.
    """
    paths = {file.path for file in files}
    for path in paths:
        before, partial, _ = f"/{path}".rpartition(f"/{PARTIAL}/")
        if partial and f"{before}/{manifest.NAME}".lstrip("/") not in paths:
            raise TransientError(
                f"{name}{before} is being fetched itself, or was not fetched to the end: "
                f"it holds {PARTIAL} and no {manifest.NAME}",
                again=False,
            )


def stale(previous: Iterable[Finished], wanted: Sequence[RemoteFile]) -> list[Finished]:
    """What earlier fetches left that this one does not want."""
    paths = {file.path for file in wanted}
    return [file for file in previous if file.path not in paths]
