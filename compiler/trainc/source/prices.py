"""What filters and tests of templates cost, each paid before it acts.

In: the name of a filter, what it is given and with which arguments. Out: nothing, or
``LimitError``, or ``ValueError`` where it would make more than a manifest could hold. Every filter
of Jinja2 has its price here; one without a price is not there for templates. Prices are measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from typing import Any, Final

from trainc.budget import ITEM, Budget, letters, weight
from trainc.source.formats import MAX_WIDTH, percent_fields

Arguments = Mapping[str, Any]
Price = Callable[[Budget, Any, Arguments], None]

CALL: Final = 400
"""A call of a filter or test, whatever it does."""
_GROUP: Final = 200
"""A list of a few items."""
_PART: Final = 60  # a part of an attribute's path, for each item
_MAX_DIGITS: Final = 4096
_MAX_INDENT: Final = 16


def refuse_wide(values: Iterable[Any]) -> None:
    """Stops at a width no manifest needs."""
    if any(isinstance(value, int) and abs(value) > MAX_WIDTH for value in values):
        raise ValueError(f"a width over {MAX_WIDTH}")


def compared(value: Any, budget: Budget) -> Any:
    """A value that is compared, paid for; the items of an iterator when they are taken."""
    if isinstance(value, Iterator):
        return _each_compared(value, budget)
    budget.deep(value)
    return value


def _each_compared(items: Iterator[Any], budget: Budget) -> Iterator[Any]:
    for item in items:
        budget.deep(item)
        yield item


def percent_price(pattern: str, values: Any, budget: Budget) -> None:
    """Pays for ``pattern % values``."""
    fields, widths = percent_fields(pattern)
    budget.pay(CALL + letters(pattern) + 4 * widths + fields * weight(values, budget.left))


def _flat(budget: Budget, value: Any, args: Arguments) -> None:
    """Looks at the value alone."""
    budget.pay(ITEM)


def _text(each: int) -> Price:
    """Goes through a text, or the text of a value; ``each`` is a letter's price."""

    def price(budget: Budget, value: Any, args: Arguments) -> None:
        budget.pay(each * weight(value, budget.left))
        budget.deep((*args.values(),))

    return price


def _padded(budget: Budget, value: Any, args: Arguments) -> None:
    """Makes a text that is as wide as an argument says."""
    refuse_wide(args.values())
    _READ(budget, value, args)
    budget.pay(4 * sum(abs(each) for each in args.values() if isinstance(each, int)))


def _items(budget: Budget, value: Any, args: Arguments) -> None:
    """Goes through the items, and into each as far as ``attribute`` leads."""
    each = ITEM + _PART * _parts(args)
    if isinstance(value, str):
        budget.pay(len(value) * each + 10 * letters(value))  # a letter beyond Latin-1 is an object
    elif isinstance(value, Sized):
        budget.pay(len(value) * each)
    budget.deep((*args.values(),))


