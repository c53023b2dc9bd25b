"""The Git repository that holds a folder, looked for without asking Git.

In: a folder. Out: the repository's work tree and the folders of its data. Git itself would take any
folder with a ``HEAD``, ``objects/`` and ``refs/`` for a repository, and run what its ``config``
names (git-config(1), ``safe.bareRepository``): a pull request can bring such a folder. Here a
repository is what stands behind a ``.git``, and none that lies among files of another repository.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from typing import Final, NamedTuple

from trainc import codes
from trainc.errors import Mark, Problem, TraincError
from trainc.source.walk import printable

_LINK: Final = "gitdir:"
_LONGEST: Final = 1 << 16  # bytes of a file that names a folder or a commit


class Repository(NamedTuple):
    """A repository with a work tree.

    Attributes:
        folder: The work tree, absolute, links followed.
        git_dir: What belongs to this work tree alone: its ``HEAD``.
        common_dir: What all work trees share: objects, refs, config.
    """

    folder: str
    git_dir: str
    common_dir: str


def repository_of(start: str, holds: Callable[[Repository, str], bool]) -> Repository:
    """The nearest repository at or above a folder.

    ``GIT_CEILING_DIRECTORIES`` ends the search as it does for git; no other variable counts.

    Args:
        start: A folder.
        holds: Whether the current commit of a repository has files below a folder of its own.

    Raises:
        TraincError: There is none, or it lies among the files of another one.
    """
    found = _nearest(os.path.realpath(start))
    if found is None:
        message = f"not a git repository: {printable(start)}, nor any folder above it"
        raise TraincError(
            [Problem(message, codes.GIT, hint="--base compares files that are in git")]
        )
    above = os.path.dirname(found.folder)
    outer = None if above == found.folder else _nearest(above)
    if outer is not None and holds(outer, os.path.relpath(found.folder, outer.folder)):
        raise TraincError([_stranger(found.folder, f"files of the repository {outer.folder}")])
    return found


def _stranger(folder: str, where: str) -> Problem:
    hint = "remove .git there, or make it a submodule"
    place = Mark(printable(os.path.join(folder, ".git")))
    return Problem(
        f"a repository among {printable(where)} is not used", codes.GIT, place, hint=hint
    )


def _nearest(folder: str) -> Repository | None:
    listed = os.environ.get("GIT_CEILING_DIRECTORIES", "").split(os.pathsep)
    ceilings = {os.path.realpath(path) for path in listed if os.path.isabs(path)}
    while True:
        git_dir = _git_dir(folder)
        if git_dir is not None:
            return Repository(folder, git_dir, _common_dir(git_dir))
        above = os.path.dirname(folder)
        if above == folder or above in ceilings:
            return None
        folder = above


def _git_dir(folder: str) -> str | None:
    """The folder that ``.git`` is, or names; None where it is no repository's.

    Raises:
        TraincError: It names a folder that is none, or one among the files of the work tree.
    """
    place = os.path.join(folder, ".git")
    if os.path.isdir(place):
        return os.path.realpath(place) if _is_git_dir(place) else None
    if not os.path.lexists(place):
        return None
    text = line_of(place)
    target = os.path.realpath(os.path.join(folder, text.removeprefix(_LINK).strip()))
    if not text.startswith(_LINK) or not _is_git_dir(target):
        problem = Problem(
            "names no git repository", codes.GIT, Mark(printable(place)), hint="remove it"
        )
        raise TraincError([problem])
    if target.startswith(folder.rstrip(os.sep) + os.sep):
        raise TraincError([_stranger(folder, "the files of its own folder")])
    return target


def _common_dir(git_dir: str) -> str:
    place = os.path.join(git_dir, "commondir")
    if not os.path.lexists(place):
        return git_dir
    return os.path.realpath(os.path.join(git_dir, line_of(place)))


def _is_git_dir(folder: str) -> bool:
    return os.path.isfile(os.path.join(folder, "HEAD"))


def line_of(path: str) -> str:
    """The text of a small file without the blanks around it.

    Raises:
        TraincError: It cannot be read, or is something else than a file.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise TraincError([Problem("no regular file", codes.GIT, Mark(printable(path)))])
            return os.fsdecode(os.read(descriptor, _LONGEST)).strip()
        finally:
            os.close(descriptor)
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        raise TraincError([Problem(message, codes.GIT, Mark(printable(path)))]) from error
