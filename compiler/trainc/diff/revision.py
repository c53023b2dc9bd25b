"""A git revision as a folder of its own; the user's checkout and index are never touched.

In: a revision and the places of it that are wanted. Out: a temporary folder that holds these as
they are stored: no filter of a checkout (Git LFS, line ends, encodings) is run.
"""

from __future__ import annotations

import os
import posixpath
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from trainc import codes
from trainc.diff.git import LINK, SUBMODULE, Entry, Git
from trainc.diff.repository import Repository, repository_of
from trainc.errors import Mark, Problem, TraincError
from trainc.source.files import File, find, read
from trainc.source.reader import GIT, IGNORE_FILE, MAX_BYTES, PROJECT_FILE
from trainc.source.walk import SUFFIXES

_FETCH: Final = (
    "fetch it first (git fetch origin main); in CI a shallow clone may lack it:"
    " actions/checkout takes fetch-depth: 0"
)
_PARTIAL: Final = "fetch all of it (git fetch --refetch --no-filter), or clone without --filter"
# What every file that holds something of ours says, and how a build's own output begins.
_OURS: Final = b"trainer.kubeflow.org"
_RENDERED: Final = b"# from: "
_LFS: Final = b"version https://git-lfs.github.com/spec/"
_READ: Final = (*SUFFIXES, ".j2")
_LARGEST_OTHER: Final = 1 << 20  # of a file that is neither YAML nor a template, nor named
_MAX_TOTAL: Final = 2 << 30


@dataclass(frozen=True)
class Checkout:
    """A revision on disk.

    Attributes:
        repository: The work tree of the user's repository, absolute.
        folder: The folder that stands for it.
        commit: The commit's full name.
        names: All files of the commit, relative to the repository.
        gone: Those with TrainJobs or runtimes that the user's checkout lacks.
        moved: The project's folder, and the one it was in before; None where it stayed.
    """

    repository: str
    folder: str
    commit: str
    names: frozenset[str]
    gone: tuple[str, ...] = ()
    moved: tuple[str, str] | None = None

    def place(self, path: str) -> str:
        """Where a path of the repository lies in the revision; other paths are as they are."""
        inside = _inside(self.repository, path)
        if not inside:
            return path
        if self.moved is not None:
            below = posixpath.relpath(inside, self.moved[0])
            if below.split("/")[0] != "..":
                inside = posixpath.join(self.moved[1], below)
        return self.at(inside)

    def at(self, name: str) -> str:
        """Where a file of the revision lies, by its name relative to the repository."""
        return os.path.normpath(os.path.join(self.folder, name))

    def new(self) -> tuple[str, ...]:
        """Files of the checkout with TrainJobs or runtimes that the revision lacks, absolute."""
        found, _ = find([self.repository])
        return tuple(
            file.path
            for file in found
            if _inside(self.repository, file.path) not in self.names and _is_ours(file.path)
        )


@contextmanager
def checkout(
    revision: str, start: str, paths: Sequence[str], project: str | None = None
) -> Iterator[Checkout]:
    """Puts a revision into a temporary folder, which is removed at the end.

    Args:
        revision: As git names it; ``A...`` is the commit where A and HEAD parted.
        start: A folder inside the repository.
        paths: Files and folders that are needed, as they are called in the user's checkout.
        project: The folder of the project, where there is one.

    Raises:
        TraincError: This is no repository, it has no such revision, git is missing or fails.
    """
    repository = repository_of(start, _holds)
    with tempfile.TemporaryDirectory(prefix="trainc-base-") as scratch:
        base = os.path.realpath(scratch)
        own, folder = os.path.join(base, "git"), os.path.join(base, "tree")
        for place in (own, folder, os.path.join(folder, GIT)):  # a repository, as the reader sees
            os.mkdir(place)
        git = Git(repository, own)
        commit = _commit(git, revision)
        entries = git.entries(commit)
        names = frozenset(entry.name for entry in entries)
        top = repository.folder
        gone = [name for name in sorted(names) if _is_source(name) and _is_missing(top, name)]
        moved = None if project is None else _moved(top, _inside(top, project), gone, names)
        wanted = [*(_inside(top, path) for path in paths), *([moved[1]] if moved else [])]
        _write(git, _wanted(entries, wanted, gone), folder, {*wanted})
        ours = tuple(name for name in gone if _is_ours(os.path.join(folder, name)))
        yield Checkout(top, folder, commit, names, ours, moved)


def _holds(repository: Repository, place: str) -> bool:
    with tempfile.TemporaryDirectory(prefix="trainc-git-") as scratch:
        return Git(repository, os.path.realpath(scratch)).holds(place.replace(os.sep, "/"))


def _wanted(entries: Sequence[Entry], places: Sequence[str], more: Sequence[str]) -> list[Entry]:
    """The entries at and below places, and more by their names; all where links lead elsewhere."""
    readable = [each for each in entries if each.mode != SUBMODULE and not _is_hidden(each.name)]
    tops, names = {place for place in places if place}, {*more}
    if "." in tops:
        return readable
    if any(each.mode == LINK and _is_below(each.name, tops) for each in readable):
        return readable
    return [each for each in readable if each.name in names or _is_below(each.name, tops)]


