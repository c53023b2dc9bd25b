"""Git as a reader of objects: it runs nothing that a repository, a user or a variable configures.

In: a repository. Out: commits, names of files, and their bytes as they are stored. Git never sees
the repository's own ``config``, hooks or work tree: it works in a folder made for this run, which
shares the objects and refs of the repository and has a config of ours. So there are no filters,
fsmonitor, textconv, external diffs, hooks, pagers, promisor remotes, aliases or includes to switch
off one by one, and those of a later Git are not there either. What is called (``rev-parse``,
``merge-base``, ``ls-tree``, ``cat-file``, ``config --file``) is in every Git since 1.8.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from trainc import codes
from trainc.diff.repository import Repository, line_of
from trainc.errors import Mark, Problem, TraincError
from trainc.source.walk import printable

SUBMODULE: Final = "160000"
LINK: Final = "120000"

_OPTIONS: Final = ("--no-pager", "-c", "safe.bareRepository=explicit", "-c", "core.fsmonitor=false",
                   "-c", f"core.hooksPath={os.devnull}")  # fmt: skip
# No config but ours, no transport that fetches what is missing, no objects in place of others.
_ENVIRONMENT: Final = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_PSEUDO_REF: Final = re.compile(r"[A-Z]+_HEAD")  # git fetch leaves FETCH_HEAD
_HEAD: Final = re.compile(r"ref: refs/\S+|[0-9a-f]{40}|[0-9a-f]{64}")
# Of the repository's config only what objects and upstream branches are found by; it runs nothing.
_WANTED: Final = r"^(extensions\.objectformat|branch\..*\.(remote|merge)|remote\..*\.fetch)$"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class Entry(NamedTuple):
    """A file of a commit.

    Attributes:
        mode: As git writes it: ``100644``, ``LINK``, ``SUBMODULE``.
        object: The full name of its bytes.
        name: Relative to the top of the repository, with slashes.
    """

    mode: str
    object: str
    name: str


class Git:
    """Reads one repository."""

    def __init__(self, repository: Repository, folder: str) -> None:
        """Prepares a folder of ours.

        Args:
            repository: Whose objects and refs are read.
            folder: Absolute and empty; must stay as long as this is used.

        Raises:
            TraincError: There is no git, or the repository's own folder holds pipes or devices.
        """
        self._folder = folder
        home, git_dir, tree = (os.path.join(folder, name) for name in ("home", "git", "tree"))
        for place in (home, git_dir, tree):
            os.mkdir(place)
        self._command = [_program(), *_OPTIONS, f"--git-dir={git_dir}", f"--work-tree={tree}"]
        kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        objects = _plain(repository.common_dir, "objects")
        own = {"HOME": home, "XDG_CONFIG_HOME": home, "GIT_OBJECT_DIRECTORY": objects or home}
        self._environment = {**kept, **_ENVIRONMENT, **own}
        _share(repository, git_dir)
        self._configure(repository, git_dir)

    def commit(self, revision: str) -> str | None:
        """The full name of a commit, None where git knows no such revision."""
        if revision.startswith("-") or "\0" in revision:
            return None
        done = self._run("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
        return None if done.returncode else os.fsdecode(done.stdout).strip()

    def parting(self, commit: str, other: str) -> str | None:
        """The commit where two histories parted, None where they have none in common."""
        done = self._run("merge-base", commit, other)
        return None if done.returncode else os.fsdecode(done.stdout).strip()

    def entries(self, commit: str, *places: str) -> list[Entry]:
        """The files of a commit below places relative to its top; all without any.

        Raises:
            TraincError: The repository lacks a part of the commit.
        """
        text = self._output("ls-tree", "-r", "-z", "--full-tree", commit, "--", *places)
        return [_entry(line) for line in text.split(b"\0") if line]

    def holds(self, place: str) -> bool:
        """Whether the current commit has files at or below a place, and no submodule there."""
        head = self.commit("HEAD")
        return head is not None and any(
            each.mode != SUBMODULE for each in self.entries(head, place)
        )

    def sizes(self, objects: Sequence[str]) -> list[int | None]:
        """The bytes of each object; None for one that the repository lacks."""
        given = "".join(f"{name}\n" for name in objects).encode()
        lines = self._output("cat-file", "--batch-check", given=given).split(b"\n")[:-1]
        return [int(size) if (size := line.split()[-1]).isdigit() else None for line in lines]

    def contents(self, objects: Sequence[str]) -> Iterator[bytes]:
        """The bytes of each object, one at a time, as they are stored.

        Raises:
            TraincError: Git ends before it has given all of them.
        """
        wanted = os.path.join(self._folder, "wanted")
        with open(wanted, "w", encoding="ascii") as file:
            file.writelines(f"{name}\n" for name in objects)
        with open(wanted, "rb") as given, subprocess.Popen(
            [*self._command, "cat-file", "--batch"], cwd=self._folder, env=self._environment,
            stdin=given, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            for _ in objects:
                words = process.stdout.readline().split()
                size = int(words[2]) if len(words) == 3 else -1
                data = process.stdout.read(size + 1)[:-1]
                if len(data) != size:
                    raise TraincError(
                        [Problem("git: cannot read the objects of the repository", codes.GIT)]
                    )
                yield data

    def _configure(self, repository: Repository, git_dir: str) -> None:
        """Writes our config, with what of the repository's finds objects and branches."""
        lines = ["[core]", "bare = true", "repositoryformatversion = 1"]
        if os.path.isdir(os.path.join(repository.common_dir, "reftable")):
            lines += ["[extensions]", "refStorage = reftable"]
        place = os.path.join(git_dir, "config")
        _write(place, [*lines[:2], ""])
        theirs = _plain(repository.common_dir, "config")
        if theirs is not None:
            get = ("config", "--null", "--file", theirs, "--get-regexp", _WANTED)
            for item in os.fsdecode(self._run(*get).stdout).split("\0"):
                lines += _setting(*item.partition("\n")[::2])
        _write(place, [*lines, ""])

    def _output(self, *args: str, given: bytes | None = None) -> bytes:
        """What git prints.

        Raises:
            TraincError: It fails; with the last line of what it says.
        """
        done = self._run(*args, given=given)
        if done.returncode:
            lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
            said = lines[-1] if lines else f"git {args[0]} failed"
            raise TraincError([Problem(f"git: {said.removeprefix('fatal: ')}", codes.GIT)])
        return done.stdout

    def _run(self, *args: str, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        command = [*self._command, *args]
        try:
            return subprocess.run(
                command, cwd=self._folder, env=self._environment, check=False,
                input=given or b"", capture_output=True,
            )  # fmt: skip
        except (OSError, ValueError) as error:
            raise _without_git(getattr(error, "strerror", None) or str(error)) from error


def _program() -> str:
    """The git of the PATH; a relative folder of it would be one of the files under review."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    found = shutil.which("git", path=os.pathsep.join(filter(os.path.isabs, folders)))
    if found is None:
        raise _without_git("there is no such program")
    return found


def _without_git(why: str) -> TraincError:
    return TraincError(
        [Problem(f"git cannot be run: {why}", codes.GIT, hint="--base needs git in the PATH")]
    )


def _share(repository: Repository, git_dir: str) -> None:
    """Leads from our folder to the refs of the repository."""
    head = line_of(os.path.join(repository.git_dir, "HEAD"))
    if not _HEAD.fullmatch(head):
        place = printable(os.path.join(repository.git_dir, "HEAD"))
        raise TraincError([Problem("names no commit", codes.GIT, Mark(place))])
    _write(os.path.join(git_dir, "HEAD"), [head, ""])
    for name in ("packed-refs", "refs", "reftable", "shallow"):
        _lead(_plain(repository.common_dir, name), os.path.join(git_dir, name))
    os.makedirs(os.path.join(git_dir, "refs"), exist_ok=True)
    for name in filter(_PSEUDO_REF.fullmatch, os.listdir(repository.git_dir)):
        _lead(_plain(repository.git_dir, name), os.path.join(git_dir, name))
    os.mkdir(os.path.join(git_dir, "logs"))
    for folder, name in ((repository.common_dir, "logs/refs"), (repository.git_dir, "logs/HEAD")):
        _lead(_plain(folder, name), os.path.join(git_dir, name))


def _lead(target: str | None, place: str) -> None:
    """Makes a link, or a copy where the system lets nobody make links."""
    if target is None:
        return
    try:
        os.symlink(target, place)
    except OSError:
        if os.path.isdir(target):
            shutil.copytree(target, place)
        else:
            shutil.copyfile(target, place)


def _plain(folder: str, name: str) -> str | None:
    """The real path of a file or folder, None where there is none.

    Raises:
        TraincError: It holds a pipe, a socket or a device, which git would wait for.
    """
    top = os.path.realpath(os.path.join(folder, name))
    if not os.path.exists(top):
        return None
    waiting = [top]
    while waiting:
        place = waiting.pop()
        mode = os.stat(place).st_mode
        if not stat.S_ISDIR(mode):
            if not stat.S_ISREG(mode):
                raise TraincError([Problem("no regular file", codes.GIT, Mark(printable(place)))])
            continue
        with os.scandir(place) as listing:
            for entry in listing:
                if not entry.is_file(follow_symlinks=False) and os.path.exists(entry.path):
                    waiting.append(entry.path)
    return top


def _entry(line: bytes) -> Entry:
    """An entry from ``MODE TYPE HASH<tab>NAME``."""
    words, _, name = line.partition(b"\t")
    mode, _, identity = words.split()
    return Entry(mode.decode(), identity.decode(), os.fsdecode(name))


def _setting(key: str, value: str) -> list[str]:
    """A setting as lines of a config; none for what cannot be written on one line."""
    section, _, rest = key.partition(".")
    subsection, _, name = rest.rpartition(".")
    if not name or _CONTROL.search(key + value):
        return []
    subsection, value = (
        text.replace("\\", r"\\").replace('"', r"\"") for text in (subsection, value)
    )
    return [f'[{section} "{subsection}"]' if subsection else f"[{section}]", f'{name} = "{value}"']


def _write(place: str, lines: Sequence[str]) -> None:
    with open(place, "w", encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        file.write("\n".join(lines))
