"""Functions on lists: Kubernetes' own, CEL's lists library (version 3), and its sets."""

from __future__ import annotations

from functools import cmp_to_key
from typing import Any, Final

from celpy.celtypes import BoolType, DoubleType, DurationType, IntType, ListType, UintType

from trainc.lint.kubecel.overload import Dyn, Overloads, Refusal, equal, ordered
from trainc.lint.kubecel.work import MADE, spend


def _compared(values: list[Any]) -> list[Any]:
    """The list, where all of its items can be compared."""
    spend(len(values))
    if not all(ordered(values[0], each) for each in values):
        raise Refusal("the items of the list cannot be compared")
    return values


def _smallest(values: list[Any]) -> Any:
    if not values:
        raise Refusal("the list is empty")
    return min(_compared(values))


def _largest(values: list[Any]) -> Any:
    if not values:
        raise Refusal("the list is empty")
    return max(_compared(values))


def _is_sorted(values: list[Any]) -> BoolType:
    if not values:
        return BoolType(True)
    pairs = zip(_compared(values), values[1:], strict=False)
    return BoolType(all(not two < one for one, two in pairs))


def _sum(values: list[Any]) -> Any:
    if not values:
        return IntType(0)
    first = type(values[0])
    kinds = (IntType, UintType, DoubleType, DurationType)
    if first not in kinds or not all(type(each) is first for each in values):
        raise Refusal("the items of the list cannot be added")
    total = values[0]
    try:
        for each in values[1:]:
            total = total + each
    except ValueError:
        raise Refusal("the sum is out of range") from None
    return total


def _index(values: list[Any], item: Any) -> IntType:
    found = (place for place, each in enumerate(values) if equal(each, item))
    return IntType(next(found, -1))


def _last_index(values: list[Any], item: Any) -> IntType:
    places = reversed(range(len(values)))
    return IntType(next((place for place in places if equal(values[place], item)), -1))


def _range(count: int) -> ListType:
    spend(MADE * max(count, 0))
    return ListType([IntType(number) for number in range(count)])


def _slice(values: list[Any], start: int, end: int) -> ListType:
    if start < 0 or end < 0 or start > end or end > len(values):
        raise Refusal(f"no items {int(start)} to {int(end)} in a list of {len(values)}")
    return ListType(values[start:end])


def _flatten(values: list[Any], depth: int = 1) -> ListType:
    if depth < 0:
        raise Refusal("the level must not be negative")
    out: list[Any] = [*values]
    for _ in range(min(depth, 64)):
        if not any(isinstance(each, ListType) for each in out):
            break
        spend(sum(len(each) if isinstance(each, ListType) else 1 for each in out))
        out = [item for each in out for item in (each if isinstance(each, ListType) else (each,))]
    return ListType(out)


def _distinct(values: list[Any]) -> ListType:
    out: list[Any] = []
    for each in values:
        if not any(equal(each, other) for other in out):
            out.append(each)
    return ListType(out)


def sorted_by(values: list[Any], keys: list[Any]) -> ListType:
    """The items in the order of their keys, which are of one type.

    Raises:
        Refusal: The keys cannot be compared.
    """
    if not values:
        return ListType([])
    spend(len(keys) * len(keys).bit_length())
    first = type(keys[0])
    if not all(type(key) is first and ordered(keys[0], key) for key in keys):
        raise Refusal("the items of the list must be of one type that can be compared")
    pairs: list[tuple[Any, Any]] = [*zip(keys, values, strict=True)]
    pairs.sort(key=cmp_to_key(_by_key))
    return ListType([value for _, value in pairs])


def _by_key(one: tuple[Any, Any], two: tuple[Any, Any]) -> int:
    return -1 if one[0] < two[0] else int(two[0] < one[0])


def _contains(values: list[Any], others: list[Any]) -> BoolType:
    return BoolType(all(any(equal(one, two) for one in values) for two in others))


def _equivalent(values: list[Any], others: list[Any]) -> BoolType:
    return BoolType(bool(_contains(values, others)) and bool(_contains(others, values)))


def _intersects(values: list[Any], others: list[Any]) -> BoolType:
    return BoolType(any(equal(one, two) for one in values for two in others))


_List = ListType
METHODS: Final[dict[str, Overloads]] = {
    "min": {(_List,): _smallest},
    "max": {(_List,): _largest},
    "sum": {(_List,): _sum},
    "isSorted": {(_List,): _is_sorted},
    "indexOf": {(_List, Dyn): _index},
    "lastIndexOf": {(_List, Dyn): _last_index},
    "slice": {(_List, IntType, IntType): _slice},
    "flatten": {(_List,): _flatten, (_List, IntType): _flatten},
    "distinct": {(_List,): _distinct},
    "reverse": {(_List,): lambda values: _List(values[::-1])},
    "sort": {(_List,): lambda values: sorted_by(values, values)},
}
NAMESPACED: Final[dict[str, Overloads]] = {
    "lists.range": {(IntType,): _range},
    "sets.contains": {(_List, _List): _contains},
    "sets.equivalent": {(_List, _List): _equivalent},
    "sets.intersects": {(_List, _List): _intersects},
}
