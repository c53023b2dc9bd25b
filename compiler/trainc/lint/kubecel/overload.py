"""Functions told apart by the types of their arguments, and the errors they end in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from celpy.celtypes import (
    BoolType,
    BytesType,
    DoubleType,
    IntType,
    ListType,
    MapType,
    StringType,
    UintType,
)
from celpy.evaluation import CELEvalError, base_functions

from trainc.lint.kubecel.work import COMPARED, spend

Types = tuple[type, ...]
Overloads = Mapping[Types, Callable[..., Any]]
"""Types of the arguments, the receiver's first -> the function for them; the first match wins."""


class Refusal(Exception):  # noqa: N818 - becomes CEL's own error value
    """Why a function has no value for its arguments."""


class Any_(type):  # noqa: N801 - a type of CEL, dyn
    """A type that every value is an instance of."""

    def __instancecheck__(cls, value: object) -> bool:
        """True of all but errors."""
        return not isinstance(value, CELEvalError)


class Dyn(metaclass=Any_):
    """CEL's ``dyn``: any value."""


def function(name: str, overloads: Overloads) -> Callable[..., Any]:
    """The function of a name; what it does not take, cel-python's own of that name may."""
    standard = base_functions.get(name)

    def call(*arguments: Any) -> Any:
        for each in arguments:
            if isinstance(each, CELEvalError):
                return each
        for types, implementation in overloads.items():
            if len(types) == len(arguments) and all(map(isinstance, arguments, types)):
                try:
                    return implementation(*arguments)
                except Refusal as refusal:
                    return CELEvalError(f"{name}(): {refusal}", ValueError, ())
        if standard is not None:
            return standard(*arguments)
        return no_overload(name, arguments)

    return call


def no_overload(name: str, arguments: tuple[Any, ...]) -> CELEvalError:
    """The error of a function that does not take such arguments."""
    types = ", ".join(type_name(each) for each in arguments)
    return CELEvalError(f"{name}() takes no ({types})", TypeError, ())


def type_name(value: Any) -> str:
    """The name of a value's type in CEL: IntType is int."""
    name = type(value).__name__
    return "null" if value is None else name.removesuffix("Type").lower()


NUMBERS: Final[Types] = (IntType, UintType, DoubleType)


def is_number(value: Any) -> bool:
    """Whether a value is an int, uint or double; a bool is none."""
    return isinstance(value, NUMBERS)


def equal(one: Any, two: Any) -> bool:
    """CEL's equality: of values of different types it is false, of numbers by their amount."""
    spend(COMPARED)
    if is_number(one) and is_number(two):
        return _amount(one) == _amount(two)
    if isinstance(one, ListType) and isinstance(two, ListType):
        return len(one) == len(two) and all(map(equal, one, two))
    if isinstance(one, MapType) and isinstance(two, MapType):
        return one.keys() == two.keys() and all(equal(one[key], two[key]) for key in one)
    if isinstance(one, str) and isinstance(two, str):
        return str(one) == str(two)
    if type(one) is not type(two):
        return False
    return bool(one == two)


def _amount(value: Any) -> float | int:
    return float(value) if isinstance(value, DoubleType) else int(value)


def ordered(one: Any, two: Any) -> bool:
    """Whether two values of one type can be told smaller and larger."""
    if is_number(one) and is_number(two):
        return True
    return type(one) is type(two) and isinstance(one, StringType | BytesType | BoolType)
