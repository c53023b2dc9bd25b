"""The search through folders: which files below them are the project's sources.

In come folders, out go the real paths of files and the names they are printed by. Every file is
found once, however many links lead to it, and no link can lead the search astray.
"""

import errno
import os
from collections.abc import Container, Sequence
from typing import Final, NamedTuple

from trainc import codes
from trainc.errors import Mark, Problem
from trainc.names import OUTPUT_INDEX
from trainc.source.ignore import Rules, compiled, ignored, lines_of
from trainc.source.projects import is_project
from trainc.source.reader import (
    GIT,
    IGNORE_FILE,
    PROJECT_FILE,
    Boundary,
    Reader,
    RefusedError,
    is_below,
)

SUFFIXES: Final = (".yaml", ".yml", ".json")

_REMEDIES: Final = {
    errno.ENOENT: "check the spelling, and the folder you stand in",
    errno.EACCES: "give yourself the right to read it, or exclude it",
    errno.EPERM: "give yourself the right to read it, or exclude it",
    errno.EISDIR: "name the files in it",
    errno.ELOOP: "the link leads back to itself: remove it, or exclude it",
}


def project_root(start: str, reader: Reader | None = None) -> str | None:
    """Returns the nearest folder at or above ``start`` that holds ``trainc.yaml``, if any.

    A file above the repository is none of its own. A folder that may not be read has none: the
    search for files reports it.

    Args:
        start: A folder.
        reader: Knows what may be opened; None for one that looks for the repository.
    """
    try:
        folder = (reader or Reader()).check(start)
    except RefusedError:
        return None
    while not _is_project(folder):
        above = os.path.dirname(folder)
        if above == folder or os.path.lexists(os.path.join(folder, GIT)):
            return None
        folder = above
    return folder


def repository_root(path: str) -> str | None:
    """Returns the nearest folder at or above a real path that holds ``.git``, if there is one."""
    folder = path
    while not os.path.lexists(os.path.join(folder, GIT)):
        folder, below = os.path.dirname(folder), folder
        if folder == below:
            return None
    return folder


def _is_project(folder: str) -> bool:
    """Whether a folder holds ``trainc.yaml``: what else it is but a folder, reading it will say."""
    path = os.path.join(folder, PROJECT_FILE)
    return os.path.lexists(path) and not os.path.isdir(path)


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
        return Problem(f"no usable path: {error}", codes.UNREADABLE, Mark(name))
    message = (error.strerror or str(error)).lower()
    return Problem(message, codes.UNREADABLE, Mark(name), hint=_REMEDIES.get(error.errno or 0, ""))


def forbidden(error: RefusedError, name: str) -> Problem:
    """Returns what the rule on files refused as a problem of that file."""
    return Problem(error.message, codes.UNREADABLE, Mark(name), hint=error.hint)


