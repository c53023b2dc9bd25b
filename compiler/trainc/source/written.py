"""What stands in the file: a hint on a scalar quotes the author's own text, not YAML's value.

In: a problem, and the lines of its file. Out: the same problem; where it asks for quotes, with the
text as it is written. ``1.10`` is the number 1.1 to YAML, ``0644`` is 420 and ``n`` is false.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from trainc.errors import Problem
from trainc.source.composed import RenderedMark
from trainc.source.files import STDIN, File, read
from trainc.source.parse import parse

QUOTES: Final = "put it in quotes"

# A key and its colon in front of a plain scalar, and the scalar up to what ends it.
_KEY: Final = re.compile(r"(?:- +)?(?:\"[^\"]*\"|'[^']*'|[^\s:{}\[\],][^:{}\[\],]*):[ \t]+")
_SCALAR: Final = re.compile(
    r"[^\s,{}\[\]#\"'&!*|>][^,{}\[\]\"'\n]*?(?=[ \t]*(?:[,}\]]|[ \t]#|\r?$))"
)
_SHOWN: Final = 80  # characters; a longer scalar is no number anybody wrote


def lines_of(
    problems: Sequence[Problem], paths: Mapping[str, Sequence[str]]
) -> Callable[[str], Sequence[str]]:
    """Reads the lines of files that problems name; of templates none, they are not what was parsed.

    Args:
        problems: Where a problem is in a template its mark is a ``RenderedMark``.
        paths: Real paths of each printed name.
    """
    rendered = {each.mark.file for each in problems if isinstance(each.mark, RenderedMark)}

    def lines(file: str) -> list[str]:
        places = paths.get(file, ())
        if file in rendered or len(places) != 1 or places[0] == STDIN:
            return []
        data = read(File(places[0], file, False))
        return [] if isinstance(data, Problem) else data.decode("utf-8", "replace").split("\n")

    return lines


def as_written(problems: Sequence[Problem], lines: Callable[[str], Sequence[str]]) -> list[Problem]:
    """The problems, those that ask for quotes with the text that stands in the file.

    Args:
        problems: Of any kind.
        lines: The lines of a file by its printed name; none where it cannot be read.
    """
    return [
        _quoted(each, lines(each.mark.file)) if each.mark and each.hint.startswith(QUOTES) else each
        for each in problems
    ]


def _quoted(problem: Problem, lines: Sequence[str]) -> Problem:
    mark = problem.mark
    if mark is None or not 0 < mark.line <= len(lines):
        return problem
    text = _scalar(lines[mark.line - 1][max(mark.column - 1, 0) :])
    if not text:
        return problem
    documents, wrong = parse(text.encode(), "")
    value = documents[0].root if documents and not wrong else None
    if not isinstance(value, bool | int | float):
        return problem
    kind = "a boolean" if isinstance(value, bool) else "a number"
    head, got, rest = problem.message.partition(", got ")
    if not got:
        return problem
    after = rest[rest.index(" (") :] if " (" in rest else ""
    message = f"{head}, got {text}, which YAML reads as {kind}{after}"
    _, others, more = problem.hint.partition("; ")
    if "without, YAML reads" in more:
        others = more = ""
    return problem._replace(message=message, hint=f'{QUOTES}: "{text}"{others}{more}')


def _scalar(line: str) -> str:
    """The plain scalar that a place points at, behind its key where there is one."""
    key = _KEY.match(line)
    found = _SCALAR.match(line, key.end() if key else 2 if line.startswith("- ") else 0)
    return found[0] if found and len(found[0]) <= _SHOWN else ""
