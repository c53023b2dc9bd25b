"""The work of one rule for one job, counted: values compared, items and characters made.

Loops are counted elsewhere; here is what a single function does. Values that share parts are
counted as often as they are looked at, so that thirty nested pairs are a billion.
"""

from __future__ import annotations

from typing import Final

MOST: Final = 1_000_000
"""Steps: a value looked at, an item of a list, or 16 characters of a text."""
_CHARACTERS: Final = 16


class Exceeded(Exception):  # noqa: N818 - no CELEvalError, which ``||`` would swallow
    """The work of a rule is more than it may be."""


class _Budget:
    left = MOST


def allow(steps: int = MOST) -> None:
    """Starts a rule, with so many steps."""
    _Budget.left = steps


def spend(steps: int = 1) -> None:
    """Counts steps.

    Raises:
        Exceeded: There are no more.
    """
    _Budget.left -= steps
    if _Budget.left < 0:
        raise Exceeded


def spend_text(characters: int) -> None:
    """Counts characters that are made or looked through."""
    spend(1 + characters // _CHARACTERS)
