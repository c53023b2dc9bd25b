"""The event stream of libyaml, as small tuples.

In comes the bytes of a file, out goes one tuple an event; what libyaml refuses is raised as
``RefusedError``. This is the only module that knows ``ruamel.yaml.clib``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from _ruamel_yaml import CParser  # type: ignore[import-not-found]
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

Event = tuple[Any, ...]
SCALAR_LENGTH: Final = 7
"""A scalar is (anchor, tag, implicit, text, start, end, style), the only tuple of this length."""
END, MAPPING, SEQUENCE, ALIAS, DOCUMENT_START, DOCUMENT_END, STREAM = range(7)
"""First part of every other event; ALIAS, MAPPING, SEQUENCE: (kind, start, anchor, tag)."""


class RefusedError(Exception):
    """What libyaml refuses: the message, and where (line and column from 0, or a byte offset)."""

    def __init__(
        self, message: str, line: int = -1, column: int = 0, offset: int = -1, hint: str = ""
    ) -> None:
        """Keeps the parts."""
        super().__init__(message)
        self.message, self.hint = message, hint
        self.line, self.column, self.offset = line, column, offset


def events(data: bytes) -> Iterator[Event]:
    """Yields the events of a stream."""
    parser = CParser(data)
    try:
        for event in iter(parser.get_event, None):
            yield _as_tuple(event)
    except YAMLError as error:
        raise _refused(error) from None
    except UnicodeDecodeError as error:
        raise RefusedError(f"invalid UTF-8: {error.reason}") from None


def _as_tuple(event: Any) -> Event:
    kind = event.__class__
    if kind is ScalarEvent:
        return (
            event.anchor,
            event.tag,
            event.implicit,
            event.value,
            event.start_mark,
            event.end_mark,
            event.style,
        )
    if kind is MappingEndEvent or kind is SequenceEndEvent:
        return (END,)
    code = _KINDS.get(kind, STREAM)
    return (code, event.start_mark, getattr(event, "anchor", None), getattr(event, "tag", None))


_KINDS: Final = {
    MappingStartEvent: MAPPING,
    SequenceStartEvent: SEQUENCE,
    AliasEvent: ALIAS,
    DocumentStartEvent: DOCUMENT_START,
    DocumentEndEvent: DOCUMENT_END,
}


def _refused(error: Any) -> RefusedError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return RefusedError(str(error.reason), offset=error.position)
    return RefusedError(error.problem or error.context, line=mark.line, column=mark.column)
