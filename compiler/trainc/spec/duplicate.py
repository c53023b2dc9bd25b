"""Finds items of a list that the API server holds for the same one.

In: a document's root and the table of its keyed lists. Out: a yes or no in microseconds, or the
violations. Lists that are maps tell items apart by keys, sets by the whole item.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from trainc.errors import field_path
from trainc.kube.schema import Table
from trainc.spec.violation import Path, Violation


def unique(root: Any, table: Table) -> bool:
    """Whether no list of a document holds an item twice; its types must be right."""
    return _unique(root, table, len(table) - 1)


def duplicates(root: Any, table: Table) -> Iterator[Violation]:
    """Yields a violation for each item that an earlier one of its list equals."""
    return _duplicates(root, table, len(table) - 1, ())


def _unique(value: Any, table: Table, number: int) -> bool:
    keys, children = table[number]
    if type(value) is list:
        if keys and len(value) > 1 and _count(value, keys) < len(value):
            return False
        if not children:
            return True
    for item in value if type(value) is list else (value,):
        for key, child in item.items():
            if key in children and not _unique(child, table, children[key]):
                return False
    return True


def _count(items: list[Any], keys: Any) -> int:
    """Counts the identities of the items of a list; cheap, since every list comes by here."""
    if keys is True:
        return len(set(items))
    if len(keys) == 1:
        ((key, fallback),) = keys.items()
        return len({item.get(key, fallback) for item in items})
    return len({tuple([item.get(key, keys[key]) for key in keys]) for item in items})


def _duplicates(value: Any, table: Table, number: int, path: Path) -> Iterator[Violation]:
    keys, children = table[number]
    if type(value) is list:
        if keys:
            for index, first in _repeated(value, keys):
                yield Violation((*path, index), _words(value[index], keys, (*path, first)))
        for index, item in enumerate(value):
            yield from _duplicates_below(item, table, children, (*path, index))
    else:
        yield from _duplicates_below(value, table, children, path)


def _duplicates_below(
    value: Any, table: Table, children: dict[str, int], path: Path
) -> Iterator[Violation]:
    if type(value) is dict:
        for key, child in value.items():
            if key in children:
                yield from _duplicates(child, table, children[key], (*path, key))


def _repeated(items: list[Any], keys: Any) -> Iterator[tuple[int, int]]:
    """Yields the number of each item whose key came before, and the number of the first."""
    if keys is not True and not all(item is None or isinstance(item, dict) for item in items):
        return  # the API server asks for the keys of mappings only once all items are mappings
    seen: dict[str, int] = {}
    for index, item in enumerate(items):
        first = seen.setdefault(identity(item, keys), index)
        if first != index:
            yield index, first


def identity(item: Any, keys: Any) -> str:
    """Gives what tells an item apart: its keys in a map, where a key may lack, or all of it."""
    if keys is not True:
        given = item or {}
        item = {key: given.get(key, keys[key]) for key in keys}
    return json.dumps(item, sort_keys=True)


def _words(item: Any, keys: Any, first: Path) -> str:
    if keys is True:
        return f"must be unique: {json.dumps(item)} stands already in {field_path(first)}"
    known = {key: (item or {}).get(key, keys[key]) for key in keys}
    names = ", ".join(f"{key} {json.dumps(value)}" for key, value in known.items() if value)
    if not names:
        return f"must be unique: it has no {' or '.join(keys)}, nor has {field_path(first)}"
    return f"must be unique: {names} is taken by {field_path(first)}"
