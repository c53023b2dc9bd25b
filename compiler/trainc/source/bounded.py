"""Filters, tests, methods and operators that templates may use, each paid for before it acts.

In: what is called with what. Out: the same call, or ``LimitError`` or ``ValueError`` where it would
make more than a manifest could hold. Knows nothing of Jinja2 but how it marks filters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import GeneratorType
from typing import Any, Final

from trainc.budget import ITEM, Budget, letters, weight
from trainc.source.formats import brace_fields
from trainc.source.prices import (
    CALL,
    FILTERS,
    TESTS,
    WHOLE,
    Price,
    compared,
    percent_price,
    refuse_wide,
    replace_price,
)

_BITS: Final = 4096
_FIELD: Final = 1000  # a field of format(), which is done in Python
_TEXT_METHODS: Final = frozenset((
    "capitalize", "casefold", "center", "count", "endswith", "expandtabs", "find", "format",
    "format_map", "index", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier",
    "islower", "isnumeric", "isprintable", "isspace", "istitle", "isupper", "join", "ljust",
    "lower", "lstrip", "partition", "removeprefix", "removesuffix", "replace", "rfind", "rindex",
    "rjust", "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip",
    "striptags", "swapcase", "title", "unescape", "upper", "zfill",
))  # fmt: skip
_METHODS: Final[tuple[tuple[Any, frozenset[str]], ...]] = (
    (str, _TEXT_METHODS),
    (Mapping, frozenset(("copy", "get", "items", "keys", "values"))),
    (list | tuple | range, frozenset(("copy", "count", "index"))),
    (float, frozenset(("is_integer",))),
    (int | bytes | type | GeneratorType, frozenset()),
)
_PADDING: Final = frozenset(("center", "expandtabs", "ljust", "rjust", "zfill"))
# Methods that look from the end, which Python does letter by letter for each letter.
_FROM_END: Final = frozenset(("rfind", "rindex", "rpartition", "rsplit"))


def has_method(value: Any, name: str) -> bool:
    """Whether templates may use an attribute of a plain value; others decide for themselves."""
    for kind, names in _METHODS:
        if isinstance(value, kind):
            return name in names
    return True


def priced(
    kind: str, name: str, function: Callable[..., Any], budget: Budget
) -> Callable[..., Any] | None:
    """A filter or test that pays; None for one without a price.

    Args:
        kind: ``filter`` or ``test``.
        name: As templates call it.
        function: The filter or test, as Jinja2 has it.
        budget: Of the build.

    Returns:
        A function that takes the context first, whatever ``function`` takes.
    """
    price = (FILTERS if kind == "filter" else TESTS).get(name)
    if price is None:
        return None
    passed = getattr(getattr(function, "jinja_pass_arg", None), "name", "")
    code = getattr(function, "__code__", None)
    names = code.co_varnames[: code.co_argcount][1 + bool(passed) :] if code else ()
    first = {"": None, "context": _itself, "eval_context": _eval_context}
    leading = first.get(passed, _environment)
    return _paid(name, function, (price, names, leading), budget)


def _itself(context: Any) -> Any:
    return context


def _eval_context(context: Any) -> Any:
    return context.eval_ctx


def _environment(context: Any) -> Any:
    return context.environment


def _paid(
    name: str,
    function: Callable[..., Any],
    terms: tuple[Price, tuple[str, ...], Callable[[Any], Any] | None],
    budget: Budget,
) -> Callable[..., Any]:
    price, names, leading = terms

    def paid(context: Any, value: Any, *args: Any, **kwargs: Any) -> Any:
        budget.pay(CALL)
        if isinstance(value, Iterator):
            value = budget.each(value, ITEM)
            value = list(value) if name in WHOLE else value
        if name == "in":
            args = tuple(compared(each, budget) for each in args)
        more = {f"*{n}": each for n, each in enumerate(args[len(names) :])}
        price(budget, value, {**dict(zip(names, args, strict=False)), **more, **kwargs})
        if leading is None:
            return function(value, *args, **kwargs)
        return function(leading(context), value, *args, **kwargs)

    return paid


def called(
    function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], budget: Budget
) -> tuple[Any, ...]:
    """Pays for a call of what is no macro; returns the arguments to call it with."""
    budget.pay(2 * CALL + ITEM * (len(args) + len(kwargs)))
    function = getattr(function, "__wrapped__", function)  # the sandbox wraps str.format
    owner, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
    if type(function).__name__ == "LoopContext":  # a recursive loop goes on with these items
        return tuple(budget.each(arg) for arg in args)
    if isinstance(owner, str):
        return _of_text(owner, name, args, kwargs, budget)
    if isinstance(owner, list | tuple | range) or type(owner).__name__ == "LoopContext":
        budget.deep((owner, *args))
    elif isinstance(owner, Mapping):
        budget.pay(ITEM * len(owner) if name == "copy" else 0)
        budget.deep(args)
    else:
        args = tuple(compared(arg, budget) for arg in args)
        budget.deep((*kwargs.values(),))
    return args


def _of_text(
    owner: str, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], budget: Budget
) -> tuple[Any, ...]:
    """Pays for a method of a text."""
    if name == "join":
        args = tuple(list(budget.each(arg, ITEM)) for arg in args)
    given = (*args, *kwargs.values())
    budget.pay(4 * letters(owner))
    budget.deep(given)
    if name in _PADDING:
        refuse_wide(given)
        tabs = owner.count("\t") if name == "expandtabs" else 1
        budget.pay(4 * tabs * max((each for each in given if isinstance(each, int)), default=8))
    elif name == "join":
        budget.pay(letters(owner) * sum(map(len, args)))
    elif name == "replace" and len(given) > 1:
        replace_price(owner, str(given[0]), str(given[1]), budget)
    elif name in ("format", "format_map"):
        fields, widths = brace_fields(owner)
        budget.pay(4 * widths + fields * (_FIELD + weight(given, budget.left)))
    elif name in _FROM_END:
        budget.pay(len(owner) * sum(len(each) for each in args if isinstance(each, str)) // 10)
    if name in ("split", "rsplit", "splitlines"):
        budget.pay(32 * len(owner))
    return args


def operated(operator: str, left: Any, right: Any, budget: Budget) -> None:
    """Pays for an operator.

    Raises:
        LimitError: It would make too much.
        ValueError: It would make a number or a field too large for a manifest.
    """
    if isinstance(left, int) and isinstance(right, int):
        _calculated(operator, left, right)
    elif operator == "+" and isinstance(left, str | list | tuple) and type(left) is type(right):
        budget.made(_length(left) + _length(right))
    elif operator == "%" and isinstance(left, str):
        percent_price(left, right, budget)
    elif operator == "*" and (isinstance(left, int) or isinstance(right, int)):
        sized, times = (left, right) if isinstance(right, int) else (right, left)
        budget.made(_length(sized) * max(times, 0))
    else:
        budget.deep((left, right))


def _calculated(operator: str, left: int, right: int) -> None:
    """Stops at a number that no manifest holds, before it is calculated."""
    bits = left.bit_length() + right.bit_length()
    if operator == "*" and bits > _BITS:
        raise ValueError("a product too large for a manifest")
    if operator == "**" and (abs(left) > 1 << 64 or abs(right) > 64):
        raise ValueError("a power too large for a manifest")
    if operator in ("+", "-") and max(left.bit_length(), right.bit_length()) > _BITS:
        raise ValueError("a sum too large for a manifest")


def _length(value: Any) -> int:
    """What a text or a list costs to make, in units."""
    if isinstance(value, str):
        return letters(value)
    return ITEM * len(value) if isinstance(value, list | tuple) else ITEM


def looked_up(key: Any, budget: Budget) -> None:
    """Pays for a key that is hashed, or a slice that is made."""
    if isinstance(key, tuple | str):
        budget.deep(key)


def sliced(value: Any, budget: Budget) -> Any:
    """A value that a slice is taken of, paid for."""
    budget.pay(_length(value))
    return value
