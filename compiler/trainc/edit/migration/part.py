"""A map that is taken apart: what is taken, and what nobody took.

In: a map of an older API. Out: its values, one by one; a ``Lost`` for each key without counterpart.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any, NamedTuple

from trainc.errors import Severity

Path = tuple[str | int, ...]


class Lost(NamedTuple):
    """What the new API cannot say; as a warning, what reads differently there."""

    path: Path
    message: str = "has no counterpart"
    hint: str = ""
    severity: Severity = "error"


class Part:
    """A map at its place in the document."""

    def __init__(self, node: Any, path: Path, lost: list[Lost]) -> None:
        """Takes what stands at a path; what is no map is lost as a whole."""
        self.path, self.lost = path, lost
        self.node: Mapping[str, Any] = node if isinstance(node, dict) else {}
        self._taken: set[str] = set()
        if node is not None and not isinstance(node, dict):
            self.lose("must be a map")

    def take(self, key: str, default: Any = None) -> Any:
        """The value of a key, which then has a counterpart."""
        self._taken.add(key)
        value = self.node.get(key)
        return default if value is None else value

    def part(self, key: str) -> Part:
        """The map under a key."""
        return Part(self.take(key), (*self.path, key), self.lost)

    def items(self, key: str) -> list[Part]:
        """The maps of the list under a key."""
        value = self.take(key, [])
        if not isinstance(value, list):
            self.lose("must be a list", key)
            return []
        return [Part(item, (*self.path, key, n), self.lost) for n, item in enumerate(value)]

    def number(self, key: str, default: int) -> int:
        """The whole number under a key."""
        value = self.take(key, default)
        if isinstance(value, int) and not isinstance(value, bool):
            return int(value)
        self.lose("must be a whole number", key)
        return default

    def flag(self, key: str) -> bool:
        """The boolean under a key, False where there is none."""
        value = self.take(key, False)
        if not isinstance(value, bool):
            self.lose("must be true or false", key)
        return value is True

    def text(self, key: str, default: str = "") -> str:
        """The text under a key."""
        value = self.take(key, default)
        if isinstance(value, str):
            return str(value)
        self.lose("must be a text", key)
        return default

    def move(self, key: str, target: MutableMapping[str, Any], name: str = "") -> None:
        """Puts the value of a key, with its comments, into another map."""
        value = self.take(key)
        if value is not None:
            target[name or key] = value
            keep_comment(self.node, key, target, name or key)

    def lose(self, message: str, key: str = "", hint: str = "") -> None:
        """Lists a key, or the whole map, as lost."""
        self.lost.append(Lost((*self.path, key) if key else self.path, message, hint))

    def warn(self, message: str, key: str = "", hint: str = "") -> None:
        """Lists a key, or the whole map, as one to look after."""
        self.lost.append(Lost((*self.path, key) if key else self.path, message, hint, "warning"))

    def note(self, message: str, key: str) -> None:
        """Says of a key what became of it, where nobody has to look after it."""
        self.lost.append(Lost((*self.path, key), message, "", "note"))

    def drop(self, *keys: str) -> None:
        """Leaves keys behind that say nothing."""
        self._taken.update(keys)

    def close(self, hints: Mapping[str, str] | None = None) -> None:
        """Lists every key that was not taken."""
        for key, value in self.node.items():
            if key not in self._taken and value is not None:
                self.lost.append(Lost((*self.path, key), hint=(hints or {}).get(key, "")))


def new(**items: Any) -> dict[str, Any]:
    """A new map in block style; values that are None or empty are left out."""
    from ruamel.yaml.comments import CommentedMap

    kept = {key: value for key, value in items.items() if value not in (None, {}, [])}
    made: dict[str, Any] = CommentedMap(kept)
    return made


def merge_into(target: MutableMapping[str, Any], source: Mapping[str, Any]) -> None:
    """Adds the entries of a map to another one, with their comments."""
    for key, value in source.items():
        target[key] = value
        keep_comment(source, key, target, key)


def keep_comment(
    source: Mapping[str, Any], key: str, target: MutableMapping[str, Any], name: str
) -> None:
    """Carries the comment behind a key over; plain data have none."""
    comments = getattr(source, "ca", None)
    if comments is not None and key in comments.items:
        target.ca.items[name] = comments.items[key]  # type: ignore[attr-defined]
