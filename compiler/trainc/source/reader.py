"""The one place that opens a user's files, and the rule on which it opens them.

Nothing is opened that is hidden (but trainc's own ``.traincignore`` and index), nothing outside the
repository after links are followed, and nothing but regular files: a pull request must not show
what else the machine holds, nor make a build wait. Where there is no repository its place is taken
by the project's folder, else by the current folder, else by the folder that was named. What is
refused is an error that names the path and shows nothing of what is there.

In: paths. Out: bytes, or why not. A ``Reader`` is handed down to whoever reads, so that a caller
can say what the repository is (Argo CD sends only a part of one, a revision is a copy of one).
"""

from __future__ import annotations

import os
import stat

from trainc.names import OUTPUT_INDEX

TYPE_CHECKING = False  # typing's own costs every start 8 ms
if TYPE_CHECKING:
    from typing import Final

PROJECT_FILE: Final = "trainc.yaml"
IGNORE_FILE: Final = ".traincignore"
MAX_BYTES: Final = 64 << 20
"""A larger file is refused: an API server takes objects of 1.5 MiB at most."""

_OWN: Final = frozenset({IGNORE_FILE, OUTPUT_INDEX})
GIT: Final = ".git"
_CHUNK: Final = 1 << 16
# A pipe has no end until somebody writes to it: without the second flag opening it would wait.
_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NOCTTY", 0)
)


class RefusedError(Exception):
    """A path that the rule forbids to open; says why, and what to do in ``hint``."""

    def __init__(self, message: str, hint: str) -> None:
        """Takes both texts; neither shows what is at the path."""
        super().__init__(message)
        self.message, self.hint = message, hint


class Boundary:
    """What may be opened for one path of a command line.

    Attributes:
        root: The folder that nothing may lead out of, links followed.
        start: The project the user stands in, else the current folder, else what was named: who
            stands in a hidden folder means it.
        kind: What ``root`` is: ``repository``, ``project's folder`` or ``folder``.
    """

    __slots__ = ("kind", "root", "start")

    def __init__(self, root: str, start: str, kind: str) -> None:
        """Takes real paths."""
        self.root, self.start, self.kind = root, start, kind

    def holds(self, real: str) -> bool:
        """Whether a real path is in the folder and not Git's own; hidden ones may be."""
        return is_below(real, self.root) and GIT not in real[len(self.root) :].split(os.sep)

    def check(self, real: str) -> None:
        """Refuses a real path, whatever is there.

        Raises:
            RefusedError: It lies outside, or is hidden.
        """
        if not is_below(real, self.root):
            hint = "put the file itself there, or leave it out with exclude: or .traincignore"
            raise RefusedError(f"leads out of the {self.kind}, not read", hint)
        parts = real[len(self.root) :].split(os.sep)
        own = real[len(self.start) :].split(os.sep) if is_below(real, self.start) else parts
        if parts[-1] in _OWN:
            parts, own = parts[:-1], own[:-1]
        if GIT in parts or any(map(_is_hidden, own)):
            raise RefusedError("is hidden, not read", "give it a name that begins with no dot")


