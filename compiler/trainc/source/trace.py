"""The frames of templates: the line that an error is told at, and how deep they stand.

In: an exception that came through templates. Out: a place in one of them. Knows nothing of Jinja2
but that its frames are named by the template and its lines, and the outermost of each is "root".
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Container
from typing import Final

from trainc.errors import Mark

# What is said of a name that nobody set.
_NAMED: Final = re.compile(r"no value '([^']+)'|'([^']+)' is not defined")


def told_at(
    error: BaseException, read: Callable[[str], str | None], seen: Container[str], name: str
) -> Mark:
    """The innermost line of a template that an error came through.

    What is not defined may have been handed to a macro, which names it otherwise: then it is the
    innermost line that has the name.

    Args:
        error: As it was raised.
        read: Gives the text of a template by its name.
        seen: The names of the templates that were rendered.
        name: The one that was asked for.
    """
    places = [Mark(name)]
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file in seen:
            places.append(Mark(file, trace.tb_lineno, 1))
        trace = trace.tb_next
    named = _NAMED.match(str(error))
    word = re.compile(rf"(?<!\w){re.escape(named[1] or named[2])}(?!\w)") if named else None
    saying = [place for place in places if word and word.search(_line(read, place))]
    return (saying or places)[-1]


def _line(read: Callable[[str], str | None], place: Mark) -> str:
    lines = (read(place.file) or "").split("\n")
    return lines[place.line - 1] if 0 < place.line <= len(lines) else ""


def depth() -> int:
    """How many templates are being rendered inside one another."""
    count, frame = 0, sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        count += frame.f_code.co_name == "root"
    return count