def _is_below(name: str, tops: set[str]) -> bool:
    while name and name not in tops:
        name = posixpath.dirname(name)
    return bool(name)


def _is_hidden(name: str) -> bool:
    """Whether trainc never opens a file: one that is hidden, or in a hidden folder.

    A tree that nobody wrote with git may have ``..`` in it: that begins with a dot too.
    """
    *folders, last = name.split("/")
    return any(part[:1] in ("", ".") for part in folders) or (
        last[:1] in ("", ".") and last != IGNORE_FILE
    )


def _write(git: Git, entries: Sequence[Entry], folder: str, named: set[str]) -> None:
    """Writes files into a folder, then links, so that none is written through a link.

    Raises:
        TraincError: The repository lacks some, or they are too many for a disk.
    """
    sizes = git.sizes([each.object for each in entries])
    if None in sizes:
        name = entries[sizes.index(None)].name
        raise TraincError([Problem("not in this clone", codes.GIT, Mark(name), hint=_PARTIAL)])
    sized = [
        (each, size)
        for each, size in zip(entries, sizes, strict=True)
        if size is not None and (size <= _LARGEST_OTHER or _is_read(each.name, named))
    ]
    if sum(min(size, MAX_BYTES) for _, size in sized) > _MAX_TOTAL:
        hint = "name the folders to compare, or give the project a folder of its own"
        message = f"the revision's files are larger than {_MAX_TOTAL >> 30} GiB together"
        raise TraincError([Problem(message, codes.GIT, hint=hint)])
    chosen = [each for each, size in sized if size <= MAX_BYTES]
    links = []
    try:
        for entry, data in zip(chosen, git.contents([e.object for e in chosen]), strict=True):
            if entry.mode == LINK:
                links.append((entry.name, data))
            else:
                _write_file(os.path.join(folder, entry.name), data, entry.name)
        for entry, size in sized:
            if size > MAX_BYTES:  # its size says why it is not read
                _write_file(os.path.join(folder, entry.name), b"", entry.name)
                os.truncate(os.path.join(folder, entry.name), size)
        for name, data in links:
            _write_link(os.path.join(folder, name), data)
    except OSError as error:
        message = f"cannot write a copy of the revision: {error.strerror or error}"
        raise TraincError(
            [Problem(message, codes.GIT, hint="TMPDIR names the folder it is put in")]
        ) from error


def _is_read(name: str, named: set[str]) -> bool:
    return name.endswith(_READ) or name in named


def _write_file(path: str, data: bytes, name: str) -> None:
    if data.startswith(_LFS) and name.endswith(_READ):
        hint = "keep files that trainc reads out of Git LFS"
        raise TraincError(
            [Problem("is stored in Git LFS, which is not asked", codes.GIT, Mark(name), hint=hint)]
        )
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "xb") as file:
        file.write(data)


def _write_link(path: str, target: bytes) -> None:
    folder = os.path.dirname(path)
    if os.path.realpath(folder) == folder or not os.path.lexists(folder):
        os.makedirs(folder, exist_ok=True)
        os.symlink(target, os.fsencode(path))


def _is_source(name: str) -> bool:
    return name.endswith(SUFFIXES) and not _is_hidden(name)


def _is_missing(repository: str, name: str) -> bool:
    return not os.path.lexists(os.path.join(repository, name))


def _moved(
    repository: str, now: str, gone: Sequence[str], names: frozenset[str]
) -> tuple[str, str] | None:
    """The project's folder and the one it was in: a project file is new here, and gone there."""
    file = posixpath.normpath(posixpath.join(now, PROJECT_FILE))
    if not now or file in names or _is_missing(repository, file):
        return None
    then = [posixpath.dirname(name) or "." for name in gone
            if posixpath.basename(name) == PROJECT_FILE]  # fmt: skip
    return (now, then[0]) if len(then) == 1 else None


def _is_ours(path: str) -> bool:
    """Whether a file may hold TrainJobs or runtimes, and is no rendered output."""
    data = read(File(path, path, True))
    return isinstance(data, bytes) and _OURS in data and not data.startswith(_RENDERED)


def _commit(git: Git, revision: str) -> str:
    if not revision.endswith("..."):
        return _verified(git, revision)
    theirs, ours = _verified(git, revision.removesuffix("...")), _verified(git, "HEAD")
    commit = git.parting(theirs, ours)
    if commit is None:
        message = f"{revision.removesuffix('...')!r} and HEAD have no commit in common here"
        raise TraincError([Problem(message, codes.GIT, hint=_FETCH)])
    return commit


def _verified(git: Git, revision: str) -> str:
    commit = git.commit(revision)
    if commit is None:
        raise TraincError(
            [Problem(f"git knows no revision {revision!r} here", codes.GIT, hint=_FETCH)]
        )
    return commit


def _inside(repository: str, path: str) -> str:
    """A path relative to the repository, empty where it is outside."""
    real = os.path.realpath(path)
    if real == repository:
        return "."
    inside = real.startswith(repository + os.sep)
    return os.path.relpath(real, repository).replace(os.sep, "/") if inside else ""
