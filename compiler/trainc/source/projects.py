"""Projects below a folder: each is built as the project it is, never read as plain sources.

In: a folder. Out: the folders below it that hold a ``trainc.yaml``, at any depth.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from trainc.names import OUTPUT_INDEX
from trainc.source.ignore import Rules, compiled, ignored, lines_of
from trainc.source.reader import IGNORE_FILE, PROJECT_FILE, Reader


def is_project(folder: str) -> bool:
    """Whether a folder holds a project file."""
    return os.path.isfile(os.path.join(folder, PROJECT_FILE))


def projects_below(top: str, exclude: Sequence[str] = ()) -> list[str]:
    """The folders of projects below a folder, real paths, sorted; not the folder itself.

    Left out are hidden folders, rendered output, what ``exclude`` or a ``.traincignore`` names,
    and what is reached by links alone. A folder that cannot be read is for the search for sources
    to report.

    Args:
        top: The folder.
        exclude: Patterns as in ``.gitignore``, relative to it.
    """
    reader = Reader()
    boundary = reader.boundary(top)
    top = os.path.realpath(top)
    found: list[str] = []
    waiting: list[tuple[str, list[Rules]]] = [
        (top, compiled(top, exclude, "", []) if exclude else [])
    ]
    while waiting:
        folder, rules = waiting.pop()
        try:
            with os.scandir(folder) as listing:
                entries = list(listing)
        except OSError:
            continue
        names = {entry.name for entry in entries}
        if OUTPUT_INDEX in names and folder != top:
            continue
        if PROJECT_FILE in names and folder != top:
            found.append(folder)
        if IGNORE_FILE in names:
            lines = lines_of(folder, IGNORE_FILE, [], reader, boundary)
            rules = rules if lines is None else rules + compiled(folder, lines, IGNORE_FILE, [])
        waiting += [
            (entry.path, rules)
            for entry in entries
            if entry.is_dir(follow_symlinks=False)
            and not entry.name.startswith(".")
            and not ignored(entry.path, True, rules)
        ]
    return sorted(found)
