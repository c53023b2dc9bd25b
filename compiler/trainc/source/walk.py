"""The search through folders: which files below them are the project's sources.

In come folders, out go the real paths of files and the names they are printed by. Every file is
found once, however many links lead to it, and no link can lead the search astray.
"""

import errno
import os
from collections.abc import Container, Sequence
from typing import Final, NamedTuple

from trainc.errors import Mark, Problem
from trainc.names import OUTPUT_INDEX
from trainc.source.ignore import IGNORE_FILE, Rules, compiled, ignored, rules_of
from trainc.source.projects import PROJECT_FILE as PROJECT_FILE
from trainc.source.projects import is_project

SUFFIXES: Final = (".yaml", ".yml", ".json")

_REMEDIES: Final = {
    errno.ENOENT: "check the spelling, and the folder you stand in",
    errno.EACCES: "give yourself the right to read it, or exclude it",
    errno.EPERM: "give yourself the right to read it, or exclude it",
    errno.EISDIR: "name the files in it",
    errno.ELOOP: "the link leads back to itself: remove it, or exclude it",
}


def project_root(start: str) -> str | None:
    """Returns the nearest folder at or above ``start`` that holds ``trainc.yaml``, if any."""
    folder = os.path.realpath(start)
    while not os.path.isfile(os.path.join(folder, PROJECT_FILE)):
        folder, below = os.path.dirname(folder), folder
        if folder == below:
            return None
    return folder


def repository_root(path: str) -> str | None:
    """Returns the nearest folder at or above a real path that holds ``.git``, if there is one."""
    folder = path
    while not os.path.lexists(os.path.join(folder, ".git")):
        folder, below = os.path.dirname(folder), folder
        if folder == below:
            return None
    return folder


