"""What a YAML scalar means to Kubernetes: the rules of ``sigs.k8s.io/yaml``, number for number.

In comes the text of a scalar, out goes the value an API server would see after kubectl sent it
as JSON. No Python loader agrees with kubectl here (``y`` is true, ``010`` is 8, ``1e3`` is the
integer 1000, ``0o7`` is 7, ``1e400`` is a string), so the rules are written out.

Source: ``resolve.go`` and ``decode.go`` of go.yaml.in/yaml/v2, ``convertToJSONableObject`` of
sigs.k8s.io/yaml v1.6.0, and the decoder of sigs.k8s.io/json, which reads a number without point
and exponent that fits int64 as an integer, and every other as a float64.
"""

from __future__ import annotations

import functools
import re
from typing import Final

Scalar = str | int | float | bool | None

_WORDS: Final[dict[str, bool | float | None]] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE"), True),
    **dict.fromkeys(("on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE"), False),
    **dict.fromkeys(("off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}
# With these every scalar begins that is more than a plain word; a number's sign is followed by
# one of the second set.
_HINTS: Final = frozenset("+-.0123456789yYnNtTfFoO~")
_SECOND: Final = frozenset("0123456789._")
_DIGITS: Final = frozenset("0123456789")
_INFINITIES: Final = (float("inf"), float("-inf"))
_INT64_MIN: Final = -(1 << 63)
_INT64_MAX: Final = (1 << 63) - 1
_UINT64_MAX: Final = (1 << 64) - 1
# No integer of 64 bits has more digits, in any base. Python refuses to read very long ones.
_MOST_DIGITS: Final = 64
# Below this a float64 that is whole prints all its digits, so int() is exact.
_WHOLE_FLOAT: Final = 1e15

_TAG: Final = "tag:yaml.org,2002:"
MERGE_TAG: Final = _TAG + "merge"
_STRING, _BINARY, _TIME = _TAG + "str", _TAG + "binary", _TAG + "timestamp"
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    _TAG + "null": (type(None),),
    _TAG + "bool": (bool,),
    _TAG + "int": (int,),
    _TAG + "float": (float, int),
}
TAGS: Final = frozenset(("!", _STRING, _BINARY, _TIME, MERGE_TAG, *_TYPES))
"""The tags a scalar may carry."""
CONTAINER_TAGS: Final[dict[type, tuple[str, ...]]] = {
    dict: ("!", _TAG + "map"),
    list: ("!", _TAG + "seq"),
}
"""The tags a mapping and a list may carry; they say what is so anyway."""


def resolve(text: str) -> Scalar:
    """Returns the value of a plain scalar as JSON would carry it to the API server.

    Infinities and NaN are returned as such; JSON has none, so the caller refuses them.
    """
    return as_json(plain(text))


def plain(text: str) -> Scalar:
    """Returns the value of a plain scalar as YAML knows it: 1e3 is a float, 2**64 - 1 an int."""
    if text and text[0] not in _HINTS:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if text[0] == ".":
        return _finite(text, text) if _point_float().fullmatch(text) else text
    if text[0] in _DIGITS or (text[0] in "+-" and text[1:2] in _SECOND):
        return _number(text)
    return text


def tagged(tag: str, text: str) -> Scalar:
    """Returns the value of a scalar with an explicit tag, quoted or not, as YAML knows it.

    Args:
        tag: One of ``TAGS``.
        text: The scalar's text.

    Raises:
        ValueError: The text is none of that type.
    """
    if tag in ("!", _STRING, MERGE_TAG):
        return text
    if tag == _BINARY:
        return _binary(text)
    if tag == _TIME:
        # kubectl keeps a time as the text it was written as.
        if _is_time(text):
            return text
    else:
        value = plain(text)
        if type(value) in _TYPES[tag]:
            return _as_float(value) if tag == _TAG + "float" else value
    raise ValueError(f"{text!r} is no {short_tag(tag)}")


def key_text(value: Scalar) -> str | None:
    """Returns a mapping key as the string kubectl makes of it; None where it refuses."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        # kubectl knows no key of an unsigned type: "unsupported map key of type: uint64".
        return str(value) if value <= _INT64_MAX else None
    return _float_key(value) if isinstance(value, float) else value


def as_json(value: Scalar) -> Scalar:
    """Returns a value as it comes out of Go's JSON writer and the API server's JSON reader."""
    if isinstance(value, int):
        # True and False are ints to Python, and within the bounds.
        return value if _INT64_MIN <= value <= _INT64_MAX else float(value)
    if not isinstance(value, float) or not value.is_integer():
        return value
    if -_WHOLE_FLOAT < value < _WHOLE_FLOAT:
        return int(value)
    number = _shortest_integer(value)
    return number if _INT64_MIN <= number <= _INT64_MAX else value


def is_json(value: Scalar) -> bool:
    """Whether JSON can hold the value: it has neither infinities nor NaN."""
    return not isinstance(value, float) or value - value == 0


def short_tag(tag: str) -> str:
    """Returns a tag as it is written in a file; on one line, whatever its escapes hide."""
    text = f"!!{tag.removeprefix(_TAG)}" if tag.startswith(_TAG) else tag
    return text if text.isprintable() else repr(text)


def _number(text: str) -> Scalar:
    """The value of what begins like a number, or the text itself where it is none."""
    bare = text.replace("_", "")
    integer = _integer(bare)
    if integer is not None:
        return integer
    return _finite(bare, text) if _decimal_float().fullmatch(bare) else text


def _integer(bare: str) -> int | None:
    """Go's ``ParseInt(bare, 0, 64)``, then ``ParseUint``: None where neither reads it."""
    match = _go_integer().fullmatch(bare)
    if match is None:
        return None
    name = match.lastgroup or "decimal"
    digits = match[name].lstrip("0") or "0"
    if len(digits) > _MOST_DIGITS:
        return None
    value = int(digits, _BASES[name])
    if match["sign"]:
        # ParseUint takes no sign, so only a number without one may use the 64th bit.
        value = -value if match["sign"] == "-" else value
        return value if _INT64_MIN <= value <= _INT64_MAX else None
    return value if value <= _UINT64_MAX else None


def _finite(number: str, text: str) -> float | str:
    """The float64, or the text where it is too large for one: Go then keeps a string."""
    value = float(number)
    return text if value in _INFINITIES else value


def _as_float(value: Scalar) -> Scalar:
    """Go makes a float of an int, and refuses an unsigned one."""
    if isinstance(value, int) and value > _INT64_MAX:
        raise ValueError(f"{value} is no !!float")
    return float(value) if isinstance(value, int) else value


def _binary(text: str) -> str:
    import base64

    compact = text.replace("\n", "").replace("\r", "")
    try:
        return base64.b64decode(compact, validate=True).decode()
    except ValueError:
        raise ValueError("!!binary must hold base64 of UTF-8 text") from None


def _is_time(text: str) -> bool:
    match = _time().fullmatch(text)
    if match is None:
        return False
    year, month, day = (int(part) for part in match.group(1, 2, 3))
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = (31, 28 + leap, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return 1 <= month <= 12 and 1 <= day <= days[month - 1]


def _shortest_integer(value: float) -> int:
    """The integer Go's JSON writer prints: the shortest digits that round-trip, then zeros."""
    mantissa, _, exponent = f"{value!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    if not exponent:
        return int(whole)
    return int(whole + fraction + "0" * (int(exponent) - len(fraction)))


def _float_key(value: float) -> str:
    """Go's ``FormatFloat(value, 'g', -1, 32)``, by which kubectl makes a key of a number."""
    import struct

    try:
        single: float = struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:
        single = value * float("inf")
    if not is_json(single):
        return ".nan" if single != single else ".inf" if single > 0 else "-.inf"
    texts = (f"{single:.{precision}e}" for precision in range(9))
    return _general(
        next(
            text for text in texts if struct.unpack("f", struct.pack("f", float(text)))[0] == single
        )
    )


def _general(text: str) -> str:
    """A number in exponent form as Go's shortest ``%g`` prints it: exponents from 6 on stay."""
    mantissa, _, power = text.partition("e")
    exponent = int(power)
    sign = "-" if mantissa.startswith("-") else ""
    digits = mantissa.lstrip("-").replace(".", "")
    if exponent < -4 or exponent >= 6:
        return f"{sign}{digits[0]}{'.' * (len(digits) > 1)}{digits[1:]}e{exponent:+03d}"
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    whole, fraction = digits[: exponent + 1].ljust(exponent + 1, "0"), digits[exponent + 1 :]
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


_BASES: Final = {"hex": 16, "binary": 2, "octal": 8, "zero": 8, "decimal": 10}


# Patterns are compiled when first needed: many documents hold no number but plain integers.
@functools.cache
def _go_integer() -> re.Pattern[str]:
    return re.compile(
        r"(?P<sign>[-+]?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<binary>[01]+)"
        r"|0[oO](?P<octal>[0-7]+)|0(?P<zero>[0-7]+)|(?P<decimal>[1-9][0-9]*|0))"
    )


@functools.cache
def _decimal_float() -> re.Pattern[str]:
    return re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


@functools.cache
def _point_float() -> re.Pattern[str]:
    """Go's ``ParseFloat`` for a text that begins with a point."""
    return re.compile(r"\.[0-9]+(_[0-9]+)*([eE][-+]?[0-9]+(_[0-9]+)*)?")


@functools.cache
def _time() -> re.Pattern[str]:
    """The times Go's YAML knows (resolve.go, allowedTimestampFormats)."""
    hour, sixty = "(?:2[0-3]|[01]?[0-9])", "[0-5]?[0-9]"
    clock = rf"{hour}:{sixty}:{sixty}(?:[.,][0-9]+)?"
    zone = r"(?:Z|[-+](?:2[0-4]|[01][0-9]):(?:60|[0-5][0-9]))"
    return re.compile(rf"([0-9]{{4}})-([0-9]{{1,2}})-([0-9]{{1,2}})(?:[Tt]{clock}{zone}| {clock})?")
