"""Where the builder of documents is: the containers it is in, from the root down.

In: levels. Out: the path of the entry at hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from trainc.source.words import MERGE, SKIP, Sign

ITEM: Final = Sign("in a list: the next node is an item")
EXPECT: Final = Sign("in a mapping: the next node is a key")
Level = tuple[Any, list[int], Any]
"""The node being filled, its places, and the key at hand (or ``ITEM``, ``EXPECT``)."""


def path_of(levels: Sequence[Level]) -> list[str | int]:
    """The path of the entry at hand; the first level holds the document."""
    path: list[str | int] = []
    for node, _, key in levels[1:]:
        if key is ITEM:
            # A container is in its list before it is filled, a scalar is not yet.
            path.append(len(node) - (node is not levels[-1][0]))
        elif key is not EXPECT and key is not SKIP:
            path.append("<<" if key is MERGE else key)
    return path
