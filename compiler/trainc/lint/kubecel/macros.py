"""Macros of CEL that cel-python lacks: two names, a condition, optionals, an order.

In: the value that a macro is called on, and the trees of its arguments. Out: its value, or the
error that an argument ends in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final, Protocol

from celpy.celtypes import BoolType, IntType, ListType, MapType, logical_and, logical_or
from celpy.evaluation import CELEvalError
from lark import Tree

from trainc.lint.kubecel.grammar import identifier
from trainc.lint.kubecel.lists import sorted_by
from trainc.lint.kubecel.optional import NONE, Optional
from trainc.lint.kubecel.overload import Refusal, no_overload

Node = Tree[Any]
Bind = Callable[[Mapping[str, Any]], Any]
"""Evaluates the body of a macro with some names bound."""


class Bodies(Protocol):
    """An evaluator, as macros need it."""

    def body(self, tree: Node) -> Bind:
        """The body of a macro; an error of it is its value."""


Macro = Callable[[Bodies, Any, list[Node]], Any]


def _names(arguments: list[Node], count: int) -> tuple[str, ...]:
    return tuple(identifier(each) for each in arguments[:count])


def _pairs(value: Any) -> Iterable[tuple[Any, Any]] | None:
    """Index and item of a list, key and value of a map; None for what is neither."""
    if isinstance(value, MapType):
        return value.items()
    if isinstance(value, ListType):
        return [(IntType(index), each) for index, each in enumerate(value)]
    return None


def _rounds(evaluator: Bodies, value: Any, arguments: list[Node], name: str) -> Any:
    """Key, value, and what each expression behind the two names comes to; or an error."""
    pairs, names = _pairs(value), _names(arguments, 2)
    if pairs is None or not all(names):
        return no_overload(name, (value,))
    bodies = [evaluator.body(tree) for tree in arguments[2:]]
    one, two = names
    return ((k, v, [partial(body, {one: k, two: v}) for body in bodies]) for k, v in pairs)


def _all(evaluator: Bodies, value: Any, arguments: list[Node]) -> Any:
    rounds = _rounds(evaluator, value, arguments, "all")
    return rounds if isinstance(rounds, CELEvalError) else _reduced(rounds, logical_and, True)


def _exists(evaluator: Bodies, value: Any, arguments: list[Node]) -> Any:
    rounds = _rounds(evaluator, value, arguments, "exists")
    return rounds if isinstance(rounds, CELEvalError) else _reduced(rounds, logical_or, False)


def _reduced(rounds: Any, join: Callable[[Any, Any], Any], start: bool) -> Any:
    out: Any = BoolType(start)
    for _, _, (body,) in rounds:
        try:
            out = join(out, body())
        except TypeError:
            return no_overload("all" if start else "exists", (out,))
    return out


def _exists_one(evaluator: Bodies, value: Any, arguments: list[Node]) -> Any:
    rounds = _rounds(evaluator, value, arguments, "existsOne")
    if isinstance(rounds, CELEvalError):
        return rounds
    count = 0
    for _, _, (body,) in rounds:
        verdict = body()
        if isinstance(verdict, CELEvalError):
            return verdict
        count += verdict == BoolType(True)
    return BoolType(count == 1)


def _transformed(
    evaluator: Bodies, value: Any, arguments: list[Node], name: str
) -> CELEvalError | list[tuple[Any, Any]]:
    """Key and transformed value of each pair that the filter lets through."""
    rounds = _rounds(evaluator, value, arguments, name)
    if isinstance(rounds, CELEvalError):
        return rounds
    out: list[tuple[Any, Any]] = []
    for key, _, bodies in rounds:
        if len(bodies) == 2:
            verdict = bodies[0]()
            if isinstance(verdict, CELEvalError):
                return verdict
            if not verdict:
                continue
        item = bodies[-1]()
        if isinstance(item, CELEvalError):
            return item
        out.append((key, item))
    return out


def _transform_list(evaluator: Bodies, value: Any, arguments: list[Node]) -> Any:
    found = _transformed(evaluator, value, arguments, "transformList")
    return found if isinstance(found, CELEvalError) else ListType([item for _, item in found])


def _transform_map(evaluator: Bodies, value: Any, arguments: list[Node]) -> Any:
    found = _transformed(evaluator, value, arguments, "transformMap")
    return found if isinstance(found, CELEvalError) else MapType(dict(found))


def _transform_entry(evaluator: Bodies, value: Any, arguments: list[Node]) -> Any:
    found = _transformed(evaluator, value, arguments, "transformMapEntry")
    if isinstance(found, CELEvalError):
        return found
    out: dict[Any, Any] = {}
    for _, entry in found:
        if not isinstance(entry, MapType) or any(key in out for key in entry):
            return CELEvalError("transformMapEntry(): a key stands twice", ValueError, ())
        out.update(entry)
    return MapType(out)


def _mapped(evaluator: Bodies, value: Any, arguments: list[Node]) -> Any:
    """``list.map(x, condition, body)``."""
    name = identifier(arguments[0])
    items = value.keys() if isinstance(value, MapType) else value
    if not name or not isinstance(value, ListType | MapType):
        return no_overload("map", (value,))
    condition, body, out = evaluator.body(arguments[1]), evaluator.body(arguments[2]), []
    for each in items:
        verdict = condition({name: each})
        item = body({name: each}) if isinstance(verdict, BoolType) and verdict else verdict
        if isinstance(item, CELEvalError):
            return item
        if verdict:
            out.append(item)
    return ListType(out)


def _opt_map(evaluator: Bodies, value: Any, arguments: list[Node]) -> Any:
    found = _opt_flat_map(evaluator, value, arguments)
    bare = found is NONE or isinstance(found, CELEvalError)
    return found if bare else Optional(found)


def _opt_flat_map(evaluator: Bodies, value: Any, arguments: list[Node]) -> Any:
    name = identifier(arguments[0])
    if not isinstance(value, Optional) or not name:
        return no_overload("optMap", (value,))
    return evaluator.body(arguments[1])({name: value.value}) if value.present else NONE


def _sort_by(evaluator: Bodies, value: Any, arguments: list[Node]) -> Any:
    name = identifier(arguments[0])
    if not isinstance(value, ListType) or not name:
        return no_overload("sortBy", (value,))
    key = evaluator.body(arguments[1])
    keys = [key({name: each}) for each in value]
    wrong = next((each for each in keys if isinstance(each, CELEvalError)), None)
    if wrong is not None:
        return wrong
    try:
        return sorted_by(value, ListType(keys))
    except Refusal as refusal:
        return CELEvalError(f"sortBy(): {refusal}", ValueError, ())


MACROS: Final[Mapping[tuple[str, int], Macro]] = {
    ("all", 3): _all,
    ("exists", 3): _exists,
    ("existsOne", 3): _exists_one,
    ("exists_one", 3): _exists_one,
    ("map", 3): _mapped,
    ("optFlatMap", 2): _opt_flat_map,
    ("optMap", 2): _opt_map,
    ("sortBy", 2): _sort_by,
    ("transformList", 3): _transform_list,
    ("transformList", 4): _transform_list,
    ("transformMap", 3): _transform_map,
    ("transformMap", 4): _transform_map,
    ("transformMapEntry", 3): _transform_entry,
    ("transformMapEntry", 4): _transform_entry,
}
