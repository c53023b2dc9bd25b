"""What one build may do, counted in units: never in seconds.

One ``Budget`` is made for a command, handed down to every room that repeats what a file asks for
(reading, templates, patches, rules), and paid from before the work is done. So no file, however
short, takes time or memory that was not counted, and the same input is refused everywhere or
nowhere. A unit is about five nanoseconds of work or half a byte that is kept; what a room charges
is measured there.

Reading and compiling what people write earns more than it costs: a project may be as large as it
likes, but what is written in it may be multiplied only so often.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import Any, Final

from trainc import codes
from trainc.errors import Mark, Problem, TraincError

STEP: Final = 64
"""Units of a step, which is what messages count in: a round of a loop, a call."""
UNITS: Final = 8_000_000 * STEP
"""What a build starts with: two or three seconds, 256 MB."""
ITEM: Final = 16
"""Units of a value that is looked at."""
BYTE: Final = 20
"""Units that each byte of a file brings along: as much as reading and compiling YAML costs."""
JOB: Final = 30_000
"""Units that each TrainJob brings along, for the templates and patches that are about it."""
EVENT: Final = 130
"""Units of an event of YAML: a scalar, or the begin or end of what holds others."""
CONTAINER: Final = 250
"""Units of a list or map besides its two events."""
DOCUMENT: Final = 2500
"""Units of a document besides, and of what is said about it."""
_HOLDER: Final = 100  # units of a list or map besides what it holds
RULES: Final = 30_000_000
"""Steps of rules in CEL that a build starts with, for all rules and jobs: about three seconds."""
RULES_OF_JOB: Final = 100_000
"""Steps of rules that each TrainJob brings along."""
ROUND: Final = 1000
"""Steps of a rule that is evaluated, and of each round of its loops."""
MAX_BYTES: Final = 16 << 20
"""Bytes of one text or list; an API server takes objects of 1.5 MiB."""
MAX_DEPTH: Final = 200
"""How deep a value may nest; C code that compares, hashes or prints one recurses over it."""

_FLAT: Final = frozenset((int, float, bool, type(None)))
_HINT: Final = "what repeats (loops, copies, long text) multiplies: repeat less, or less often"


class LimitError(TraincError):
    """More than a build may do, or than an object can hold; says so where it was met."""

    def __init__(self, message: str, mark: Mark | None = None, *, hint: str = "") -> None:
        """Takes what is wrong and, where the room that counts knows it, the place."""
        super().__init__([Problem(message, codes.BUDGET, mark, hint=hint)])
        self.message, self.hint = message, hint

    def __str__(self) -> str:
        """The message alone, for rooms that know the place."""
        return self.message


class Budget:
    """What is left of a build's work.

    Attributes:
        left: Units.
        rules: Steps of rules in CEL; they are interpreted slowly, and have an account of their own.
    """

    __slots__ = ("_total", "left", "rules")

    def __init__(self, units: int = UNITS) -> None:
        """Takes what there is to begin with."""
        self._total = self.left = units
        self.rules = RULES

    @property
    def is_spent(self) -> bool:
        """Whether nothing is left: whatever is done next is refused."""
        return self.left < 0

    def pay(self, units: int) -> None:
        """Counts work that is about to be done.

        Raises:
            LimitError: There is not enough left.
        """
        self.left -= units
        if self.left < 0:
            raise LimitError(f"the build takes more than {self._total // STEP} steps", hint=_HINT)

    def earn(self, units: int) -> None:
        """Takes what comes with something that a person wrote."""
        self.left += units

    def made(self, units: int) -> None:
        """Counts one text or list that is made.

        Raises:
            LimitError: There is not enough left, or no manifest can hold it.
        """
        if units > 2 * MAX_BYTES:
            raise LimitError(f"makes a value of more than {MAX_BYTES >> 20} MiB")
        self.pay(units)

    def deep(self, value: Any) -> None:
        """Counts a value with everything in it, as often as it stands there.

        Raises:
            LimitError: There is not enough left, or the value nests too deeply.
        """
        kind = value.__class__
        if kind is str:
            self.pay(ITEM + letters(value))
        else:
            self.pay(ITEM if kind in _FLAT else weight(value, self.left))

    def each(self, items: Any, units: int = STEP) -> Iterator[Any]:
        """The items, each counted before it is handed out."""
        for item in items:
            self.pay(units)
            yield item


def letters(text: str) -> int:
    """Units of a text: two for each byte, of which a letter has up to four."""
    return 2 * len(text) if text.isascii() else 8 * len(text)


def weight(value: Any, most: int) -> int:
    """The size of a value and all that is in it, in units; counts no further than ``most``.

    A value that several hold is counted for each: who compares, hashes or prints them goes through
    it each time.

    Raises:
        LimitError: It is nested deeper than ``MAX_DEPTH``.
    """
    total, level, depth = ITEM, [value], 0
    while level:
        below: list[Any] = []
        for item in level:
            if item.__class__ in _FLAT:
                continue
            if isinstance(item, str):
                total += letters(item)
                continue
            inside = _inside(item)
            total += _HOLDER + ITEM * sum(map(len, inside))
            if total > most:
                return total
            for each in inside:
                below += each
        level, depth = below, depth + 1
        if depth > MAX_DEPTH and below:
            raise LimitError(f"a value is nested deeper than {MAX_DEPTH} levels")
    return total


def _inside(value: Any) -> tuple[Any, ...]:
    """The collections that a value consists of."""
    if isinstance(value, Mapping):
        return value.keys(), value.values()
    if isinstance(value, list | tuple | range | KeysView | ValuesView | ItemsView):
        return (value,)
    return ()