class Reader:
    """Opens files by the rule."""

    __slots__ = ("_root",)

    def __init__(self, root: str | None = None) -> None:
        """Takes the repository; None looks for the one that holds each path."""
        self._root = None if root is None else os.path.realpath(root)

    def boundary(self, path: str) -> Boundary:
        """What may be opened for a path that a user named.

        The repository is that of the first link on the way, so that no link leads into another.
        """
        here = os.getcwd()
        place, _ = self._way(path, here)
        folder = place if os.path.isdir(place) else os.path.dirname(place)
        root, kind = self._holder(folder)
        if not root:
            root, kind = (here if is_below(folder, here) else folder), "folder"
        project = self._project(folder, root)
        start = here if is_below(here, root) else project or root
        if project is not None and is_below(here, project):
            start = project
        return Boundary(root, start, kind)

    def link(self, path: str) -> str:
        """The first link on the way to a folder that is written to; empty where there is none.

        Links above the repository are the machine's own affair (``/tmp`` is one on macOS).
        """
        _, link = self._way(path, os.getcwd())
        return link or (path if os.path.islink(path) else "")

    def check(self, path: str, boundary: Boundary | None = None) -> str:
        """The real path of a path that may be opened.

        Args:
            path: A file or folder.
            boundary: What it must not lead out of; None for a path that a user named.

        Raises:
            RefusedError: It may not.
        """
        real = os.path.realpath(path)
        (boundary or self.boundary(path)).check(real)
        return real

    def read(self, path: str, boundary: Boundary | None = None) -> bytes:
        """What a file holds; a little more than ``MAX_BYTES`` where it is larger.

        Raises:
            RefusedError: It may not be opened, or is no regular file.
            OSError: It cannot be read.
        """
        if boundary is None and is_stream(path):
            return _all(os.open(path, os.O_RDONLY))
        return self.found(self.check(path, boundary))

    def found(self, real: str) -> bytes:
        """What a file holds whose real path is known to be one that may be opened.

        Raises:
            RefusedError: It is no regular file.
            OSError: It cannot be read.
        """
        descriptor = os.open(real, _FLAGS)
        mode = os.fstat(descriptor).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # of a folder, reading says so
            os.close(descriptor)
            raise RefusedError("is no regular file, not read", "leave it out, or hand it over as -")
        return _all(descriptor)

    def _way(self, path: str, here: str) -> tuple[str, str]:
        """Where a path leads up to the first link in a repository, and that link."""
        place = os.sep if os.path.isabs(path) else here
        for part in path.split(os.sep):
            if part == os.pardir:
                place = os.path.dirname(place)
            elif part not in ("", os.curdir):
                step = os.path.join(place, part)
                if os.path.islink(step) and self._is_held(place, here):
                    return place, step
                place = os.path.realpath(step)
        return place, ""

    def _is_held(self, folder: str, here: str) -> bool:
        """Whether a folder is somebody's work, so that a link in it may be a stranger's."""
        return bool(self._holder(folder)[0]) or (here != os.sep and is_below(folder, here))

    def _holder(self, folder: str) -> tuple[str, str]:
        """The repository that holds a folder, else the project's folder; empty for neither."""
        if self._root is not None:
            return self._root, "repository"
        return _holder(folder)

    def _project(self, folder: str, root: str) -> str | None:
        while not os.path.lexists(os.path.join(folder, PROJECT_FILE)):
            if folder == root or folder == os.path.dirname(folder):
                return None
            folder = os.path.dirname(folder)
        return folder


def _holder(folder: str) -> tuple[str, str]:
    """The nearest folder at or above that holds ``.git``, else ``trainc.yaml``; and what it is."""
    project, place = "", folder
    while not os.path.lexists(os.path.join(place, GIT)):
        if not project and os.path.lexists(os.path.join(place, PROJECT_FILE)):
            project = place
        above = os.path.dirname(place)
        if above == place:
            return project, "project's folder"
        place = above
    return place, "repository"


def _is_hidden(name: str) -> bool:
    """Whether a name is hidden; ``..data`` is what Kubernetes puts behind a mounted ConfigMap."""
    return name[:1] == "." and name[:2] != ".."


def is_stream(path: str) -> bool:
    """Whether a path is one that a shell opened for us, as for ``<(command)``."""
    return path == "/dev/stdin" or (path.startswith("/dev/fd/") and path[8:].isdigit())


def is_below(real: str, folder: str) -> bool:
    """Whether a real path is a folder or below it."""
    return real == folder or real.startswith(folder.rstrip(os.sep) + os.sep)


def _all(descriptor: int) -> bytes:
    """Everything there is to read, or a little more than is allowed; closes it."""
    try:
        size = os.fstat(descriptor).st_size
        data = os.read(descriptor, min(size, MAX_BYTES) + 1)
        if len(data) == size:
            return data
        # A pipe, or a file that somebody is writing to.
        parts = [data]
        length = len(data)
        while parts[-1] and length <= MAX_BYTES:
            parts.append(os.read(descriptor, _CHUNK))
            length += len(parts[-1])
        return b"".join(parts)
    finally:
        os.close(descriptor)
