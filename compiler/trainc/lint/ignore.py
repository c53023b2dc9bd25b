"""``# trainc: ignore[TRC101] reason``: findings a person has looked at and wants no more.

In: findings, and the folders their files are named from. Out: those that stay. A comment beside a
line covers it and what is indented below it; alone on a line, it does so for the next line; before
the first key of a document, for the whole document.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final, NamedTuple

from trainc.errors import Problem
from trainc.lint.explanation import UNSPARED
from trainc.lint.refusals import is_refusal
from trainc.source.reader import Reader, RefusedError

_COMMENT: Final = re.compile(r"(?:^|\s)#\s*trainc:\s*ignore\[([\w,./ -]+)\]")


class _Cover(NamedTuple):
    """Lines, counted from 1, in which some codes are not told."""

    codes: frozenset[str]
    first: int
    last: int


def told(problems: Iterable[Problem], folders: Sequence[str]) -> list[Problem]:
    """The problems without those that a comment in their file takes away.

    Args:
        problems: All problems of a build; what refuses it cannot be taken away.
        folders: What printed file names may be relative to, nearest first.
    """
    return [problem for problem in problems if not _is_ignored(problem, tuple(folders))]


def covered(problems: Iterable[Problem], text: str) -> list[Problem]:
    """The problems without those that a comment in the text they are about takes away.

    Args:
        problems: With marks in that text.
        text: What was read.
    """
    found = covers(text) if "trainc:" in text else ()
    return [each for each in problems if not (found and _is_covered(each, found))]


def _is_ignored(problem: Problem, folders: tuple[str, ...]) -> bool:
    if not _is_advice(problem) or problem.mark is None:
        return False
    return _is_covered(problem, _covers(problem.mark.file, folders))


def _is_covered(problem: Problem, found: tuple[_Cover, ...]) -> bool:
    if not _is_advice(problem) or problem.mark is None:
        return False
    line = problem.mark.line
    return any(problem.code in cover.codes and cover.first <= line <= cover.last for cover in found)


def _is_advice(problem: Problem) -> bool:
    """Whether a person may know better: lints, rules of a team, what is no error."""
    if problem.code in UNSPARED:
        return False
    return problem.severity != "error" or not is_refusal(problem.code)


@cache
def _covers(file: str, folders: tuple[str, ...]) -> tuple[_Cover, ...]:
    for folder in folders:
        try:
            data = Reader().read(os.path.join(folder, file))
        except (OSError, ValueError, RefusedError):
            continue
        return covers(data.decode("utf-8", "replace").replace("\r\n", "\n"))
    return ()


def covers(text: str) -> tuple[_Cover, ...]:
    """What the comments of a text cover."""
    lines = text.split("\n")
    found = []
    for index, line in enumerate(lines):
        match = _COMMENT.search(line)
        if match is None:
            continue
        codes = frozenset(code.strip() for code in match[1].split(","))
        target = index if line[: match.start()].strip() else _next(lines, index)
        if target == index or not _starts_document(lines, index):
            last = _block_end(lines, target)
        else:
            last = _document_end(lines, target)
        found.append(_Cover(codes, target + 1, last + 1))
    return tuple(found)


def _is_content(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _next(lines: list[str], index: int) -> int:
    """The next line that is no comment."""
    return next((i for i in range(index, len(lines)) if _is_content(lines[i])), index)


def _starts_document(lines: list[str], index: int) -> bool:
    """Whether only comments stand between here and the start of the document."""
    for line in reversed(lines[:index]):
        if line.startswith("---"):
            return True
        if _is_content(line):
            return False
    return True


def _block_end(lines: list[str], first: int) -> int:
    """The last line of what is indented below a line; a list may stand at its key's own column."""
    indent = _indent(lines[first])
    is_item = lines[first].lstrip().startswith("- ")
    last = first
    for index in range(first + 1, len(lines)):
        line = lines[index]
        if not _is_content(line):
            continue
        deeper = _indent(line) > indent
        own_item = _indent(line) == indent and line.lstrip().startswith("-") and not is_item
        if line.startswith("---") or not (deeper or own_item):
            break
        last = index
    return last


def _document_end(lines: list[str], first: int) -> int:
    ends = (i for i in range(first + 1, len(lines)) if lines[i].startswith("---"))
    return next(ends, len(lines)) - 1


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
