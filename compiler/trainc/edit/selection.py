"""Which files a command edits.

In: the paths of the command line. Out: files to read, those of a folder and those given by name.
Left out are templates, JSON, the output of a build, and in folders what the project excludes.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from trainc.errors import Problem, TraincError
from trainc.names import OUTPUT_INDEX
from trainc.project.file import project
from trainc.source.files import STDIN, File, find
from trainc.source.reader import PROJECT_FILE
from trainc.source.walk import printable, project_root

_SUFFIXES = (".yaml", ".yml")


def selected(paths: Sequence[str]) -> list[File]:
    """The YAML files that paths lead to, in the order of their names.

    Raises:
        TraincError: A path cannot be read, or ``trainc.yaml`` is wrong.
    """
    start = next((path for path in paths if path != STDIN), ".")
    root = project_root(start if os.path.isdir(start) else os.path.dirname(start) or ".")
    known = None if root is None else project(root)
    output = None if known is None else os.path.join(known.root, known.output)
    exclude = () if known is None else known.exclude
    below: list[str] = []
    files, problems = find(paths, root=root, exclude=exclude, output_dir=output, projects=below)
    _stop_at(problems)
    own = [*(file for file in files if _is_edited(file)), *_settings(paths)]
    return [*own, *(file for folder in sorted(below) for file in _of_project(folder))]


def _of_project(folder: str) -> list[File]:
    """The files of a project below, named from here."""
    files = selected([os.path.relpath(folder)])
    return [file._replace(name=printable(os.path.relpath(file.path))) for file in files]


def _settings(paths: Sequence[str]) -> list[File]:
    """The project files of the folders: a search for sources leaves them out."""
    found = {os.path.realpath(path): os.path.join(path, PROJECT_FILE) for path in paths}
    places = [path for path in found.values() if os.path.isfile(path)]
    return [File(path, printable(os.path.normpath(path)), True) for path in places]


def _stop_at(problems: Sequence[Problem]) -> None:
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise TraincError(errors)


def _is_edited(file: File) -> bool:
    if file.path == STDIN:
        return True
    if not file.path.endswith(_SUFFIXES):
        return False
    return not file.named or not _is_output(os.path.realpath(file.path))


def _is_output(path: str) -> bool:
    """Whether a build wrote a folder the file is in."""
    folder = os.path.dirname(path)
    while folder != os.path.dirname(folder):
        if os.path.exists(os.path.join(folder, OUTPUT_INDEX)):
            return True
        folder = os.path.dirname(folder)
    return False
