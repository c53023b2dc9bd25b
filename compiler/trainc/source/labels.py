"""Label selectors as Kubernetes has them: text as kubectl takes it, or ``matchLabels`` and so on.

In: what a patch says. Out: requirements, all of which the labels of an object must meet. The rules
are those of k8s.io/apimachinery/pkg/labels: what is excluded need not be there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

Operator = Literal["In", "NotIn", "Exists", "DoesNotExist"]

_KEY: Final = r"[A-Za-z0-9](?:[-\w./]*[A-Za-z0-9])?"
_VALUE: Final = r"(?:[A-Za-z0-9](?:[-\w.]*[A-Za-z0-9])?)?"
_MOST: Final = 1000  # requirements and values of a selector
_LONGEST: Final = 64_000  # characters
_EQUAL: Final = re.compile(rf"({_KEY})\s*(==|=|!=)\s*({_VALUE})", re.ASCII)
_SET: Final = re.compile(
    rf"({_KEY})\s+(in|notin)\s*\(\s*({_VALUE}(?:\s*,\s*{_VALUE})*)\s*\)", re.ASCII
)
_THERE: Final = re.compile(rf"(!?)\s*({_KEY})", re.ASCII)
_MAP_KEYS: Final = ("matchLabels", "matchExpressions")
_OPERATORS: Final[tuple[Operator, ...]] = ("In", "NotIn", "Exists", "DoesNotExist")


class SelectorError(Exception):
    """A selector that cannot be read; ``path`` leads to the place in it."""

    def __init__(self, message: str, *path: str | int) -> None:
        """Keeps the place beside the message."""
        super().__init__(message)
        self.path = path


class Requirement(NamedTuple):
    """What a label must be.

    Attributes:
        key: The label's name.
        operator: As in ``matchExpressions``.
        values: For ``In`` and ``NotIn``.
    """

    key: str
    operator: Operator = "Exists"
    values: tuple[str, ...] = ()

    def holds(self, labels: Mapping[str, Any]) -> bool:
        """Whether the labels of an object meet it."""
        there = self.key in labels
        if self.operator in ("Exists", "DoesNotExist"):
            return there is (self.operator == "Exists")
        return (there and labels[self.key] in self.values) is (self.operator == "In")

    def __str__(self) -> str:
        """The requirement as kubectl takes it."""
        if self.operator in ("Exists", "DoesNotExist"):
            return self.key if self.operator == "Exists" else f"!{self.key}"
        if len(self.values) == 1:
            return f"{self.key}{'=' if self.operator == 'In' else '!='}{self.values[0]}"
        return f"{self.key} {self.operator.lower()} ({','.join(self.values)})"


def requirements(written: str | Mapping[str, Any]) -> tuple[Requirement, ...]:
    """Reads a selector.

    Args:
        written: Text (``team=a,tier in (x,y),!spot``), a map of labels, or a LabelSelector.

    Raises:
        SelectorError: It is none.
    """
    if isinstance(written, str):
        return tuple(_of_text(part) for part in map(str.strip, _parts(written)) if part)
    if not any(key in written for key in _MAP_KEYS):
        return _of_labels(written, ())
    for key in written:
        if key not in _MAP_KEYS:
            raise SelectorError(f"unknown key {key!r}", key)
    labels, items = written.get("matchLabels") or {}, written.get("matchExpressions") or []
    if not isinstance(labels, dict):
        raise SelectorError("must be a map of labels", "matchLabels")
    if not isinstance(items, list):
        raise SelectorError("must be a list", "matchExpressions")
    found = (_of_item(item, "matchExpressions", index) for index, item in enumerate(items))
    return (*_of_labels(labels, ("matchLabels",)), *found)


def _parts(text: str) -> list[str]:
    """What stands between the commas that are in no parentheses.

    Raises:
        SelectorError: It is longer than any selector of Kubernetes.
    """
    if len(text) > _LONGEST:
        raise SelectorError(f"a selector is at most {_LONGEST} characters long")
    parts, depth = [""], 0
    for piece in text.split(","):
        if depth:
            parts[-1] += f",{piece}"
        else:
            parts.append(piece)
        depth = max(depth + piece.count("(") - piece.count(")"), 0)
    if len(parts) > _MOST:
        raise SelectorError(f"a selector has at most {_MOST} requirements")
    return parts


def _of_text(part: str) -> Requirement:
    if match := _EQUAL.fullmatch(part):
        return Requirement(match[1], "NotIn" if match[2] == "!=" else "In", (match[3],))
    if match := _SET.fullmatch(part):
        values = tuple(value.strip() for value in match[3].split(","))
        return Requirement(match[1], "NotIn" if match[2] == "notin" else "In", values)
    if match := _THERE.fullmatch(part):
        return Requirement(match[2], "DoesNotExist" if match[1] else "Exists")
    raise SelectorError(f"{part!r} is no requirement")


def _of_labels(labels: Mapping[str, Any], path: tuple[str, ...]) -> tuple[Requirement, ...]:
    for key, value in labels.items():
        if not isinstance(value, str):
            raise SelectorError("the value of a label is text: put it in quotes", *path, key)
    return tuple(Requirement(key, "In", (value,)) for key, value in labels.items())


def _of_item(item: Any, *path: str | int) -> Requirement:
    key, operator = (item["key"], item.get("operator")) if _is_item(item) else ("", None)
    if not isinstance(key, str) or not key or operator not in _OPERATORS:
        raise SelectorError(f"needs key, and operator: one of {', '.join(_OPERATORS)}", *path)
    values = item.get("values") or []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise SelectorError("values is a list of texts", *path)
    if bool(values) is not (operator in ("In", "NotIn")):
        raise SelectorError(f"{operator} with{'' if values else 'out'} values", *path)
    return Requirement(key, operator, tuple(values))


def _is_item(item: Any) -> bool:
    known = {"key", "operator", "values"}
    return isinstance(item, dict) and "key" in item and known.issuperset(item)
