"""What a template may do, counted: rounds, calls, items gone through, characters made.

In: what is about to be done. Out: nothing, or ``Limit``. Paid is before the work is done, so that
no expression, however short, can take memory or time that was not counted. Seconds are never
counted: the same template is refused everywhere, or nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

MAX_STEPS: Final = 1_000_000
"""Rounds of loops and calls of macros and functions, all templates of one rendering together."""
MAX_BYTES: Final = 16 << 20

STEP: Final = 64
"""A step in units; a unit is a character that an expression reads or makes."""
ITEM: Final = 16
"""An item that a filter or an operator goes through, in units."""


class Limit(Exception):  # noqa: N818  # a limit reached is the user's mistake, reported as one
    """A template does more than a template of manifests ever has to."""


class Budget:
    """What is left of one rendering's work."""

    def __init__(self, scale: int = 1) -> None:
        """Takes how many times the usual amount there is."""
        self.left = MAX_STEPS * STEP * scale

    def pay(self, units: int = STEP) -> None:
        """Counts work.

        Raises:
            Limit: There is not enough left.
        """
        self.left -= units
        if self.left < 0:
            raise Limit(f"takes more than {MAX_STEPS} steps of loops and calls")

    def text(self, length: int) -> None:
        """Counts one text or list that is made, of a length no manifest can have or less."""
        if length > MAX_BYTES:
            raise Limit(f"renders more than {MAX_BYTES >> 20} MiB")
        self.pay(length)

    def deep(self, value: Any) -> None:
        """Counts a value with everything in it, as often as it stands there."""
        self.pay(weight(value, self.left))

    def each(self, items: Any, units: int = STEP) -> Iterator[Any]:
        """The items, each counted when it is taken."""
        for item in items:
            self.pay(units)
            yield item


def weight(value: Any, most: int) -> int:
    """Returns the size of a value and all that is in it, in units; counts no further than most."""
    total, todo = 0, [value]
    while todo and total <= most:
        item = todo.pop()
        total += ITEM
        if isinstance(item, str):
            total += len(item)
        elif isinstance(item, Mapping):
            todo += item.keys()
            todo += item.values()
        elif isinstance(item, list | tuple):
            todo += item
    return total
