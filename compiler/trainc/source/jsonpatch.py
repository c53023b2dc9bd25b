"""JSON Patch (RFC 6902) that keeps places.

In: a tree, operations and the places of both. Out: the tree after all operations, places put down
beside it. The tree given is not changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from trainc.budget import ITEM, STEP, Budget, LimitError, weight

Marks = dict[int, list[int]]
_UNKNOWN: Final = 1 << 12 | 1
_NEW: Final = 4  # units of a value that is put in, for each unit of its weight
_SHIFT: Final = 4  # items of a list that are moved up for a unit
_LONGEST_INDEX: Final = 9  # digits; no list has more items
_SMALLER: Final = "an API server takes objects of 1.5 MiB: add or copy less"
_SHOWN: Final = 200  # letters of a value in a message


class JSONPatchError(Exception):
    """An operation that cannot be done; ``path`` leads to it in the patch."""

    def __init__(self, message: str, path: tuple[str | int, ...], hint: str = "") -> None:
        """Keeps the place and the remedy beside the message."""
        super().__init__(message)
        self.path, self.hint = path, hint


def patched(root: Any, operations: list[Any], marks: Marks, budget: Budget) -> Any:
    """Returns the tree after the operations, in their order.

    Args:
        root: What to change.
        operations: As in RFC 6902.
        marks: Places of tree and operations; takes those of what is new.
        budget: What the operations may do: each is counted before it is done.

    Raises:
        JSONPatchError: An operation is malformed, leads nowhere, its test fails, or there is not
            enough left for it.
        LimitError: There is not enough left for the tree.
    """
    budget.deep(root)
    holder = _Holder([_copied(root, marks)])
    marks[id(holder)] = [_UNKNOWN]
    for index, operation in enumerate(operations):
        try:
            _pay(holder, operation, budget)
            _apply(holder, operation, marks)
        except _RefusedError as refused:
            raise JSONPatchError(str(refused), (index, *refused.field)) from refused
        except LimitError as error:
            raise JSONPatchError(error.message, (index,), error.hint or _SMALLER) from error
    budget.deep(holder[0])
    return holder[0]


def _pay(holder: _Holder, operation: Any, budget: Budget) -> None:
    """Counts what an operation looks at, moves and makes."""
    budget.pay(STEP)
    if not isinstance(operation, Mapping):
        return
    made = weight(operation["value"], budget.left) if "value" in operation else 0
    for field in ("path", "from"):
        pointer = operation.get(field)
        if not isinstance(pointer, str) or not pointer.startswith("/"):
            continue
        budget.pay(ITEM * pointer.count("/") + len(pointer))
        container, key = _find(holder, operation, field)
        budget.pay(len(container) // (_SHIFT if isinstance(container, list) else 1))
        is_read = operation.get("op") == ("copy" if field == "from" else "test")
        if is_read:
            made += weight(_get(container, key, field), budget.left)
    budget.made(_NEW * made)


class _Holder(list[Any]):
    """Holds the root, so that it has a container like every other value."""


class _RefusedError(Exception):
    def __init__(self, message: str, *field: str) -> None:
        super().__init__(message)
        self.field = field


def _apply(holder: _Holder, operation: Any, marks: Marks) -> None:
    if not isinstance(operation, Mapping) or operation.get("op") not in (*_OPERATIONS,):
        raise _RefusedError(f"op is one of {', '.join(_OPERATIONS)}")
    container, key = _find(holder, operation, "path")
    _OPERATIONS[operation["op"]](holder, container, key, operation, marks)


def _add(holder: Any, container: Any, key: Any, operation: Any, marks: Marks) -> None:
    place = _place(operation, "value" if "value" in operation else "path", marks)
    _put(container, key, _value(operation, marks), place, marks)


def _remove(holder: Any, container: Any, key: Any, operation: Any, marks: Marks) -> None:
    _take(container, key, marks)


def _replace(holder: Any, container: Any, key: Any, operation: Any, marks: Marks) -> None:
    _get(container, key)
    place = _place(operation, "value", marks)
    value = _value(operation, marks)
    container[key] = value
    marks.setdefault(id(container), [_UNKNOWN] * len(container))[_index(container, key)] = place


def _move(holder: Any, container: Any, key: Any, operation: Any, marks: Marks) -> None:
    old, name = _find(holder, operation, "from")
    if operation["path"].startswith(f"{operation['from']}/"):
        raise _RefusedError("cannot move a value into itself", "path")
    value, place = _take(old, name, marks)
    container, key = _find(holder, operation, "path")
    _put(container, key, value, place, marks)


def _copy(holder: Any, container: Any, key: Any, operation: Any, marks: Marks) -> None:
    old, name = _find(holder, operation, "from")
    value = _copied(_get(old, name, "from"), marks)
    _put(container, key, value, _place(operation, "path", marks), marks)


def _test(holder: Any, container: Any, key: Any, operation: Any, marks: Marks) -> None:
    found, wanted = _get(container, key), _value(operation, marks)
    if not _same(found, wanted):
        is_, not_ = _shown(found), _shown(wanted)
        raise _RefusedError(f"test failed: {operation['path']} is {is_}, not {not_}", "value")


def _shown(value: Any) -> str:
    """A value for a message, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


