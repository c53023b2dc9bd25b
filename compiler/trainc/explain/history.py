"""Who changed what: the values of each field from stage to stage.

In: trees of plain data, one a stage. Out: a tree of the last one's form whose leaves tell the
stages that set them. Items of lists are paired by their key, words of a command by their sequence,
so that what a policy puts in front does not make the rest its own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any, Final, NamedTuple

# How items of lists are told apart; a mount's name is its volume's, so its path comes first.
_KEYS: Final = ("mountPath", "devicePath", "containerPort", "name", "ip")
_NONE: Final = object()


class Was(NamedTuple):
    """A value that a field had.

    Attributes:
        stage: Number of the stage that set it.
        path: Where it stood then.
        value: What it was.
    """

    stage: int
    path: tuple[str | int, ...]
    value: Any


# The values of a leaf, the last one last.
History = tuple[Was, ...]


def history(trees: Sequence[Any]) -> Any:
    """The last tree with the history of each leaf in its place."""
    out = _carried(_NONE, _NONE, trees[0], 0, ())
    for number, tree in enumerate(trees[1:], 1):
        out = _carried(trees[number - 1], out, tree, number, ())
    return out


def key_of(item: Any) -> str:
    """The field that an item of a list is known by; empty where it has none."""
    if not isinstance(item, dict):
        return ""
    return next((key for key in _KEYS if key in item), "")


def _carried(old: Any, told: Any, new: Any, stage: int, path: tuple[str | int, ...]) -> Any:
    """The histories of ``new``, given those of ``old``, which stood at the same place."""
    if isinstance(new, dict) and new:
        known = isinstance(old, dict) and isinstance(told, dict)
        return {
            key: _carried(
                old.get(key, _NONE) if known else _NONE,
                told.get(key, _NONE) if known else _NONE,
                value,
                stage,
                (*path, key),
            )
            for key, value in new.items()
        }
    if isinstance(new, list) and new:
        pairs = _pairs(old, new) if isinstance(old, list) and isinstance(told, list) else {}
        return [
            _carried(
                old[pairs[index]] if index in pairs else _NONE,
                told[pairs[index]] if index in pairs else _NONE,
                value,
                stage,
                (*path, index),
            )
            for index, value in enumerate(new)
        ]
    was: History = told if isinstance(told, tuple) else ()
    if was and type(was[-1].value) is type(new) and was[-1].value == new:
        return was
    return (*was, Was(stage, path, new))


def _pairs(old: list[Any], new: list[Any]) -> dict[int, int]:
    """The index of each item of ``new`` -> that of the same item of ``old``."""
    if all(key_of(item) for item in (*old, *new)):
        known = {_name(item): index for index, item in reversed([*enumerate(old)])}
        found = ((index, known.get(_name(item))) for index, item in enumerate(new))
        return {index: place for index, place in found if place is not None}
    before, after = ([json.dumps(item, sort_keys=True) for item in part] for part in (old, new))
    blocks = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    out = {block.b + n: block.a + n for block in blocks for n in range(block.size)}
    if len(old) == len(new):
        out = {index: index for index in range(len(new)) if index not in out} | out
    return out


def _name(item: dict[str, Any]) -> tuple[str, str]:
    key = key_of(item)
    return key, str(item[key])
