"""A git revision as a folder of its own; the user's checkout and index are never touched.

In: a revision and the places of it that are wanted. Out: a temporary folder that holds these as a
checkout would, attributes and filters applied.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from trainc.errors import Problem, TraincError

_FETCH: Final = (
    "fetch it first (git fetch origin main); in CI a shallow clone may lack it:"
    " actions/checkout takes fetch-depth: 0"
)
_LINK: Final = b"120000"
# Nothing of our index may be kept in the repository.
_UNSHARED: Final = ("-c", "core.splitIndex=false", "-c", "core.fsmonitor=false")
_OF_HOOKS: Final = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"})


class Checkout(NamedTuple):
    """A revision on disk.

    Attributes:
        repository: The folder of the user's repository, absolute.
        folder: The folder that stands for it.
        commit: The commit's full name.
    """

    repository: str
    folder: str
    commit: str

    def place(self, path: str) -> str:
        """Where a path of the repository lies in the revision; other paths are as they are."""
        real = os.path.realpath(path)
        if real != self.repository and not real.startswith(self.repository + os.sep):
            return path
        return os.path.normpath(os.path.join(self.folder, os.path.relpath(real, self.repository)))


@contextmanager
def checkout(revision: str, start: str, paths: Sequence[str]) -> Iterator[Checkout]:
    """Puts a revision into a temporary folder, which is removed at the end.

    Args:
        revision: As git names it; ``A...`` is the commit where A and HEAD parted.
        start: A folder inside the repository.
        paths: Files and folders that are needed, as they are called in the user's checkout.

    Raises:
        TraincError: This is no repository, it has no such revision, git is missing or fails.
    """
    repository = os.path.realpath(_git(start, "rev-parse", "--show-toplevel").rstrip("\n"))
    commit = _commit(repository, revision)
    wanted = [_inside(repository, path) for path in paths]
    prefixes = [] if "." in wanted else sorted({path for path in wanted if path})
    with tempfile.TemporaryDirectory(prefix="trainc-base-") as scratch:
        folder = os.path.join(os.path.realpath(scratch), "tree")
        os.mkdir(folder)
        env = {"GIT_INDEX_FILE": os.path.join(scratch, "index")}
        _git(repository, "read-tree", commit, env=env)
        listed = _files(repository, prefixes, env)
        if prefixes and any(_LINK in line.split(b" ", 1)[0] for line in listed):
            listed = _files(repository, [], env)  # a link may lead anywhere
        names = b"".join(line.partition(b"\t")[2] + b"\0" for line in listed)
        prefix = f"--prefix={folder}/"
        _git(repository, "checkout-index", "-q", "-z", "--stdin", prefix, env=env, given=names)
        yield Checkout(repository, folder, commit)


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
