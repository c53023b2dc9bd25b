"""Operators, filters and methods that templates may use, each paid for before it acts.

In: what is called with what. Out: the same call, or ``Limit`` or ``ValueError`` where it would
make more than a manifest could hold. Knows nothing of Jinja2 but how it marks filters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sized
from typing import Any, Final

from trainc.source.budget import ITEM, MAX_BYTES, Budget, weight

_WIDTH: Final = 10_000
_BITS: Final = 4096
# A field of % or of format() whose width is long, or is given by an argument.
_PERCENT: Final = re.compile(r"%(\(\w*\))?[-#0 +]*(\d{5,}|\d*\.\d{5,}|\*|\d*\.\*)")
_BRACES: Final = re.compile(r"\{[^{}]*:[^{}]*(\d{5,}|\{)")
_PADDING: Final = frozenset(("center", "expandtabs", "ljust", "rjust", "zfill"))

# Filters that look at a value without its text, and those of them that go through its items.
_PLAIN: Final = frozenset(
    ("attr", "count", "d", "default", "first", "int", "float", "last", "length", "safe")
)
_WALKING: Final = frozenset(
    ("batch", "dictsort", "groupby", "items", "list", "map", "max", "min", "reject", "rejectattr",
     "reverse", "select", "selectattr", "slice", "sort", "sum", "unique")
)  # fmt: skip
_SIZED: Final = frozenset(
    ("batch", "center", "indent", "pprint", "round", "slice", "tojson", "toyaml", "truncate",
     "wordwrap")
)  # fmt: skip


def filtered(name: str, function: Callable[..., Any], budget: Budget) -> Callable[..., Any]:
    """A filter that pays.

    Args:
        name: As templates call it.
        function: The filter.
        budget: Of the rendering.
    """
    first = 1 if hasattr(function, "jinja_pass_arg") else 0

    def paid(*args: Any, **kwargs: Any) -> Any:
        before, value, rest = args[:first], args[first], args[first + 1 :]
        named = (*rest, *kwargs.values())
        if name in _SIZED:
            refuse_wide(named)
        value = _entered(name, value, budget)
        budget.pay(_made(name, value, named))
        return function(*before, value, *rest, **kwargs)

    paid.__dict__.update(getattr(function, "__dict__", {}))
    return paid


def _entered(name: str, value: Any, budget: Budget) -> Any:
    """What a filter is given, paid for as far as the filter will look."""
    if isinstance(value, Iterator):
        value = budget.each(value, ITEM)
        if name != "join":
            return value
        value = list(value)
    if name in _WALKING:
        budget.pay(ITEM * len(value) if isinstance(value, Sized) else 0)
    elif name not in _PLAIN:
        budget.deep(value)
    return value


def _made(name: str, value: Any, args: tuple[Any, ...]) -> int:
    """How many characters a filter may make beyond those it was given."""
    if name in _PLAIN or name in _WALKING:
        return 0
    if name == "join":
        return len(value) * len(args[0]) if args and _both(value, args[0]) else 0
    if not isinstance(value, str):
        return 0
    if name == "replace":
        return _replaced(value, args)
    if name == "format":
        _refuse_field(_PERCENT, value)
        return value.count("%") * weight(args, MAX_BYTES)
    widths = sum(arg for arg in args if isinstance(arg, int))
    lines = value.count("\n") + 1
    return lines * max(widths, 0) + len(value) * sum(len(a) for a in args if isinstance(a, str))


def _both(value: Any, glue: Any) -> bool:
    return isinstance(value, str | list | tuple | Mapping) and isinstance(glue, str)


def _replaced(text: str, args: tuple[Any, ...]) -> int:
    if len(args) < 2 or not all(isinstance(arg, str) for arg in args[:2]):
        return 0
    return text.count(args[0]) * len(args[1])


def called(function: Any, args: tuple[Any, ...], budget: Budget) -> tuple[Any, ...]:
    """Pays for a method of a plain value; returns the arguments to call it with."""
    if type(function).__name__ == "LoopContext":  # a recursive loop goes on with these items
        return tuple(budget.each(arg) for arg in args)
    function = getattr(function, "__wrapped__", function)  # the sandbox wraps str.format
    owner, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
    if isinstance(owner, list | tuple | Mapping):
        budget.pay(ITEM * len(owner))
    if not isinstance(owner, str):
        return args
    if name in _PADDING:
        refuse_wide(args)
    if name == "join":
        args = tuple(list(budget.each(arg, ITEM)) for arg in args)
        budget.deep(args)
        budget.pay(len(owner) * sum(map(len, args)))
    elif name == "replace":
        budget.pay(_replaced(owner, args))
    elif name in ("format", "format_map", "translate"):
        _refuse_field(_BRACES, owner)
        fields = len(owner) if name == "translate" else owner.count("{")
        budget.pay(fields * weight(args, MAX_BYTES))
    elif name == "expandtabs":
        budget.pay(owner.count("\t") * _WIDTH)
    budget.pay(len(owner))
    return args


def operated(operator: str, left: Any, right: Any, budget: Budget) -> None:
    """Pays for an operator.

    Raises:
        Limit: It would make too much.
        ValueError: It would make a number or a field too large for a manifest.
    """
    numbers = isinstance(left, int) and isinstance(right, int)
    if operator == "+" and isinstance(left, str | list | tuple) and type(left) is type(right):
        budget.text(len(left) + len(right))
    elif operator == "*" and numbers and left.bit_length() + right.bit_length() > _BITS:
        raise ValueError("a product too large for a manifest")
    elif operator == "**" and numbers and (abs(left) > 1 << 64 or abs(right) > 64):
        raise ValueError("a power too large for a manifest")
    elif operator == "*":
        sized, times = (left, right) if isinstance(right, int) else (right, left)
        if isinstance(sized, str | list | tuple) and isinstance(times, int):
            budget.text(len(sized) * max(times, 0))
    elif operator == "%" and isinstance(left, str):
        _refuse_field(_PERCENT, left)
        budget.pay(left.count("%") * weight(right, MAX_BYTES))


def compared(value: Any, budget: Budget) -> Any:
    """A value that is compared or cut, paid for."""
    if isinstance(value, str):
        budget.pay(len(value))
    elif isinstance(value, list | tuple):
        budget.deep(value)
    return value


def refuse_wide(values: tuple[Any, ...]) -> None:
    """Stops at a width no manifest needs."""
    if any(isinstance(value, int) and abs(value) > _WIDTH for value in values):
        raise ValueError(f"a width over {_WIDTH}")


def _refuse_field(field: re.Pattern[str], text: str) -> None:
    if field.search(text):
        raise ValueError(f"a field wider than {_WIDTH}")
