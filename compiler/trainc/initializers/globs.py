"""Patterns in a URI, where people look for them and no provider does.

In: a URI that names nothing. Out: what to write instead.
"""

from __future__ import annotations

import re

_PATTERN = re.compile(r"[*?\[]")


def glob_hint(uri: str) -> str:
    """The end of a message: the folder and ``ALLOW_PATTERNS``; empty where there is no pattern."""
    match = _PATTERN.search(uri)
    if match is None:
        return ""
    folder, _, pattern = uri[: match.start()].rpartition("/")
    pattern += uri[match.start() :]
    return f"; a URI is no pattern: write {folder} with ALLOW_PATTERNS={pattern}"