_OPERATIONS: Final[dict[str, Callable[[Any, Any, Any, Any, Marks], None]]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}


def _find(holder: _Holder, operation: Mapping[str, Any], field: str) -> tuple[Any, str | int]:
    """The container that a pointer (RFC 6901) ends in, and the key there."""
    pointer = operation.get(field)
    if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
        raise _RefusedError(f"{field} must be a JSON pointer such as /spec/trainer/image", field)
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    container: Any = holder
    key: str | int = 0
    for step in steps:
        container = _get(container, key, field)
        key = _key(container, step, field)
    return container, key


def _key(container: Any, step: str, field: str) -> str | int:
    if isinstance(container, dict):
        return step
    if not isinstance(container, list):
        raise _RefusedError(f"{step!r} leads into a plain value", field)
    if step == "-":
        return len(container)
    is_index = step.isascii() and step.isdigit() and len(step) <= _LONGEST_INDEX
    if not is_index or (step[0] == "0" and step != "0"):
        raise _RefusedError(f"{step[:_SHOWN]!r} is no index of a list", field)
    return int(step)


def _get(container: Any, key: Any, field: str = "path") -> Any:
    missing = key not in container if isinstance(container, dict) else key >= len(container)
    if missing:
        raise _RefusedError(f"nothing stands at {key!r}", field)
    return container[key]


def _put(container: Any, key: Any, value: Any, place: int, marks: Marks) -> None:
    places = marks.setdefault(id(container), [_UNKNOWN] * len(container))
    if isinstance(container, dict):
        known = key in container
        container[key] = value
        if known:
            places[_index(container, key)] = place
        else:
            places.append(place)
    elif key > len(container):
        raise _RefusedError(f"the list ends before {key}", "path")
    elif isinstance(container, _Holder):
        container[0] = value
    else:
        container.insert(key, value)
        places.insert(key, place)


def _take(container: Any, key: Any, marks: Marks) -> tuple[Any, int]:
    if isinstance(container, _Holder):
        raise _RefusedError("the object itself cannot be taken away", "path")
    value = _get(container, key)
    places = marks.setdefault(id(container), [_UNKNOWN] * len(container))
    place = places.pop(_index(container, key))
    del container[key]
    return value, place


def _index(container: Any, key: Any) -> int:
    return list(container).index(key) if isinstance(container, dict) else int(key)


def _value(operation: Mapping[str, Any], marks: Marks) -> Any:
    if "value" not in operation:
        raise _RefusedError(f"{operation['op']} needs a value")
    return _copied(operation["value"], marks)


def _place(operation: Mapping[str, Any], field: str, marks: Marks) -> int:
    places = marks.get(id(operation), [])
    index = list(operation).index(field) if field in operation else len(places)
    return places[index] if index < len(places) else _UNKNOWN


def _copied(value: Any, marks: Marks) -> Any:
    if isinstance(value, dict):
        out: Any = {key: _copied(item, marks) for key, item in value.items()}
    elif isinstance(value, list):
        out = [_copied(item, marks) for item in value]
    else:
        return value
    if id(value) in marks:
        marks[id(out)] = list(marks[id(value)])
    return out


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, bool) is not isinstance(other, bool):
        return False  # Python takes true for 1, JSON does not
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)
