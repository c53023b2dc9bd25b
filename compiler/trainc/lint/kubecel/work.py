"""The work of one rule for one job, counted: values compared, items and characters made.

Loops are counted elsewhere; here is what a single function does. Values that share parts are
counted as often as they are looked at, so that thirty nested pairs are a billion.
"""

from __future__ import annotations

from typing import Final

MOST: Final = 5_000_000
"""Steps, of 0.1 microseconds: an item of a list that is copied, or 16 characters of a text."""
COMPARED: Final = 200
"""Steps of two values that are compared."""
MADE: Final = 60
"""Steps of a value that is made: a number or a text of its own."""
_CHARACTERS: Final = 16


class Exceeded(Exception):  # noqa: N818 - no CELEvalError, which ``||`` would swallow
    """The work of a rule is more than it may be."""


class _Budget:
    left = MOST


def allow() -> None:
    """Starts a rule for a job."""
    _Budget.left = MOST


def spent() -> int:
    """The steps that the rule at hand has taken."""
    return MOST - _Budget.left


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
