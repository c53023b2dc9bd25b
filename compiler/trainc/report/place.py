"""Places as a code host knows them: relative to the repository, wherever the project is in it.

In: problems, whose files are named as people read them, and the folders these names may be relative
to. Out: the same problems, their files relative to the folder that holds ``.git``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from trainc.errors import Problem


def in_repository(problems: Sequence[Problem], folders: Sequence[str]) -> list[Problem]:
    """The problems at the places of a repository.

    Args:
        problems: As they are printed.
        folders: Where their files may be, the likeliest first; then the current folder.
    """
    known = {each.mark.file for each in problems if each.mark is not None}
    places = {file: _place(file, [*folders, os.getcwd()]) for file in known}
    return [each if each.mark is None else _at(each, places[each.mark.file]) for each in problems]


def _at(problem: Problem, file: str) -> Problem:
    return problem._replace(mark=problem.mark and problem.mark._replace(file=file))


def _place(file: str, folders: Sequence[str]) -> str:
    """The file relative to its repository; what is no file, and one in none, as it is called."""
    for folder in folders:
        real = os.path.realpath(os.path.join(folder, file))
        if os.path.exists(real):
            root = _repository(os.path.dirname(real))
            return os.path.relpath(real, root).replace(os.sep, "/") if root else file
    return file


def _repository(folder: str) -> str:
    """The nearest folder at or above that holds ``.git``, a folder or a file; empty for none."""
    while not os.path.exists(os.path.join(folder, ".git")):
        folder, below = os.path.dirname(folder), folder
        if folder == below:
            return ""
    return folder
