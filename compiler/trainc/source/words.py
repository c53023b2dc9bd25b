"""Plain scalars and keys, resolved once for each text.

In comes the text of a plain scalar, out goes its value. A thousand files hold the same few
hundred words, so looking up beats resolving; equal texts also come out as one object.
"""

from __future__ import annotations

from typing import Any, Final

from trainc.source import scalar


class Sign:
    """A value that no file can hold: states and special keys of the builder."""

    __slots__ = ("meaning",)

    def __init__(self, meaning: str) -> None:
        """Takes what the sign means, for whoever debugs."""
        self.meaning = meaning


MERGE: Final = Sign("the key <<")
SKIP: Final = Sign("refused: a value JSON cannot hold, a key that cannot be one")

_MOST: Final = 1 << 16
_LONGEST: Final = 128


class _Words(dict[str, Any]):
    """The value of each plain scalar; ``SKIP`` for what JSON cannot hold."""

    def __missing__(self, text: str) -> Any:
        value: Any = scalar.resolve(text)
        return _kept(self, text, value if scalar.is_json(value) else SKIP)


class _Keys(dict[str, Any]):
    """Each plain key as the string kubectl makes of it; ``SKIP`` where it refuses."""

    def __missing__(self, text: str) -> Any:
        name = scalar.key_text(scalar.plain(text))
        return _kept(self, text, MERGE if text == "<<" else SKIP if name is None else name)


def _kept(known: dict[str, Any], text: str, value: Any) -> Any:
    if len(known) < _MOST and len(text) <= _LONGEST:
        known[text] = value
    return value


WORDS: Final = _Words()
KEYS: Final = _Keys()
