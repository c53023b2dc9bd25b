"""A git revision as a folder of its own; the user's checkout and index are never touched.

In: a revision and the places of it that are wanted. Out: a temporary folder that holds these as a
checkout would, attributes and filters applied.
"""

from __future__ import annotations

import os
import posixpath
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from trainc.errors import Problem, TraincError
from trainc.source.walk import PROJECT_FILE, SUFFIXES

_FETCH: Final = (
    "fetch it first (git fetch origin main); in CI a shallow clone may lack it:"
    " actions/checkout takes fetch-depth: 0"
)
_LINK: Final = b"120000"
# What every file that holds something of ours says, and how far it is read for that.
_OURS: Final = b"trainer.kubeflow.org"
_READ: Final = 1 << 20
_RENDERED: Final = b"# from: "
# Nothing of our index may be kept in the repository, and theirs stays as it is.
_UNSHARED: Final = ("-c", "core.splitIndex=false", "-c", "core.fsmonitor=false",
                    "-c", "diff.autoRefreshIndex=false")  # fmt: skip
_COMPARED: Final = ("diff", "--name-only", "-z", "--no-renames", "--no-ext-diff")
_OF_HOOKS: Final = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"})


class Checkout(NamedTuple):
    """A revision on disk.

    Attributes:
        repository: The folder of the user's repository, absolute.
        folder: The folder that stands for it.
        commit: The commit's full name.
        gone: Its files with TrainJobs or runtimes that the user's checkout lacks, by their names
            in the repository.
        new: Such files of the user's checkout that the revision lacks, absolute.
        moved: The project's folder, and the one it was in before; None where it stayed.
    """

    repository: str
    folder: str
    commit: str
    gone: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
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
    repository = os.path.realpath(_git(start, "rev-parse", "--show-toplevel").rstrip("\n"))
    commit = _commit(repository, revision)
    gone, new = _gone(repository, commit), _new(repository, commit)
    moved = None if project is None else _moved(_inside(repository, project), gone, new)
    wanted = [*(_inside(repository, path) for path in paths), *([moved[1]] if moved else [])]
    with tempfile.TemporaryDirectory(prefix="trainc-base-") as scratch:
        folder = os.path.join(os.path.realpath(scratch), "tree")
        os.mkdir(folder)
        _write(repository, commit, wanted, gone, folder)
        ours = [name for name in gone if _is_ours(os.path.join(folder, name))]
        added = [path for path in (os.path.join(repository, name) for name in new)
                 if _is_ours(path)]  # fmt: skip
        yield Checkout(repository, folder, commit, tuple(ours), tuple(added), moved)


def _write(
    repository: str, commit: str, wanted: Sequence[str], more: Sequence[str], folder: str
) -> None:
    """Writes places of a commit, and more of its files, into a folder; an index stands beside."""
    prefixes = [] if "." in wanted else sorted({path for path in wanted if path})
    env = {"GIT_INDEX_FILE": os.path.join(os.path.dirname(folder), "index")}
    _git(repository, "read-tree", commit, env=env)
    listed = _files(repository, prefixes, env)
    if prefixes and any(_LINK in line.split(b" ", 1)[0] for line in listed):
        listed = _files(repository, [], env)  # a link may lead anywhere
    every = {*(line.partition(b"\t")[2] for line in listed), *map(os.fsencode, more)}
    names = b"".join(name + b"\0" for name in sorted(every))
    prefix = f"--prefix={folder}/"
    _git(repository, "checkout-index", "-q", "-z", "--stdin", prefix, env=env, given=names)


def _gone(repository: str, commit: str) -> list[str]:
    """The YAML of a commit that the user's checkout lacks."""
    return _sources(_git(repository, *_COMPARED, "--diff-filter=D", commit))


def _new(repository: str, commit: str) -> list[str]:
    """The YAML of the user's checkout that a commit lacks, whether git was told of it or not."""
    told = _sources(_git(repository, *_COMPARED, "--diff-filter=A", commit))
    others = ("ls-files", "-z", "--others", "--exclude-standard")
    return sorted({*told, *_sources(_git(repository, *others))})


def _sources(text: str) -> list[str]:
    return [name for name in text.split("\0") if name.endswith(SUFFIXES)]


def _moved(now: str, gone: Sequence[str], new: Sequence[str]) -> tuple[str, str] | None:
    """The project's folder and the one it was in: a project file is new here, and gone there."""
    if not now or posixpath.normpath(posixpath.join(now, PROJECT_FILE)) not in new:
        return None
    then = [posixpath.dirname(name) or "." for name in gone
            if posixpath.basename(name) == PROJECT_FILE]  # fmt: skip
    return (now, then[0]) if len(then) == 1 else None


def _is_ours(path: str) -> bool:
    """Whether a file may hold TrainJobs or runtimes, and is no rendered output."""
    try:
        with open(path, "rb") as file:
            data = file.read(_READ)
            return _OURS in data and not data.startswith(_RENDERED)
    except OSError:
        return False


def _commit(repository: str, revision: str) -> str:
    if revision.endswith("..."):
        ours = _verified(repository, "HEAD")
        theirs = _verified(repository, revision.removesuffix("..."))
        return _git(repository, "merge-base", theirs, ours, hint=_FETCH).strip()
    return _verified(repository, revision)


def _verified(repository: str, revision: str) -> str:
    try:
        named = ("--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        text = _git(repository, "rev-parse", *named)
    except TraincError as error:
        problem = Problem(f"git knows no revision {revision!r} here", hint=_FETCH)
        raise TraincError([problem]) from error
    return text.strip()


def _files(repository: str, prefixes: Sequence[str], env: Mapping[str, str]) -> list[bytes]:
    """``MODE HASH STAGE<tab>NAME`` of every file below the prefixes; all without any."""
    literal = ["--", *(f":(top,literal){prefix}" for prefix in prefixes)]
    text = _git(repository, "ls-files", "-z", "--stage", *literal, env=env)
    return [line for line in os.fsencode(text).split(b"\0") if line]


def _inside(repository: str, path: str) -> str:
    """A path relative to the repository, empty where it is outside."""
    real = os.path.realpath(path)
    if real == repository:
        return "."
    inside = real.startswith(repository + os.sep)
    return os.path.relpath(real, repository).replace(os.sep, "/") if inside else ""


def _git(
    folder: str,
    *args: str,
    env: Mapping[str, str] | None = None,
    given: bytes | None = None,
    hint: str = "",
) -> str:
    """What git prints.

    Raises:
        TraincError: It fails; with the last line of what it says.
    """
    command = ["git", "-C", folder, *_UNSHARED, *args]
    # A hook of git's is told of the user's index and folders; here the folder says which they are.
    kept = {key: value for key, value in os.environ.items() if key not in _OF_HOOKS}
    own = {**kept, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C", **(env or {})}
    try:
        done = subprocess.run(command, input=given, capture_output=True, check=False, env=own)
    except OSError as error:
        why = f"git cannot be run: {error.strerror or error}"
        raise TraincError([Problem(why, hint="--base needs git in the PATH")]) from error
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        said = lines[-1] if lines else f"git {args[0]} failed"
        raise TraincError([Problem(f"git: {said.removeprefix('fatal: ')}", hint=hint)])
    return os.fsdecode(done.stdout)
