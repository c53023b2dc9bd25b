"""What an edit changes, for a person to read."""

from __future__ import annotations

from difflib import unified_diff

_MOST = 4 << 20  # letters: comparing takes time that grows with the square


def difference(name: str, old: str, new: str) -> str:
    """A unified diff of two texts; empty where they are equal, short where they are large."""
    if old != new and len(old) > _MOST:
        return f"--- {name}\n+++ {name}\n@@ too large to be shown @@\n"
    lines = unified_diff(_lines(old), _lines(new), name, name)
    return "".join(lines)


def _lines(text: str) -> list[str]:
    """The lines of a text, each with a line feed at its end, whatever it has in the file."""
    return [f"{line}\n" for line in text.splitlines()]