def _grouped(budget: Budget, value: Any, args: Arguments) -> None:
    """Makes lists of a length that an argument says."""
    refuse_wide(args.values())
    _items(budget, value, args)
    numbers = [abs(each) for each in args.values() if isinstance(each, int)]
    size = len(value) if isinstance(value, Sized) else 0
    # `slice` makes as many groups as it is told, `batch` groups of that length.
    groups = max([*numbers, size // min([each or 1 for each in numbers] or [1])])
    budget.pay(_GROUP * groups)


def _parts(args: Arguments) -> int:
    """How many steps lead into an item, of all attributes together."""
    paths = [each for each in args.values() if isinstance(each, str)]
    return sum(path.count(".") + path.count(",") + 1 for path in paths)


def _ordered(budget: Budget, value: Any, args: Arguments) -> None:
    """Compares items with one another, as often as sorting does."""
    rounds = 1 + (len(value).bit_length() if isinstance(value, Sized) else 0)
    _items(budget, value, args)
    budget.pay(rounds * weight(_keys(value, args), budget.left))


def _keys(value: Any, args: Arguments) -> Any:
    """What is compared: the items, or what ``attribute`` names in each of them."""
    attribute = args.get("attribute")
    if not isinstance(attribute, str) or not isinstance(value, list | tuple):
        return value
    paths = [path.split(".") for path in attribute.split(",")]
    return [_at(item, path) for item in value for path in paths]


def _at(item: Any, path: list[str]) -> Any:
    """The value at a path of keys; what no map leads to is counted whole."""
    for key in path:
        if not isinstance(item, Mapping) or key not in item:
            return item
        item = item[key]
    return item


def _added(budget: Budget, value: Any, args: Arguments) -> None:
    """Adds items up: lists are copied for each item that is added."""
    _items(budget, value, args)
    if not isinstance(args.get("start", 0), int | float):
        budget.pay(len(value) * weight(value, budget.left))


def _joined(budget: Budget, value: Any, args: Arguments) -> None:
    _items(budget, value, args)
    budget.pay(CALL)
    glue = args.get("d", "")
    budget.deep((value, glue))
    if isinstance(value, Sized):
        budget.pay(len(value) * letters(glue if isinstance(glue, str) else ""))


def _replaced(budget: Budget, value: Any, args: Arguments) -> None:
    _READ(budget, value, args)
    replace_price(str(value), str(args.get("old", "")), str(args.get("new", "")), budget)


def replace_price(text: str, old: str, new: str, budget: Budget) -> None:
    """Pays for a text in which something is replaced."""
    budget.pay(ITEM * text.count(old) + text.count(old) * letters(new))


def _formatted(budget: Budget, value: Any, args: Arguments) -> None:
    budget.deep(value)
    percent_price(str(value), (*args.values(),), budget)


def _indented(budget: Budget, value: Any, args: Arguments) -> None:
    width = args.get("width", 4)
    refuse_wide([width])
    _READ(budget, value, args)
    lines = 1 + str(value).count("\n")
    budget.pay(lines * (ITEM + letters(width) if isinstance(width, str) else lines * abs(width)))


def _number(budget: Budget, value: Any, args: Arguments) -> None:
    """Reads a number, of any base."""
    if isinstance(value, str) and len(value) > _MAX_DIGITS:
        raise ValueError(f"a number of more than {_MAX_DIGITS} digits")
    budget.pay(ITEM)


def _rounded(budget: Budget, value: Any, args: Arguments) -> None:
    refuse_wide(args.values())
    budget.pay(ITEM)


def _as_json(budget: Budget, value: Any, args: Arguments) -> None:
    """Prints a value; each line of it may be indented as deep as it is nested."""
    indent = args.get("indent") or 0
    if not isinstance(indent, int) or indent > _MAX_INDENT:
        raise ValueError(f"an indent over {_MAX_INDENT}")
    budget.pay(6 * (1 + indent) * weight(value, budget.left))


def _linked(budget: Budget, value: Any, args: Arguments) -> None:
    """Looks for links: quadratic in a word, whose end is looked for from each of its letters."""
    _text(100)(budget, value, args)
    words = [len(word) for word in str(value).split()]
    budget.pay(4 * sum(length * length for length in words))
    budget.pay(len(words) * sum(letters(str(each)) for each in args.values()))


def _wrapped(budget: Budget, value: Any, args: Arguments) -> None:
    """Wraps lines; what is left of a long word is copied for each line of it."""
    refuse_wide(args.values())
    _text(125)(budget, value, args)
    width = max(args.get("width", 79), 1)
    text, glue = str(value), args.get("wrapstring") or "\n"
    budget.pay(sum(len(word) ** 2 for word in text.split()) // (200 * width))
    budget.pay((len(text) // width + text.count("\n") + 1) * letters(str(glue)))


_READ: Final = _text(4)
FILTERS: Final[Mapping[str, Price]] = {
    **dict.fromkeys(("abs", "attr", "count", "d", "default", "first", "items", "last"), _flat),
    **dict.fromkeys(("length",), _flat),
    **dict.fromkeys(("list", "map", "reject", "rejectattr", "reverse", "select"), _items),
    **dict.fromkeys(("selectattr",), _items),
    **dict.fromkeys(("batch", "slice"), _grouped),
    **dict.fromkeys(("dictsort", "groupby", "max", "min", "sort", "unique"), _ordered),
    **dict.fromkeys(("capitalize", "e", "escape", "filesizeformat", "float"), _READ),
    **dict.fromkeys(("forceescape", "lower", "safe", "string", "trim", "upper"), _READ),
    **dict.fromkeys(("urlencode", "xmlattr"), _text(8)),
    **dict.fromkeys(("striptags", "truncate", "wordcount"), _text(10)),
    **dict.fromkeys(("tojson", "toyaml"), _as_json),
    "center": _padded,
    "format": _formatted,
    "indent": _indented,
    "int": _number,
    "join": _joined,
    "pprint": _text(200),  # the text of a part is made again for each part around it
    "replace": _replaced,
    "round": _rounded,
    "sum": _added,
    "title": _text(20),
    "urlize": _linked,
    "wordwrap": _wrapped,
}
"""The price of each filter by its name."""

# Tests that look at the value alone.
_FLAT_TESTS: Final = (
    "boolean", "callable", "defined", "divisibleby", "escaped", "even", "false", "filter", "float",
    "integer", "iterable", "mapping", "none", "number", "odd", "sameas", "sequence", "string",
    "test", "true", "undefined",
)  # fmt: skip
_COMPARING: Final = (
    "!=", "<", "<=", "==", ">", ">=", "eq", "equalto", "ge", "greaterthan", "gt", "in", "le",
    "lessthan", "lt", "ne",
)  # fmt: skip
TESTS: Final[Mapping[str, Price]] = {
    **dict.fromkeys(_FLAT_TESTS, _flat),
    **dict.fromkeys(_COMPARING, _text(1)),
    **dict.fromkeys(("lower", "upper"), _READ),
}
"""The price of each test by its name."""

WHOLE: Final = frozenset(("dictsort", "groupby", "join", "max", "min", "sort", "sum", "unique"))
"""Filters whose price needs all items of an iterator."""
