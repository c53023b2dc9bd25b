"""``"...%s...".format([...])`` of CEL's strings library."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from celpy.celtypes import (
    BoolType,
    BytesType,
    DoubleType,
    DurationType,
    IntType,
    ListType,
    MapType,
    StringType,
    TimestampType,
    UintType,
)

from trainc.lint.kubecel.overload import Refusal
from trainc.lint.kubecel.work import spend_text

_CLAUSE: Final = re.compile(r"%(?:%|(?:\.(\d{1,3}))?([a-zA-Z]))")
_RAISED: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_MOST: Final = 100  # digits behind the point


def formatted(template: StringType, values: list[Any]) -> StringType:
    """The template with each clause replaced by the next value; ``%%`` is one ``%``."""
    left = iter(values)
    text = "".join(_parts(str(template), left, len(values)))
    return StringType(text)


def _parts(template: str, left: Iterator[Any], count: int) -> Iterator[str]:
    end = 0
    used = 0
    for found in _CLAUSE.finditer(template):
        between = template[end : found.start()]
        if "%" in between:
            raise Refusal(f"no clause that can be read: {template[end:]!r}")
        yield between
        end = found.end()
        if found[2] is None:
            yield "%"
            continue
        used += 1
        if used > count:
            raise Refusal(f"there is no value {used} for {found[0]}")
        yield _clause(next(left), found[2], found[1])
    if "%" in template[end:]:
        raise Refusal(f"no clause that can be read: {template[end:]!r}")
    yield template[end:]


def _clause(value: Any, verb: str, precision: str | None) -> str:
    digits = 6 if precision is None else int(precision)
    if digits > _MOST:
        raise Refusal(f"more than {_MOST} digits")
    if verb == "s":
        return shown(value)
    if verb == "d" and _is_whole(value):
        return str(int(value))
    if verb in "fe" and isinstance(value, DoubleType):
        return _scientific(float(value), digits) if verb == "e" else f"{value:.{digits}f}"
    if verb == "b" and isinstance(value, BoolType | IntType | UintType):
        return f"{int(value):b}"
    if verb == "o" and _is_whole(value):
        return f"{int(value):o}"
    if verb in "xX":
        text = _hexadecimal(value)
        return text.upper() if verb == "X" else text
    raise Refusal(f"%{verb} takes no {type(value).__name__.removesuffix('Type').lower()}")


def _is_whole(value: Any) -> bool:
    return isinstance(value, IntType | UintType)


def _hexadecimal(value: Any) -> str:
    if _is_whole(value):
        return f"{int(value):x}"
    if isinstance(value, StringType):
        return value.encode().hex()
    if isinstance(value, BytesType):
        return bytes(value).hex()
    raise Refusal(f"%x takes no {type(value).__name__.removesuffix('Type').lower()}")


def _scientific(value: float, width: int) -> str:
    """A number as Go's printer of English has it, which takes the precision for a width."""
    number, _, power = f"{value:e}".partition("e")
    sign, digits = power[0].removeprefix("+"), power[1:]
    return f"{number}×10{(sign + digits).translate(_RAISED)}".rjust(width)


def shown(value: Any) -> str:
    """A value as ``%s`` has it."""
    spend_text(len(value) if isinstance(value, str) else 0)
    if value is None:
        return "null"
    if isinstance(value, BoolType):
        return "true" if value else "false"
    if isinstance(value, StringType):
        return str(value)
    if isinstance(value, BytesType):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, DoubleType):
        return _double(float(value))
    if isinstance(value, ListType):
        return f"[{', '.join(map(_nested, value))}]"
    if isinstance(value, MapType):
        pairs = sorted((_nested(key), _nested(item)) for key, item in value.items())
        return "{" + ", ".join(f"{key}:{item}" for key, item in pairs) + "}"
    if isinstance(value, IntType | UintType | TimestampType | DurationType):
        return str(value)
    raise Refusal(f"%s takes no {type(value).__name__.removesuffix('Type').lower()}")


def _nested(value: Any) -> str:
    """A value inside another: there, strings have quotes, and numbers six places."""
    if isinstance(value, StringType):
        spend_text(len(value))
        return f'"{value}"'
    return f"{value:f}" if isinstance(value, DoubleType) else shown(value)


def general(value: float) -> str:
    """A number as Go's ``strconv.FormatFloat(value, 'g', -1, 64)`` has it."""
    if value != value or value in (float("inf"), float("-inf")):
        return {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}[str(value)]
    sign, digits, power = Decimal(repr(value)).as_tuple()
    text = "".join(map(str, digits)).rstrip("0") or "0"
    place = len(digits) + int(power)  # of the point
    minus = "-" if sign else ""
    if text == "0":
        return f"{minus}0"
    if not _SMALLEST < place <= _LARGEST:
        rest = f".{text[1:]}" if len(text) > 1 else ""
        return f"{minus}{text[0]}{rest}e{place - 1:+03d}"
    if place <= 0:
        return f"{minus}0.{'0' * -place}{text}"
    whole = text[:place].ljust(place, "0")
    return f"{minus}{whole}{'.' if text[place:] else ''}{text[place:]}"


_SMALLEST: Final = -4  # places of the point between which numbers have no exponent
_LARGEST: Final = 6


def _double(value: float) -> str:
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e21 else repr(value)
