"""What an edit changes, for a person to read."""

from __future__ import annotations

from difflib import unified_diff


def difference(name: str, old: str, new: str) -> str:
    """A unified diff of two texts of a file; empty where they are equal."""
    lines = unified_diff(_lines(old), _lines(new), name, name)
    return "".join(lines)


def _lines(text: str) -> list[str]:
    """The lines of a text, each with a line feed at its end, whatever it has in the file."""
    return [f"{line}\n" for line in text.splitlines()]
