"""The fields in which two versions of an object differ.

In: two trees of plain data. Out: one ``Field`` for each leaf that differs, is new or is gone. Items
of lists are paired by what Kubernetes knows them by; where they have no such key, by their place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from trainc.diff.change import ABSENT, Field, Path

# What items of a list are known by, the most telling first: a mount's name is not its own.
_KEYS: Final = (
    ("mountPath",),
    ("devicePath",),
    ("containerPort", "protocol"),
    ("topologyKey", "whenUnsatisfiable"),
    ("manager",),
    ("name",),
    ("ip",),
)
_DEFAULTS: Final = {"protocol": "TCP"}
_HIDDEN: Final = ("data", "stringData")


def differences(old: Any, new: Any) -> tuple[Field, ...]:
    """The differences between two objects; values of Secrets are not in them."""
    found = tuple(_between(old, new, (), ""))
    if isinstance(new, dict) and new.get("kind") == "Secret":
        return tuple(_hidden(field) for field in found)
    return found


class Redacted(str):
    """Stands for a value that must not be shown."""

    __slots__ = ()


def _hidden(field: Field) -> Field:
    if not field.path or field.path[0] not in _HIDDEN:
        return field
    old, new = (v if v is ABSENT else Redacted("(hidden)") for v in (field.old, field.new))
    return field._replace(path=field.path[:2], old=old, new=new)


def _between(old: Any, new: Any, path: Path, item: str) -> Iterator[Field]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in (*new, *(key for key in old if key not in new)):
            yield from _between(old.get(key, ABSENT), new.get(key, ABSENT), (*path, key), item)
    elif isinstance(old, list) and isinstance(new, list):
        keys = keys_of(old, new)
        if keys:
            yield from _keyed(old, new, keys, path, item)
        elif len(old) == len(new):
            for index, (before, after) in enumerate(zip(old, new, strict=True)):
                yield from _between(before, after, (*path, index), item)
        elif old != new:
            yield Field(path, old, new, item)
    elif type(old) is not type(new) or old != new:
        yield Field(path, old, new, item)


def _keyed(
    old: list[Any], new: list[Any], keys: tuple[str, ...], path: Path, item: str
) -> Iterator[Field]:
    before = {named(each, keys): each for each in old}
    after = {named(each, keys): each for each in new}
    for index, (name, each) in enumerate(after.items()):
        yield from _between(before.get(name, ABSENT), each, (*path, index), name)
    for index, (name, each) in enumerate(before.items()):
        if name not in after:
            yield Field((*path, index), each, ABSENT, name)
    common = [name for name in before if name in after]
    moved = [name for name in after if name in before]
    if common != moved:
        yield Field(path, common, moved, "order" if not item else f"{item}, order")


def keys_of(old: list[Any], new: list[Any]) -> tuple[str, ...]:
    """The fields that tell the items of each of two lists apart; empty where none do."""
    items = [*old, *new]
    if not items or not all(isinstance(each, dict) for each in items):
        return ()
    for keys in _KEYS:
        if all(keys[0] in each for each in items) and all(
            len({named(each, keys) for each in part}) == len(part) for part in (old, new)
        ):
            return keys
    return ()


def named(each: dict[str, Any], keys: tuple[str, ...]) -> str:
    """What an item of a list is known by."""
    found = (each.get(key, _DEFAULTS.get(key)) for key in keys)
    return "/".join(str(value) for value in found if value is not None)
