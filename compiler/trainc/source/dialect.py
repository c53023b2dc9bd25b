"""What kubectl reads and libyaml does not, put into words that libyaml reads.

In come the bytes of a file as they are, out go bytes that mean the same: UTF-16 as UTF-8, a last
line that ends, JSON's surrogate pairs as one letter, a colon inside a plain word of a flow
sequence (``[http://host:80]``) as a stand-in. Lines stay as they are, and nearly all columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from trainc.source.libyaml import Event

COLON_REFUSED: Final = "found unexpected ':'"
"""How libyaml's complaint about such a colon begins."""

_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_PRIVATE: Final = range(0xE000, 0xF8FF)


def readable(data: bytes) -> bytes:
    """Returns the bytes of a file as libyaml should get them."""
    if data[:2] in _UTF16:
        # What does not decode is left to libyaml, which tells the place.
        data = data.decode("utf-16", "surrogatepass").encode("utf-8", "surrogatepass")
    if b"\\ud" in data.lower() and data.lstrip()[:1] == b"{":
        data = _one_letter(data)
    # kubectl gives the last line an end, on which block scalars depend.
    return data if data.endswith(b"\n") else data + b"\n"


def hide_colons(data: bytes) -> tuple[bytes, str]:
    """Returns the bytes with a stand-in for each colon inside a plain word, and the stand-in.

    A colon that is syntax stays: it ends its word, begins it, or follows a quote.
    """
    known = data.decode("utf-8", "replace")
    stand_in = next(chr(code) for code in _PRIVATE if chr(code) not in known)
    letter = stand_in.encode()
    pattern = rb"""(?<![^\s,\[\]{}])[^\s,\[\]{}"'!&*%#:][^\s,\[\]{}]*"""
    return re.sub(
        pattern, lambda word: re.sub(rb"""(?<!["']):(?!$)""", letter, word[0]), data
    ), stand_in


def show_colons(events: Iterable[Event], stand_in: str) -> Iterator[Event]:
    """Yields events with their colons again."""
    for event in events:
        yield tuple(
            part.replace(stand_in, ":") if part.__class__ is str else part for part in event
        )


def _one_letter(data: bytes) -> bytes:
    r"""JSON writes a letter beyond U+FFFF as two halves (\ud83d\ude00), YAML as \U0001f600."""
    pairs = rb"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
    return re.sub(pairs, _joined, data)


def _joined(match: re.Match[bytes]) -> bytes:
    high, low = int(match[2], 16) - 0xD800, int(match[3], 16) - 0xDC00
    return match[1] + rb"\U%08x" % (0x10000 + (high << 10) + low)
