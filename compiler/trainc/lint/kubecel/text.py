"""Functions on strings: CEL's strings library (version 2), and Kubernetes' find and findAll.

Places are counted in code points, as in Go's; patterns are RE2's.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import re2  # type: ignore[import-untyped]
from celpy.celtypes import BoolType, DoubleType, IntType, ListType, StringType

from trainc.lint.kubecel.formatting import formatted, general
from trainc.lint.kubecel.overload import Overloads, Refusal
from trainc.lint.kubecel.work import MADE, spend, spend_text

# What Go's unicode.IsSpace knows.
_SPACES: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_ESCAPES: Final = str.maketrans({
    "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v",
    "\\": "\\\\", '"': '\\"',
})  # fmt: skip
_LOWER: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_UPPER: Final = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}


@lru_cache(256)
def pattern(text: str) -> Any:
    """A regular expression, or why it is none."""
    options = re2.Options()
    options.log_errors = False  # the library's own function writes on stderr
    try:
        return re2.compile(text, options)
    except re2.error as error:
        reason = error.args[0]
        reason = reason.decode() if isinstance(reason, bytes) else reason
        return f"{text!r} is no regular expression: {reason}"


def _compiled(text: str) -> Any:
    found = pattern(str(text))
    if isinstance(found, str):
        raise Refusal(found)
    return found


def _matches(text: str, regex: str) -> BoolType:
    spend_text(len(text))
    return BoolType(_compiled(regex).search(text) is not None)


def _find(text: str, regex: str) -> StringType:
    spend_text(len(text))
    found = _compiled(regex).search(text)
    return StringType(found.group(0) if found else "")


def _find_all(text: str, regex: str, most: int = -1) -> ListType:
    spend(1 + len(text))
    found: list[StringType] = []
    for each in _compiled(regex).finditer(text):
        if 0 <= most <= len(found):
            break
        spend(MADE)
        found.append(StringType(each.group(0)))
    return ListType(found)


def _char_at(text: str, place: int) -> StringType:
    if not 0 <= place <= len(text):
        raise Refusal(f"index out of range: {int(place)}")
    return StringType(text[place : place + 1])


def _index_of(text: str, part: str, start: int = 0) -> IntType:
    spend_text(len(text))
    if not part:
        return IntType(start)
    if start < 0:
        raise Refusal(f"index out of range: {int(start)}")
    return IntType(text.find(part, start))


def _last_index_of(text: str, part: str, start: int | None = None) -> IntType:
    spend_text(len(text))
    if not part:
        return IntType(len(text) if start is None else start)
    if start is None:
        return IntType(text.rfind(part))
    if start < 0:
        raise Refusal(f"index out of range: {int(start)}")
    if start >= len(text):
        return IntType(-1)
    return IntType(text.rfind(part, 0, start + len(part)))


def _replace(text: str, old: str, new: str, most: int = -1) -> StringType:
    times = len(text) + 1 if not old else text.count(old)
    spend_text(len(text) + (times if most < 0 else min(times, int(most))) * len(new))
    return StringType(str(text).replace(old, new, -1 if most < 0 else int(most)))


def _split(text: str, separator: str, most: int = -1) -> ListType:
    spend(10 * (1 + len(text)))
    if most == 0:
        return ListType([])
    if separator:
        parts = str(text).split(str(separator), -1 if most < 0 else int(most) - 1)
    else:
        cut = len(text) if most < 0 else min(int(most) - 1, len(text))
        parts = [*text[:cut], *([text[cut:]] if text[cut:] else [])]
    return ListType([StringType(part) for part in parts])


def _substring(text: str, start: int, end: int | None = None) -> StringType:
    end = len(text) if end is None else int(end)
    if not 0 <= start <= len(text) or not 0 <= end <= len(text) or start > end:
        raise Refusal(f"index out of range: {int(start)} to {end}")
    return StringType(text[start:end])


def join(values: list[Any], separator: str = "") -> StringType:
    """The strings of a list, with a separator between them."""
    if not all(isinstance(each, StringType) for each in values):
        raise Refusal("the list holds more than strings")
    spend_text(sum(map(len, values)) + len(values) * len(separator))
    return StringType(separator.join(values))


_Text = StringType
METHODS: Final[dict[str, Overloads]] = {
    "matches": {(_Text, _Text): _matches},
    "find": {(_Text, _Text): _find},
    "findAll": {(_Text, _Text): _find_all, (_Text, _Text, IntType): _find_all},
    "charAt": {(_Text, IntType): _char_at},
    "indexOf": {(_Text, _Text): _index_of, (_Text, _Text, IntType): _index_of},
    "lastIndexOf": {(_Text, _Text): _last_index_of, (_Text, _Text, IntType): _last_index_of},
    "lowerAscii": {(_Text,): lambda text: _Text(text.translate(_LOWER))},
    "upperAscii": {(_Text,): lambda text: _Text(text.translate(_UPPER))},
    "replace": {(_Text, _Text, _Text): _replace, (_Text, _Text, _Text, IntType): _replace},
    "split": {(_Text, _Text): _split, (_Text, _Text, IntType): _split},
    "substring": {(_Text, IntType): _substring, (_Text, IntType, IntType): _substring},
    "trim": {(_Text,): lambda text: _Text(text.strip(_SPACES))},
    "join": {(ListType,): join, (ListType, _Text): join},
    "format": {(_Text, ListType): formatted},
    "string": {
        (BoolType,): lambda value: _Text("true" if value else "false"),
        (DoubleType,): lambda value: _Text(general(float(value))),
    },
}
NAMESPACED: Final[dict[str, Overloads]] = {
    "strings.quote": {(_Text,): lambda text: _Text(f'"{text.translate(_ESCAPES)}"')},
}
