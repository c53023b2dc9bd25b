"""How far two words are apart: what a slip of the hand changes."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

MOST: Final = 64
"""Letters; words that are longer are far apart unless they are the same."""


@lru_cache(4096)
def distance(one: str, two: str) -> int:
    """Letters added, left out, replaced, or changed with their neighbour, at least.

    It is Damerau and Levenshtein's distance, each letter touched once.

    Example:
        >>> distance("nvidia", "nvdiia"), distance("gpu", "gpus")
        (1, 1)
    """
    if max(len(one), len(two)) > MOST:
        return 0 if one == two else MOST
    before: list[int] = []
    row: list[int] = [*range(len(two) + 1)]
    for i, letter in enumerate(one, 1):
        last, row = row, [i]
        for j, other in enumerate(two, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == two[j - 2] and one[i - 2] == other:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before = last
    return row[-1]
