"""Kubernetes' ``quantity()`` and ``semver()``: values that compare and, of quantities, add."""

from __future__ import annotations

import re
from functools import total_ordering
from typing import Any, Final

from celpy.celtypes import BoolType, DoubleType, IntType, StringType

from trainc.kube import quantity
from trainc.lint.kubecel.overload import Overloads, Refusal

_INT64: Final = 2**63


class QuantityType:
    """A quantity; equal to another by its amount.

    Attributes:
        amount: The amount.
        short: Value and power of ten, where Go keeps the quantity in 64 bits: it gives integers of
            those alone, so that ``1.5Gi`` is none.
    """

    __slots__ = ("amount", "short")
    __hash__ = None  # type: ignore[assignment]  # no key of a map

    def __init__(self, amount: quantity.Quantity, short: Short) -> None:
        """Takes the amount, and how Go keeps it."""
        self.amount, self.short = amount, short

    def __eq__(self, other: object) -> Any:
        """Whether both are the same amount, however they are written."""
        same = isinstance(other, QuantityType) and self.amount.nanos == other.amount.nanos
        return BoolType(same)


Short = tuple[int, int] | None
_TEXT: Final = re.compile(r"([+-]?)0*([0-9]*)(?:\.([0-9]*))?(.*)", re.ASCII | re.DOTALL)


def _quantity(text: str) -> QuantityType:
    try:
        return QuantityType(_parsed(str(text)), _short(str(text)))
    except quantity.QuantityError:
        raise Refusal(f"{str(text)!r} is no quantity") from None


def _parsed(text: str) -> quantity.Quantity:
    """As Go reads it: a suffix without a number is 0."""
    found = _TEXT.fullmatch(text)
    if text and found and not (found[2] or found[3]) and "0" not in text:
        return quantity.parse(f"0{found[4]}")
    return quantity.parse(text)


def _short(text: str) -> Short:
    """Value and power of ten of what Go's ParseQuantity keeps in 64 bits; None for the rest."""
    found = _TEXT.fullmatch(text)
    assert found is not None
    number, fraction, suffix = found[2] or "0", found[3] or "", found[4]
    value, power = int(number + fraction), 0
    if suffix in quantity.BINARY:
        value <<= quantity.BINARY[suffix]
        precision = -1 if fraction else 14 - len(number) - quantity.BINARY[suffix] * 3 // 10
    else:
        power = quantity.DECIMAL[suffix] if suffix in quantity.DECIMAL else int(suffix[1:])
        precision = 18 - len(number) - len(fraction)
        power -= len(fraction)
    if precision < 0 or power < quantity.DECIMAL["n"] or value >= _INT64:
        return None
    return (-value if found[1] == "-" else value, power)


def _is_quantity(text: str) -> BoolType:
    try:
        _quantity(text)
    except Refusal:
        return BoolType(False)
    return BoolType(True)


def _whole(one: QuantityType) -> int | None:
    """The amount as a whole number of 64 bits, None where Go has none."""
    if one.short is None or one.short[1] < 0:
        return None
    value, power = one.short
    whole = value * 10 ** min(power, _LARGEST_POWER)
    return whole if -_INT64 <= whole < _INT64 else None


_LARGEST_POWER: Final = 40  # of ten; 64 bits end long before


def _as_integer(one: QuantityType) -> IntType:
    whole = _whole(one)
    if whole is None:
        raise Refusal("cannot convert value to integer")
    return IntType(whole)


def _added(one: QuantityType, two: Any, sign: int = 1) -> QuantityType:
    other = two if isinstance(two, QuantityType) else _of_int(int(two))
    nanos = one.amount.nanos + sign * other.amount.nanos
    return QuantityType(one.amount._replace(nanos=nanos), _sum(one.short, other.short, sign))


def _of_int(value: int) -> QuantityType:
    return QuantityType(quantity.Quantity(value * quantity.NANO, "DecimalSI"), (value, 0))


def _sum(one: Short, two: Short, sign: int) -> Short:
    """The sum as Go keeps it, with the smaller power of the two; None where it overflows."""
    if one is None or two is None:
        return None
    if not two[0]:
        return one
    if not one[0]:
        return (sign * two[0], two[1])
    power = min(one[1], two[1])
    if max(one[1], two[1]) - power > _LARGEST_POWER:
        return None
    values = [value * 10 ** (own - power) for value, own in (one, two)]
    total = values[0] + sign * values[1]
    fits = all(-_INT64 <= each < _INT64 for each in (*values, total))
    return (total, power) if fits else None


