"""The comment by which an editor finds a file's schema: ``# yaml-language-server: $schema=...``.

In: a file's text and where the schema is. Out: the text with the comment as its first line, or in
the place of the one it had; everything else byte for byte.
"""

from __future__ import annotations

from typing import Final

_BEGINS: Final = "# yaml-language-server:"
_SCHEMA: Final = "$schema="


def modeline(schema: str) -> str:
    """The comment, without a line break.

    Args:
        schema: URL of the schema, or its path from the file's own folder.
    """
    return f"{_BEGINS} {_SCHEMA}{schema}"


def with_modeline(text: str, schema: str) -> str:
    """The text with the comment.

    Args:
        text: Of the file, its line ends as they are.
        schema: URL of the schema, or its path from the file's own folder.
    """
    lines = text.splitlines(keepends=True)
    for index, line in enumerate(lines):
        if line.strip() and not line.startswith("#"):
            break  # an editor looks no further than the first comments
        if line.startswith(_BEGINS) and _SCHEMA in line:
            ending = line[len(line.rstrip("\r\n")) :]
            return "".join([*lines[:index], modeline(schema) + ending, *lines[index + 1 :]])
    ending = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    return f"{modeline(schema)}{ending}{text}"
