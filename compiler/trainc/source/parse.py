"""The text of one file to documents.

In come bytes, out go the documents and what is wrong with them. Never an exception: the input is
somebody's file, and may be hostile.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from trainc.budget import Budget, LimitError
from trainc.errors import Problem
from trainc.source.build import Builder
from trainc.source.dialect import (
    COLON_REFUSED,
    at_lines,
    has_other_breaks,
    hide_colons,
    offset_of,
    place_of,
    readable,
    show_colons,
)
from trainc.source.document import Document, pack
from trainc.source.libyaml import READING, Event, RefusedError, TooManyError, events

_MAX_BROKEN: Final = 20
"""After so many broken documents the rest of a file is not read: it is no YAML at all."""

_MAX_DIRECTIVES: Final = 100
_HINTS: Final = (
    (
        "cannot start any token",
        "indent with spaces, not tabs; quote a value that begins with @ ` %",
    ),
    ("tab character", "indent with spaces, not tabs"),
    ("mapping values are not allowed", "quote a value that holds ': ', or mend the indentation"),
    ("did not find expected key", "mend the indentation, or an unclosed quote or bracket above"),
    ("could not find expected ':'", "write `key: value`; a value of several lines needs | or >"),
    ("Unicode character escape", "write the character itself: YAML has no surrogate pairs"),
    ("unknown escape character", "use single quotes, or write two backslashes"),
    ("UTF-8", "save the file as UTF-8"),
    ("undefined tag handle", "remove the tag"),
    ("document start", "put --- between two documents"),
    ("found unexpected ':'", "quote a value that holds a colon"),
)


def parse(
    data: bytes, file: str, budget: Budget | None = None
) -> tuple[list[Document], list[Problem]]:
    """Returns the documents of a file and the problems of its text.

    Documents that hold nothing (empty, or comments alone) are left out. A document with a
    syntax error is left out too, and reading goes on at the next ``---``.

    Args:
        data: The file's bytes: UTF-8, or UTF-16 with a byte order mark.
        file: The file's name as it is printed.
        budget: What is left of the build; by default the file has one of its own.
    """
    builder = Builder(file, budget or Budget())
    with READING, suppress(TooManyError):
        try:
            _read(builder, readable(data))
        except LimitError as limit:
            builder.report(limit.message, pack(max(builder.document_line, 1), 1), hint=limit.hint)
    return builder.documents, builder.problems


def _read(builder: Builder, data: bytes) -> None:
    """Builds every document that can be built."""
    start, stand_in = 0, ""
    for _ in range(_MAX_BROKEN):
        before = builder.state()
        try:
            builder.build(_stream(data[start:] if start else data, stand_in))
            return
        except RefusedError as refused:
            if not stand_in and refused.message.startswith(COLON_REFUSED):
                builder.restore(before)
                hidden, stand_in = hide_colons(data[start:])
                data = data[:start] + hidden
                continue
            begin = data.rfind(b"\n---", start, start + max(refused.offset, 0)) + 1
            if begin > start:
                # libyaml reads ahead: the documents before are sound, and not lost with this one.
                builder.restore(before)
                data = _without(data, begin, _report(builder, refused, data, start))
                continue
            line = _report(builder, refused, data, start)
        except UnicodeDecodeError:
            # libyaml decodes the %-escapes of a tag, and does not look at what comes out.
            line = _report(builder, RefusedError("a tag or anchor is no UTF-8"), data, start)
        start = _next_document(data, max(line, builder.document_line + 1))
        if start < 0:
            return
        builder.line = builder.document_line = place_of(data, start)[0]


def _stream(data: bytes, stand_in: str) -> Iterable[Event]:
    """The events of a text: straight from libyaml, but for what it does not know."""
    if data.count(b"%TAG") > _MAX_DIRECTIVES:
        # libyaml compares each with all before.
        raise RefusedError(f"more than {_MAX_DIRECTIVES} directives", 0, 0)
    stream = events(data)
    if stand_in:
        stream = show_colons(stream, stand_in)
    return at_lines(stream, data) if has_other_breaks(data) else stream


def _report(builder: Builder, refused: RefusedError, data: bytes, start: int) -> int:
    """Reports what ended a document; returns the line it stands on."""
    line, column = refused.line + builder.line, refused.column + 1
    if refused.offset >= 0:
        line, column = place_of(data, start + refused.offset)
    elif refused.line < 0:
        line, column = max(builder.document_line, 1), 1
    hint = refused.hint or next((hint for text, hint in _HINTS if text in refused.message), "")
    message = refused.message
    if refused.context:
        message += f" ({refused.context} of line {refused.context_line + builder.line})"
    builder.report(message, pack(line, column), hint=hint)
    return line


def _without(data: bytes, begin: int, line: int) -> bytes:
    """Returns the bytes with an empty document, of as many lines, for one that cannot be read.

    Args:
        data: The whole file.
        begin: Where the document begins.
        line: The line that cannot be read.
    """
    end = _next_document(data, line + 1)
    end = len(data) if end < 0 else end
    lines = place_of(data, end)[0] - place_of(data, begin)[0]
    return data[:begin] + b"---" + b"\n" * lines + data[end:]


def _next_document(data: bytes, line: int) -> int:
    """Returns the offset of the first ``---`` on this line (from 1) or below, -1 without one."""
    start = offset_of(data, line)
    if start < 0:
        return -1
    start = data.find(b"\n---", max(start - 1, 0))
    while start >= 0 and data[start + 4 : start + 5] not in (b"", b" ", b"\t", b"\r", b"\n"):
        start = data.find(b"\n---", start + 1)
    return start + 1 if start >= 0 else -1