def printable(path: str) -> str:
    """Returns a path as it is printed: on one line, in valid UTF-8, with POSIX slashes."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace").replace(os.sep, "/")
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def refused(error: OSError | ValueError, name: str) -> Problem:
    """Returns what the operating system refused as a problem of that file."""
    if not isinstance(error, OSError):
        return Problem(f"no usable path: {error}", Mark(name))
    message = (error.strerror or str(error)).lower()
    return Problem(message, Mark(name), hint=_REMEDIES.get(error.errno or 0, ""))


class Search:
    """What a search found, and what is wrong with the folders.

    Attributes:
        found: The name to print of each file, by real path.
        problems: What could not be read, and links that are not followed.
        projects: Folders that are projects of their own: nothing below them is read.
    """

    def __init__(self, root: str | None, exclude: Sequence[str], output_dir: str | None) -> None:
        """Takes the project's root, patterns to leave out and the folder the build writes to."""
        self.found: dict[str, str] = {}
        self.problems: list[Problem] = []
        self.projects: list[str] = []
        self._root = None if root is None else os.path.realpath(root)
        self._output = None if output_dir is None else os.path.realpath(output_dir)
        self._exclude = exclude
        self._base = ""
        self._seen: set[str] = set()
        self._links: list[_Link] = []

    def folders(self, paths: Sequence[str]) -> None:
        """Searches folders, and then what links in them lead to."""
        reals = sorted({os.path.realpath(path) for path in paths})
        self._base = os.path.commonpath(reals) if reals else ""
        for real in reals:
            limit = self._root if self._root is not None and self.in_project(real) else real
            rules = self._rules_above(real, limit)
            # A folder that patterns leave out is read all the same where it was asked for.
            self._walk(real, limit, [] if ignored(real, True, rules) else rules)
        while self._links:
            links, self._links = sorted(self._links), []
            for link in links:
                self._follow(link)

    def in_project(self, real: str) -> bool:
        """Whether a real path is the project's root or below it."""
        return self._root is not None and _is_below(real, self._root)

    def name(self, real: str) -> str:
        """The name to print of a real path: relative to the project, or to the folder given."""
        base = self._root if self._root is not None and self.in_project(real) else self._base
        return real[len(base) :].lstrip(os.sep) if _is_below(real, base) else real

    def _walk(self, top: str, limit: str, rules: list[Rules]) -> None:
        """Finds the files below a folder; ``limit`` is where links may lead to."""
        waiting = [(top, rules)]
        while waiting:
            folder, rules = waiting.pop()
            if folder in self._seen:
                continue
            self._seen.add(folder)
            rules = rules + rules_of(folder, self._ignore_name(folder), self.problems)
            for entry in self._entries(folder, asked=folder == top):
                path = entry.path
                if entry.is_symlink():
                    if not ignored(path, False, rules):
                        self._links.append(_Link(path, limit))
                elif entry.is_dir(follow_symlinks=False):
                    if path != self._output and not ignored(path, True, rules):
                        waiting.append((path, rules))
                elif _is_source(entry.name) and not ignored(path, False, rules):
                    self._add(entry)

    def _entries(self, folder: str, *, asked: bool) -> list[os.DirEntry[str]]:
        """The entries of a folder but hidden ones; none of another project or build."""
        try:
            with os.scandir(folder) as listing:
                entries = list(listing)
        except OSError as error:
            self.problems.append(refused(error, printable(self.name(folder))))
            return []
        names = {entry.name for entry in entries}
        if not asked and (OUTPUT_INDEX in names or self._is_other_project(folder, names)):
            return []
        return [entry for entry in entries if not entry.name.startswith(".")]

    def _is_other_project(self, folder: str, names: Container[str]) -> bool:
        """Whether a folder is a project of its own; it is noted."""
        other = PROJECT_FILE in names and folder != self._root and is_project(folder)
        if other:
            self.projects.append(folder)
        return other

    def _add(self, entry: os.DirEntry[str]) -> None:
        name = self.name(entry.path)
        if entry.is_file(follow_symlinks=False):
            self.found[entry.path] = name
        else:
            hint = "exclude it, or give it by its own name"
            mark = Mark(printable(name))
            self.problems.append(Problem("no regular file, not read", mark, hint=hint))

    def _follow(self, link: "_Link") -> None:
        """Goes where a link leads, if it stays inside; what the search found itself is known."""
        name = printable(self.name(link.path))
        real = os.path.realpath(link.path)
        is_folder = os.path.isdir(real)
        if not is_folder and not _is_source(link.path):
            return
        try:
            os.stat(link.path)
        except OSError as error:
            self.problems.append(refused(error, name))
            return
        if not _is_below(real, link.limit):
            message = f"a link out of {printable(os.path.basename(link.limit))}, not followed"
            self.problems.append(Problem(message, Mark(name), severity="note"))
        elif not is_folder:
            self.found.setdefault(real, self.name(link.path))
        elif real != self._output and not self._is_other_project(real, (PROJECT_FILE,)):
            rules = self._rules_above(real, link.limit)
            if not ignored(real, True, rules):
                self._walk(real, link.limit, rules)

    def _rules_above(self, folder: str, limit: str) -> list[Rules]:
        """The rules that hold in a folder and come from the folders above it or ``exclude``."""
        rules = compiled(limit, self._exclude, "", self.problems) if self._exclude else []
        above = limit
        for step in [] if folder == limit else os.path.relpath(folder, limit).split(os.sep):
            rules = rules + rules_of(above, self._ignore_name(above), self.problems)
            above = os.path.join(above, step)
        return rules

    def _ignore_name(self, folder: str) -> str:
        return printable(self.name(os.path.join(folder, IGNORE_FILE)))


class _Link(NamedTuple):
    """A link, and the folder it must not lead out of."""

    path: str
    limit: str


def _is_source(path: str) -> bool:
    return path.endswith(SUFFIXES) and os.path.basename(path) != PROJECT_FILE


def _is_below(real: str, folder: str) -> bool:
    return real == folder or real.startswith(folder.rstrip(os.sep) + os.sep)
