"""How long a text of ``%`` or ``format()`` can get: the widths in its fields, in any spelling.

In: a pattern. Out: characters that its fields pad to, and how many fields there are; ``ValueError``
where one is wider than a manifest needs or is as wide as an argument says.
"""

from __future__ import annotations

import re
from string import Formatter
from typing import Final

MAX_WIDTH: Final = 10_000
"""Letters that a field, an indent or a line may be wide."""

_WIDE: Final = f"a field wider than {MAX_WIDTH}"
_DIGITS: Final = re.compile(r"\d+")


def percent_fields(pattern: str) -> tuple[int, int]:
    """The fields of a pattern for ``%``, and the characters they pad to together.

    Raises:
        ValueError: A field is too wide, or an argument says how wide.
    """
    fields = widths = at = 0
    while (at := pattern.find("%", at)) >= 0:
        fields += 1
        at = _behind_key(pattern, at + 1)
        match = _SPEC.match(pattern, at)
        for digits in (match["width"], match["cut"]) if match else ():
            if digits:
                widths += _width(digits)
        at = max(match.end() if match else at, at) + 1
    return fields, widths


# What stands between a field's key and its letter.
_SPEC: Final = re.compile(r"[-#0 +]*(?P<width>\*|\d*)(?:\.(?P<cut>\*|\d*))?[hlL]?")


def _behind_key(pattern: str, at: int) -> int:
    """Where a field goes on behind its key, which may hold brackets in pairs."""
    if not pattern.startswith("(", at):
        return at
    depth = 0
    for end in range(at, len(pattern)):
        depth += {"(": 1, ")": -1}.get(pattern[end], 0)
        if not depth:
            return end + 1
    return len(pattern)


def brace_fields(pattern: str) -> tuple[int, int]:
    """The fields of a pattern for ``format()``, and the characters they pad to together.

    Raises:
        ValueError: A field is too wide, an argument says how wide, or the pattern is none.
    """
    fields = widths = 0
    for _, name, spec, _ in Formatter().parse(pattern):
        if name is None:
            continue
        fields += 1
        if spec and "{" in spec:
            raise ValueError(f"{_WIDE}, or as wide as an argument says")
        widths += sum(map(_width, _DIGITS.findall(spec or "")))
    return fields, widths


def _width(digits: str) -> int:
    width = MAX_WIDTH + 1 if digits == "*" or len(digits) > 6 else int(digits)
    if width > MAX_WIDTH:
        raise ValueError(_WIDE)
    return width