class Search:
    """What a search found, and what is wrong with the folders.

    Attributes:
        found: The name to print of each file, by real path.
        problems: What could not be read, and what may not be.
        projects: Folders that are projects of their own: nothing below them is read.
        reader: Knows what may be.
    """

    def __init__(
        self,
        root: str | None,
        exclude: Sequence[str],
        output_dir: str | None,
        reader: Reader,
    ) -> None:
        """Takes the project's root, patterns to leave out and the folder the build writes to."""
        self.found: dict[str, str] = {}
        self.problems: list[Problem] = []
        self.projects: list[str] = []
        self.reader = reader
        self._root = None if root is None else os.path.realpath(root)
        self._output = None if output_dir is None else os.path.realpath(output_dir)
        self._exclude = exclude
        self._base = ""
        self._seen: set[str] = set()
        self._links: list[_Link] = []
        # Folders outside of the project -> the link that leads to each: they go by its name.
        self._aliases: dict[str, str] = {}

    def folders(self, paths: Sequence[str]) -> None:
        """Searches folders, and then what links in them lead to."""
        boundaries: dict[str, Boundary] = {}
        for path in paths:
            try:
                boundary = self.reader.boundary(path)
                boundaries[self.reader.check(path, boundary)] = boundary
            except RefusedError as error:
                self.problems.append(forbidden(error, printable(path)))
        reals = sorted(boundaries)
        self._base = os.path.commonpath(reals) if reals else ""
        for real in reals:
            base = self._root if self._root is not None and self.in_project(real) else real
            top = _Top(base, boundaries[real])
            rules = self._rules_above(real, top)
            # A folder that patterns leave out is read all the same where it was asked for.
            self._walk(real, top, [] if ignored(real, True, rules) else rules)
        while self._links:
            links, self._links = sorted(self._links, key=_path_of), []
            for link in links:
                self._follow(link)

    def in_project(self, real: str) -> bool:
        """Whether a real path is the project's root or below it."""
        return self._root is not None and is_below(real, self._root)

    def name(self, real: str) -> str:
        """The name to print of a real path: relative to the project, or to the folder given."""
        place = self._place(real)
        base = self._root if self._root is not None and self.in_project(place) else self._base
        return place[len(base) :].lstrip(os.sep) if is_below(place, base) else place

    def _place(self, real: str) -> str:
        """Where a real path was come to: by way of a link, if it is outside of the project."""
        for folder, link in self._aliases.items():
            if is_below(real, folder):
                return link + real[len(folder) :]
        return real

    def _walk(self, start: str, top: "_Top", rules: list[Rules]) -> None:
        """Finds the files below a folder."""
        waiting = [(start, rules)]
        while waiting:
            folder, rules = waiting.pop()
            if folder in self._seen:
                continue
            self._seen.add(folder)
            rules = rules + self._rules_of(folder, top)
            for entry in self._entries(folder, asked=folder == start):
                path = entry.path
                place = self._place(path) if self._aliases else path
                if entry.is_symlink():
                    if not ignored(place, False, rules):
                        self._links.append(_Link(path, top, rules))
                elif entry.is_dir(follow_symlinks=False):
                    if path != self._output and not ignored(place, True, rules):
                        waiting.append((path, rules))
                elif _is_source(entry.name) and not ignored(place, False, rules):
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
            mark = Mark(printable(name))
            self.problems.append(
                Problem("is no regular file, not read", codes.UNREADABLE, mark, hint="exclude it")
            )

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
        try:
            link.top.boundary.check(real)
        except RefusedError as error:
            self.problems.append(forbidden(error, name))
            return
        if not is_folder:
            self.found.setdefault(real, self.name(link.path))
        elif real != self._output and not self._is_other_project(real, (PROJECT_FILE,)):
            self._walk_linked(real, link)

    def _walk_linked(self, real: str, link: "_Link") -> None:
        """Searches the folder that a link leads to, unless patterns leave it out."""
        if is_below(real, link.top.base):
            rules = self._rules_above(real, link.top)
        else:
            rules = link.rules
            self._aliases.setdefault(real, self._place(link.path))
        if not ignored(self._place(real), True, rules):
            self._walk(real, link.top, rules)

    def _rules_above(self, folder: str, top: "_Top") -> list[Rules]:
        """The rules that hold in a folder and come from the folders above it or ``exclude``."""
        rules = compiled(top.base, self._exclude, "", self.problems) if self._exclude else []
        above = top.base
        for step in [] if folder == above else os.path.relpath(folder, above).split(os.sep):
            rules = rules + self._rules_of(above, top)
            above = os.path.join(above, step)
        return rules

    def _rules_of(self, folder: str, top: "_Top") -> list[Rules]:
        """The rules of the folder's ``.traincignore``: none, or one."""
        name = printable(self.name(os.path.join(folder, IGNORE_FILE)))
        lines = lines_of(folder, name, self.problems, self.reader, top.boundary)
        return [] if lines is None else compiled(self._place(folder), lines, name, self.problems)


class _Top(NamedTuple):
    """Where a search began.

    Attributes:
        base: The project's root, or the folder given; patterns are relative to it.
        boundary: What may be opened.
    """

    base: str
    boundary: Boundary


class _Link(NamedTuple):
    """A link, where the search began that found it, and the rules where it stands."""

    path: str
    top: _Top
    rules: list[Rules]


def _path_of(link: _Link) -> str:
    return link.path


def _is_source(path: str) -> bool:
    return path.endswith(SUFFIXES) and os.path.basename(path) != PROJECT_FILE
