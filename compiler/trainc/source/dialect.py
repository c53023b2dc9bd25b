"""What kubectl reads and libyaml does not, put into words that libyaml reads.

In come the bytes of a file as they are, out go bytes that mean the same: UTF-16 as UTF-8, a last
line that ends, JSON's surrogate pairs as one letter, a colon inside a plain word of a flow
sequence (``[http://host:80]``) as a stand-in. Lines stay as they are, and nearly all columns.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final, NamedTuple

from trainc.source.libyaml import SCALAR_LENGTH, Event, RefusedError

COLON_REFUSED: Final = "found unexpected ':'"
"""How libyaml's complaint about such a colon begins."""

_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_PRIVATE: Final = (*range(0xE000, 0xF900), *range(0xF0000, 0xF0100))
_OTHER_BREAKS: Final = "\u0085\u2028\u2029"


def readable(data: bytes) -> bytes:
    """Returns the bytes of a file as libyaml should get them."""
    if data[:2] in _UTF16:
        try:
            data = data.decode("utf-16").encode()
        except UnicodeDecodeError:
            return data  # and libyaml tells where it breaks
    if b"\\ud" in data.lower() and data.lstrip()[:1] == b"{":
        data = _one_letter(data)
    # kubectl gives the last line an end, on which block scalars depend.
    return data if data.endswith(b"\n") else data + b"\n"


def hide_colons(data: bytes) -> tuple[bytes, str]:
    """Returns the bytes with a stand-in for each colon inside a plain word, and the stand-in.

    A colon that is syntax stays: it ends its word, begins it, or follows a quote. Where no letter
    is free to stand in, the bytes stay as they are.
    """
    known = set(data.decode("utf-8", "replace"))
    stand_in = next((chr(code) for code in _PRIVATE if chr(code) not in known), ":")
    letter = stand_in.encode()
    word = rb"""(?<![^\s,\[\]{}])[^\s,\[\]{}!&*%#:][^\s,\[\]{}]*"""
    inside = re.compile(rb"""(?<!["']):(?!$)""")
    return re.sub(word, lambda found: inside.sub(letter, found[0]), data), stand_in


def show_colons(events: Iterable[Event], stand_in: str) -> Iterator[Event]:
    """Yields events with their colons again."""
    for event in events:
        yield tuple(
            part.replace(stand_in, ":") if part.__class__ is str else part for part in event
        )


class Place(NamedTuple):
    """Where an event begins, counted from 0, as libyaml's marks tell it."""

    line: int
    column: int


def place_of(data: bytes, offset: int) -> tuple[int, int]:
    """Returns the line and the column, in bytes, of an offset; both count from 1."""
    before = data[:offset]
    line = before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n") + 1
    return line, offset - max(before.rfind(b"\n"), before.rfind(b"\r"))


def offset_of(data: bytes, line: int) -> int:
    """Returns where a line begins, counted from 1; -1 where the text has fewer."""
    if line == 1:
        return 0
    ends = (found.end() for found in re.finditer(rb"\r\n?|\n", data))
    return next(islice(ends, line - 2, None), -1)


def has_other_breaks(data: bytes) -> bool:
    """Whether the text holds what ends a line for YAML 1.1, and for no editor."""
    return not data.isascii() and any(letter.encode() in data for letter in _OTHER_BREAKS)


def at_lines(events: Iterable[Event], data: bytes) -> Iterator[Event]:
    """Yields events at the lines an editor shows, where YAML 1.1 counts others.

    Args:
        events: The events of a stream.
        data: What the stream was made of.
    """
    starts = _starts(data.decode("utf-8", "replace"))
    last = len(starts) - 1

    def moved(mark: Any) -> Place:
        line, column = starts[min(mark.line, last)]
        return Place(line, column + mark.column)

    try:
        for event in events:
            index = 4 if len(event) == SCALAR_LENGTH else 1
            if len(event) > 1:
                event = (*event[:index], moved(event[index]), *event[index + 1 :])
            yield event
    except RefusedError as refused:
        if refused.line >= 0:
            refused.line, refused.column = moved(refused)
            refused.context_line = starts[min(refused.context_line, last)].line
        raise


def _starts(text: str) -> list[Place]:
    """Where each line of YAML 1.1 begins."""
    starts = [Place(0, 0)]
    line, begin = 0, 0
    for found in re.finditer(f"\r\n|[\n\r{_OTHER_BREAKS}]", text):
        if found[0] not in _OTHER_BREAKS:
            line, begin = line + 1, found.end()
        starts.append(Place(line, found.end() - begin))
    return starts


def _one_letter(data: bytes) -> bytes:
    r"""JSON writes a letter beyond U+FFFF as two halves (\ud83d\ude00), YAML as \U0001f600."""
    pairs = rb"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
    return re.sub(pairs, _joined, data)


def _joined(match: re.Match[bytes]) -> bytes:
    high, low = int(match[2], 16) - 0xD800, int(match[3], 16) - 0xDC00
    return match[1] + rb"\U%08x" % (0x10000 + (high << 10) + low)
