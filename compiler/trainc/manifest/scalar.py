"""The text of one YAML scalar, chosen so that every reader makes the same value of it.

In: a str, int, float, bool or None. Out: the text that stands behind ``key:`` or ``-``.
YAML 1.1 (PyYAML, libyaml), YAML 1.2 (ruamel) and Go (sigs.k8s.io/yaml) retype different words:
``y``, ``010``, ``0o7``, ``1e3``, ``12:30:45``, ``2024-01-15``. So plain text is the exception here:
only what none of them retypes is left without quotes.
"""

import math
import re
from functools import cache
from typing import NamedTuple

# Words that at least one reader turns into a bool, a null or a float, in any case.
_WORD = re.compile(r"(?i:true|false|yes|no|on|off|y|n|null|-?inf|-?infinity|-?nan)")

# Begins with a letter, a flag, a path or a variable; ": " and " #" cannot occur in it. No such
# text looks like a number or a date to any reader.
_PLAIN = re.compile(
    r"(?:[A-Za-z/$]|--?[A-Za-z]|\.\.?/)"
    r"(?:[A-Za-z0-9_./@$()+=~%,;-]"
    r"|:(?=[A-Za-z0-9_./@$()-])"
    r"| (?=[A-Za-z0-9_./@$()+=~%,;-]))*"
)
# 250m, 1.5Gi: the suffix keeps every reader from taking it for a number.
_QUANTITY = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:m|k|Ki|[MGTP]i?|Ei)")

# A literal block is exact unless it begins with blanks (the indentation is then a guess), ends
# with several breaks (splitters of streams eat them) or has a line of nothing but blanks.
_INEXACT = re.compile(r"\A[ \t\n]|\n\n\Z|^[ \t]+$", re.MULTILINE)

_BLANKS = str.maketrans("\n\t", "  ")
_ESCAPED_ASCII = re.compile(r"[^ !#-\[\]-~]")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}

# Longer text is rarely repeated, so it is not worth keeping.
_KEPT_LENGTH = 256
_KEPT = 8192


class _Inline(dict[str, str]):
    """Text -> the text on one line; a table, because a look-up is a third of a cached call."""

    def __missing__(self, text: str) -> str:
        """Works the text out and keeps it, if it is short."""
        out = _inline(text)
        if len(text) <= _KEPT_LENGTH:
            if len(self) >= _KEPT:
                self.clear()
            self[text] = out
        return out


# inline[text]: the text on one line, a blank before it; empty where it wants a literal block.
# Raises ValueError on a lone surrogate, which no encoding of YAML can carry.
inline = _Inline()


def _inline(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return f' "{text}"' if _WORD.fullmatch(text) else f" {text}"
    if _QUANTITY.fullmatch(text):
        return f" {text}"
    if "\n" in text and not _INEXACT.search(text) and _is_raw(text.translate(_BLANKS)):
        return ""
    return f" {quoted(text)}"


def literal(text: str, pad: str) -> str:
    """The text as a literal block under a parent at ``pad``; where ``inline[text]`` is empty."""
    indicator, body = (" |", text[:-1]) if text.endswith("\n") else (" |-", text)
    return indicator + "".join(f"\n{pad}  {line}" if line else "\n" for line in body.split("\n"))


def quoted(text: str) -> str:
    """The text in quotes on one line: single ones where that saves escapes."""
    if ('"' in text or "\\" in text) and _is_raw(text):
        return "'" + text.replace("'", "''") + "'"
    if text.isascii():
        return '"' + _ESCAPED_ASCII.sub(_escape, text) + '"'
    if _wide().surrogate.search(text):
        raise ValueError(f"a lone surrogate cannot be printed: {text!a}")
    return '"' + _wide().escaped.sub(_escape, text) + '"'


def _is_raw(text: str) -> bool:
    """Whether every character may stand in a YAML stream as it is; no breaks, no tabs."""
    return text.isprintable() if text.isascii() else not _wide().special.search(text)


class _Wide(NamedTuple):
    """Patterns over all of Unicode: they cost 15 ms to compile, and most builds are ASCII."""

    special: re.Pattern[str]
    escaped: re.Pattern[str]
    surrogate: re.Pattern[str]


@cache
def _wide() -> _Wide:
    raw = r"\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff"
    patterns = (f"[^{raw}]", rf'["\\]|[^{raw}]', "[\ud800-\udfff]")
    return _Wide(*map(re.compile, patterns))


def _escape(match: re.Match[str]) -> str:
    """One character as YAML escapes it; never as a pair of JSON's surrogates."""
    character = match[0]
    code = ord(character)
    if character in _ESCAPES:
        return _ESCAPES[character]
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def atom(value: object) -> str:
    """A number, a bool, a null or an empty collection, a blank before it.

    Raises:
        TypeError: A value that JSON does not have.
        ValueError: Infinity or not-a-number, which JSON does not have either.
    """
    if value is None:
        return " null"
    if isinstance(value, bool):
        return " true" if value else " false"
    if isinstance(value, int):
        return f" {value}"
    if isinstance(value, float):
        return f" {_number(value)}"
    if isinstance(value, dict | list) and not value:
        return " {}" if isinstance(value, dict) else " []"
    raise TypeError(f"cannot print a {type(value).__name__}")


def _number(value: float) -> str:
    """A float with a point, which YAML 1.1 needs to see a number in ``1e+22``."""
    if not math.isfinite(value):
        raise ValueError(f"cannot print {value}")
    text = repr(value)
    mantissa, exponent, power = text.partition("e")
    return f"{mantissa}.0e{power}" if exponent and "." not in mantissa else text
