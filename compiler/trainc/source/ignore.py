"""Which files of a project are not for trainc: ``exclude:`` and ``.traincignore``.

In come patterns as git writes them in ``.gitignore``, out goes yes or no for a path. The
matching itself is pathspec's; it is imported only where there are patterns.
"""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from trainc import codes
from trainc.errors import Mark, Problem
from trainc.source.reader import IGNORE_FILE, Boundary, Reader, RefusedError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_MOST: Final = 2000
"""Patterns of one file: each is tried on each path."""


class Rules(NamedTuple):
    """The patterns that hold below one folder."""

    folder: str
    spec: "GitIgnoreSpec"


def ignored(path: str, is_folder: bool, rules: Sequence[Rules]) -> bool:
    """Whether a path is left out; of rules that disagree the last ones, the nearest, decide.

    Args:
        path: Absolute, below the folder of each of the rules.
        is_folder: Patterns that end in a slash match folders alone.
        rules: From the project's root downwards.
    """
    verdict = False
    for folder, spec in rules:
        relative = _text(os.path.relpath(path, folder).replace(os.sep, "/"))
        found = spec.check_file(f"{relative}/" if is_folder else relative).include
        verdict = verdict if found is None else found
    return verdict


def _text(path: str) -> str:
    """A path as patterns are written, in UTF-8, whatever the locale says and its bytes are."""
    return path if path.isascii() else os.fsencode(path).decode("utf-8", "replace")


def lines_of(
    folder: str, name: str, problems: list[Problem], reader: Reader, boundary: Boundary
) -> list[str] | None:
    """Returns the lines of the folder's ``.traincignore``, None where there is none.

    Args:
        folder: Its real path.
        name: The ignore file's name as it is printed.
        problems: Takes what is wrong with the file.
        reader: Opens it.
        boundary: What it must not lead out of.
    """
    path = os.path.join(folder, IGNORE_FILE)
    try:
        data = reader.read(path, boundary)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except RefusedError as error:
        problems.append(Problem(error.message, codes.PROJECT, Mark(name), hint=error.hint))
        return None
    except OSError as error:
        if os.path.lexists(path):  # else the folder is closed, which the search reports
            problems.append(Problem(f"cannot be read: {error.strerror}", codes.PROJECT, Mark(name)))
        return None
    return data.decode("utf-8", "surrogateescape").splitlines()


def compiled(
    folder: str, patterns: Sequence[str], name: str, problems: list[Problem]
) -> list[Rules]:
    """Returns the patterns as rules of a folder: none, or one.

    Args:
        folder: Its absolute path.
        patterns: One a line, as in ``.gitignore``.
        name: Where they stand, as it is printed.
        problems: Takes the patterns that are none.
    """
    if len(patterns) > _MOST:
        mark = Mark(name, _MOST + 1, 1) if name else None
        hint = "ignore a folder instead of each file in it"
        problems.append(Problem(f"more than {_MOST} patterns", codes.PROJECT, mark, hint=hint))
        return []
    from pathspec import GitIgnoreSpec

    good: list[str] = []
    for number, line in enumerate(patterns, start=1):
        try:
            GitIgnoreSpec.from_lines([line])
            good.append(line)
        except ValueError:
            mark = Mark(name, number, 1) if name else None
            problems.append(
                Problem(f"{line!r} is no pattern", codes.PROJECT, mark, hint="see `man gitignore`")
            )
    return [Rules(folder, GitIgnoreSpec.from_lines(good, backend="simple"))]
