"""Whose output is it: which files of an output folder a build may remove.

In: the sources a build covers, and the names an index has for the sources of each file. Out: of
every file that the build did not make whether its sources are covered, are somebody else's, or
cannot be identified. Only the first may be removed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple

Owner = Literal["covered", "other", "unknown"]

# Between the name of a folder and a path below it, where the output stands outside of that folder.
_APART: Final = "//"
_STDIN: Final = "-"


class Scope(NamedTuple):
    """The sources that a build covers. All paths are real paths.

    Attributes:
        places: Files and folders whose jobs the build makes.
        excluded: Folders below the places that are projects of their own.
        base: Folder that an index names sources relative to: the repository, else the project;
            None where there is neither.
        project: Folder of the project, where the build makes all of it; None else. Output of an
            unknown source that stands in there is the project's.
        everything: Whether all output in the folder is of this build, whatever the rest says.
        portable: Whether the base is a repository, whose name is the same on every machine.
    """

    places: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    base: str | None = None
    project: str | None = None
    everything: bool = False
    portable: bool = True

    def name(self, folder: str, source: str) -> str:
        """The name of a source in the index of an output folder.

        It is the same on every machine and for every output folder in the repository. An output
        folder outside of it may hold the output of several: there the name begins with the
        repository's. Without a repository or project it is the path from the folder to the file.
        """
        if source == _STDIN:
            return source
        if self.base is None or not is_below(source, self.base):
            return _posix(os.path.relpath(source, folder))
        path = _posix(os.path.relpath(source, self.base))
        if is_below(folder, self.base):
            return path
        if not self.portable:
            return _posix(os.path.relpath(source, folder))
        return f"{os.path.basename(self.base)}{_APART}{path}"

    def owner(self, folder: str, names: Sequence[str]) -> Owner:
        """Whose a file of the output folder is.

        Args:
            folder: Real path of the output folder.
            names: The sources that the index has for the file; none in an index of trainc 0.1.
        """
        if self.everything:
            return "covered"
        if not names:
            own = self.project is not None and is_below(folder, self.project)
            return "covered" if own else "unknown"
        paths = [self._path(folder, name) for name in names]
        known = [path for path in paths if path is not None]
        if any(not self.covers(path) for path in known):
            return "other"
        return "covered" if len(known) == len(paths) else "unknown"

    def others(self, folder: str, names: Iterable[str]) -> list[str]:
        """Those of a file's sources that are somebody else's, so that the file stays theirs too."""
        return [name for name in names if self.owner(folder, [name]) == "other"]

    def covers(self, path: str) -> bool:
        """Whether a source is one of the build's, be it there or not."""
        return any(is_below(path, place) for place in self.places) and not any(
            is_below(path, folder) for folder in self.excluded
        )

    def _path(self, folder: str, name: str) -> str | None:
        """The path of a source by its name in an index; None where that cannot be told."""
        head, apart, path = name.partition(_APART)
        if name == _STDIN:
            return None
        if apart:
            known = self.base is not None and head == os.path.basename(self.base)
            return os.path.join(str(self.base), path) if known else None
        if name.startswith("../") or self.base is None:
            return os.path.normpath(os.path.join(folder, name))
        return os.path.join(self.base, name) if is_below(folder, self.base) else None


EVERYTHING: Final = Scope(everything=True)


def is_below(path: str, folder: str) -> bool:
    """Whether a path is a folder's or leads below it."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _posix(path: str) -> str:
    return path.replace(os.sep, "/")