def _subtracted(one: QuantityType, two: Any) -> QuantityType:
    return _added(one, two, -1)


def _order(one: Any, two: Any) -> int:
    return int(one > two) - int(one < two)


@total_ordering
class SemverType:
    """A version after semver.org; what stands behind ``+`` counts for nothing."""

    __slots__ = ("numbers", "pre")
    __hash__ = None  # type: ignore[assignment]  # no key of a map

    def __init__(self, numbers: tuple[int, int, int], pre: tuple[str, ...]) -> None:
        """Takes major, minor and patch, and the parts of the pre-release."""
        self.numbers, self.pre = numbers, pre

    def __eq__(self, other: object) -> Any:
        """Whether both are the same version."""
        return BoolType(isinstance(other, SemverType) and self._key() == other._key())

    def __lt__(self, other: SemverType) -> bool:
        """Whether it is before another."""
        return self._key() < other._key()

    def _key(self) -> tuple[Any, ...]:
        parts = [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in self.pre]
        return (self.numbers, not self.pre, parts)


_NUMBER: Final = r"(0|[1-9][0-9]*)"
_PART: Final = r"(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)"
_SEMVER: Final = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-({_PART}(?:\.{_PART})*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)


def _semver(text: str, normalize: bool = False) -> SemverType:
    found = _SEMVER.fullmatch(_normal(str(text)) if normalize else str(text))
    if found is None or any(len(found[n]) > 20 or int(found[n]) >= 2**64 for n in (1, 2, 3)):
        raise Refusal(f"{str(text)!r} is no version")
    pre = tuple(found[4].split(".")) if found[4] else ()
    return SemverType((int(found[1]), int(found[2]), int(found[3])), pre)


def _normal(text: str) -> str:
    """A version without a leading v and leading zeros, with minor and patch."""
    text = text.removeprefix("v")
    parts = text.split(".", 2)
    for index, part in enumerate(parts):
        if len(part) > 1 and part[0] == "0":
            parts[index] = part.lstrip("0") or "0"
            if not parts[index][0].isdigit():
                parts[index] = f"0{parts[index]}"
    if len(parts) < 3 and not re.search(r"[+-]", parts[-1]):
        parts += ["0"] * (3 - len(parts))
    return ".".join(parts)


def _is_semver(text: str, normalize: bool = False) -> BoolType:
    try:
        _semver(text, normalize)
    except Refusal:
        return BoolType(False)
    return BoolType(True)


_Q: Final = (QuantityType, QuantityType)
_V: Final = (SemverType, SemverType)
METHODS: Final[dict[str, Overloads]] = {
    "isLessThan": {
        _Q: lambda one, two: BoolType(one.amount.nanos < two.amount.nanos),
        _V: lambda one, two: BoolType(one < two),
    },
    "isGreaterThan": {
        _Q: lambda one, two: BoolType(one.amount.nanos > two.amount.nanos),
        _V: lambda one, two: BoolType(one > two),
    },
    "compareTo": {
        _Q: lambda one, two: IntType(_order(one.amount.nanos, two.amount.nanos)),
        _V: lambda one, two: IntType(_order(one, two)),
    },
    "sign": {(QuantityType,): lambda one: IntType(_order(one.amount.nanos, 0))},
    "add": {_Q: _added, (QuantityType, IntType): _added},
    "sub": {_Q: _subtracted, (QuantityType, IntType): _subtracted},
    "isInteger": {(QuantityType,): lambda one: BoolType(_whole(one) is not None)},
    "asInteger": {(QuantityType,): _as_integer},
    "asApproximateFloat": {
        (QuantityType,): lambda one: DoubleType(one.amount.nanos / quantity.NANO)
    },
    "major": {(SemverType,): lambda one: IntType(one.numbers[0])},
    "minor": {(SemverType,): lambda one: IntType(one.numbers[1])},
    "patch": {(SemverType,): lambda one: IntType(one.numbers[2])},
}
FUNCTIONS: Final[dict[str, Overloads]] = {
    "quantity": {(StringType,): _quantity},
    "isQuantity": {(StringType,): _is_quantity},
    "semver": {(StringType,): _semver, (StringType, BoolType): _semver},
    "isSemver": {(StringType,): _is_semver, (StringType, BoolType): _is_semver},
}
