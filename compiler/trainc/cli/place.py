"""Places as a person opens them: relative to the folder they stand in, whatever PATH was.

In: problems whose files are named relative to a project or to the folder given. Out: the same,
their files named from the current folder, or from the one before ``-C``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from trainc.errors import Problem, TraincError

# A place that a message or a hint names: FILE:LINE, the file with one of the suffixes of sources.
_PLACE: Final = re.compile(r"[^\s'\"(]+\.(?:ya?ml|json|j2)(?=:\d)")


def placed(problems: Iterable[Problem], base: str) -> list[Problem]:
    """The problems with every file that is there named from the current folder.

    Args:
        problems: As the compiler names files: relative to the base, or as they were given.
        base: Folder of the project, else the one that was given.
    """
    if os.path.realpath(base) == os.path.realpath("."):
        return [*problems]
    known: dict[str, str] = {}
    return [renamed(problem, lambda file: _from_here(file, base, known)) for problem in problems]


def renamed(problem: Problem, name: Callable[[str], str]) -> Problem:
    """The problem with another name for each file that it names."""
    mark = problem.mark
    if mark is not None:
        problem = problem._replace(mark=mark._replace(file=name(mark.file)))
    if _PLACE.search(problem.message) or _PLACE.search(problem.hint):
        message = _PLACE.sub(lambda found: name(found[0]), problem.message)
        hint = _PLACE.sub(lambda found: name(found[0]), problem.hint)
        problem = problem._replace(message=message, hint=hint)
    return problem


@contextmanager
def placing(base: str) -> Iterator[None]:
    """Names the files of errors that the block raises from the current folder."""
    try:
        yield
    except TraincError as error:
        raise TraincError(placed(error.problems, base)) from error


def _from_here(file: str, base: str, known: dict[str, str]) -> str:
    if file not in known:
        path = os.path.join(base, file)
        there = not os.path.isabs(file) and os.path.exists(path)
        here = os.path.relpath(path).replace(os.sep, "/") if there else file
        known[file] = file if here == "." else here  # "." says nothing: the project's name does
    return known[file]
