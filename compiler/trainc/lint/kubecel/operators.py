"""Operators as the API server has them: numbers of all types compare, values of others differ."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final

from celpy.celtypes import BoolType, DoubleType, IntType, ListType, MapType, StringType
from celpy.evaluation import CELEvalError, base_functions

from trainc.lint.kubecel.overload import equal, is_number, type_name
from trainc.lint.kubecel.work import spend, spend_text

Operator = Callable[[Any, Any], Any]


def _compared(name: str, compare: Operator) -> Operator:
    """An order; what is no number is left to cel-python."""
    standard = base_functions[name]

    def call(one: Any, two: Any) -> Any:
        if is_number(one) and is_number(two) and type(one) is not type(two):
            return BoolType(compare(_amount(one), _amount(two)))
        if isinstance(one, BoolType) is not isinstance(two, BoolType):
            return _wrong(one, two) or _mixed(one, two)
        return standard(one, two)

    return call


def _mixed(one: Any, two: Any) -> Any:
    raise TypeError(f"{type_name(one)} and {type_name(two)}")


def _arithmetic(name: str) -> Operator:
    """An operator that takes numbers of one type only, and ``%`` no double."""
    standard = base_functions[name]

    def call(one: Any, two: Any) -> Any:
        if is_number(one) and (type(one) is not type(two) or (name == "_%_" and _is_double(one))):
            return _wrong(one, two) or _mixed(one, two)
        return standard(one, two)

    return call


def _is_double(value: Any) -> bool:
    return isinstance(value, DoubleType)


def _amount(value: Any) -> float | int:
    return float(value) if isinstance(value, float) else int(value)


def _equal(one: Any, two: Any) -> Any:
    return _wrong(one, two) or BoolType(equal(one, two))


def _unequal(one: Any, two: Any) -> Any:
    return _wrong(one, two) or BoolType(not equal(one, two))


def _in(item: Any, container: Any) -> Any:
    if wrong := _wrong(item, container):
        return wrong
    if isinstance(container, MapType):
        return BoolType(any(equal(item, key) for key in container))
    if isinstance(container, ListType):
        return BoolType(any(equal(item, each) for each in container))
    raise TypeError("no list or map")


def _wrong(one: Any, two: Any) -> CELEvalError | None:
    """The error that an operand is, if one is."""
    return next((each for each in (one, two) if isinstance(each, CELEvalError)), None)


def _add(one: Any, two: Any) -> Any:
    """A sum of CEL's own types, where cel-python gives Python's."""
    if is_number(one) and type(one) is not type(two):
        return _wrong(one, two) or _mixed(one, two)
    if isinstance(one, str) and isinstance(two, str):
        spend_text(len(one) + len(two))
    elif isinstance(one, list) and isinstance(two, list):
        spend(len(one) + len(two))
    out = operator.add(one, two)
    if type(out) is str:
        return StringType(out)
    return ListType(out) if type(out) is list else out


def _item(container: Any, key: Any) -> Any:
    """An item of a list, counted from 0 only, or of a map."""
    if isinstance(container, ListType) and isinstance(key, IntType) and key < 0:
        raise IndexError(key)
    return operator.getitem(container, key)


OPERATORS: Final[dict[str, Operator]] = {
    "_<_": _compared("_<_", operator.lt),
    "_<=_": _compared("_<=_", operator.le),
    "_>_": _compared("_>_", operator.gt),
    "_>=_": _compared("_>=_", operator.ge),
    "_==_": _equal,
    "_!=_": _unequal,
    "_in_": _in,
    "_[_]": _item,
    "_+_": _add,
    "_-_": _arithmetic("_-_"),
    "_*_": _arithmetic("_*_"),
    "_/_": _arithmetic("_/_"),
    "_%_": _arithmetic("_%_"),
}
