"""CEL's optional values: there, or not."""

from __future__ import annotations

from typing import Any, Final

from celpy.celtypes import BoolType, DoubleType, IntType, ListType, MapType, StringType, UintType

from trainc.lint.kubecel.overload import Dyn, Overloads, Refusal, equal


class Optional:
    """A value that may be absent."""

    __slots__ = ("present", "value")
    __hash__ = None  # type: ignore[assignment]  # no key of a map

    def __init__(self, *value: Any) -> None:
        """Takes the value, or nothing."""
        self.present = bool(value)
        self.value = value[0] if value else None

    def __eq__(self, other: object) -> Any:
        """Two of them are equal where neither has a value, or both have the same."""
        if not isinstance(other, Optional):
            return BoolType(False)
        if self.present and other.present:
            return BoolType(equal(self.value, other.value))
        return BoolType(self.present == other.present)


NONE: Final = Optional()


def _value(optional: Optional) -> Any:
    if not optional.present:
        raise Refusal("the optional has no value")
    return optional.value


def _of_non_zero(value: Any) -> Optional:
    return NONE if is_zero(value) else Optional(value)


def is_zero(value: Any) -> bool:
    """Whether a value is its type's zero: empty, 0, false or null."""
    kinds = (BoolType, DoubleType, IntType, ListType, MapType, StringType, UintType)
    return value is None or (isinstance(value, kinds) and not value)


def _unwrap(values: list[Any]) -> ListType:
    if not all(isinstance(each, Optional) for each in values):
        raise Refusal("the list holds more than optionals")
    return ListType([each.value for each in values if each.present])


METHODS: Final[dict[str, Overloads]] = {
    "hasValue": {(Optional,): lambda one: BoolType(one.present)},
    "value": {(Optional,): _value},
    "or": {(Optional, Optional): lambda one, two: one if one.present else two},
    "orValue": {(Optional, Dyn): lambda one, other: one.value if one.present else other},
    "first": {(ListType,): lambda values: Optional(values[0]) if values else NONE},
    "last": {(ListType,): lambda values: Optional(values[-1]) if values else NONE},
    "unwrapOpt": {(ListType,): _unwrap},
}
NAMESPACED: Final[dict[str, Overloads]] = {
    "optional.of": {(Dyn,): Optional},
    "optional.none": {(): lambda: NONE},
    "optional.ofNonZeroValue": {(Dyn,): _of_non_zero},
    "optional.unwrap": {(ListType,): _unwrap},
}
