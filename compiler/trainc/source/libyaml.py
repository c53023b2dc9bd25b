"""The event stream of libyaml, as small tuples.

In come the bytes of a file, out goes one tuple an event; what libyaml refuses is raised as
``RefusedError``. This is the only module that knows ``ruamel.yaml.clib``.

The extension takes the classes of its events, nodes and errors from ``ruamel.yaml``, which costs
14 ms of start-up and half of the time of reading. So where ``ruamel.yaml`` is not imported yet,
the extension is given stand-ins for them: functions that return tuples. As soon as anybody imports
``ruamel.yaml`` the extension gets the real classes back, and events are turned to tuples here.
"""

from __future__ import annotations

import sys
from _thread import RLock
from collections.abc import Iterable, Iterator
from importlib import import_module
from operator import attrgetter
from types import ModuleType
from typing import Any, Final

Event = tuple[Any, ...]
SCALAR_LENGTH: Final = 7
"""A scalar is (anchor, tag, implicit, text, start, end, style), the only tuple of this length."""
END, MAPPING, SEQUENCE, ALIAS, DOCUMENT_START, DOCUMENT_END, STREAM = range(7)
"""First part of every other event; those with a place are (kind, start, anchor, tag)."""

READING = RLock()
"""Held by who reads events, so that classes do not change under way."""


class TooManyError(Exception):
    """A file has so many problems that it is not read on; the last of them says so."""


class RefusedError(Exception):
    """A document cannot be read; line and column count from 0, -1 where only an offset is known."""

    def __init__(
        self, message: str, line: int = -1, column: int = 0, offset: int = -1, hint: str = ""
    ) -> None:
        """Keeps the parts; ``offset`` counts bytes, ``context`` is what the parser was at."""
        super().__init__(message)
        self.message, self.hint = message, hint
        self.line, self.column, self.offset = line, column, offset
        self.context, self.context_line = "", 0


def events(data: bytes) -> Iterable[Event]:
    """Returns the events of a stream; going over them may raise ``RefusedError``."""
    stream = iter(_extension.CParser(data).get_event, None)
    return stream if _stands_in else _as_tuples(stream)


# The stand-ins: each takes what the extension gives to the class of that name.


def _scalar(*event: Any) -> Event:
    return event


def _mapping(anchor: Any, tag: Any, implicit: Any, start: Any, end: Any, flow: Any) -> Event:
    return MAPPING, start, anchor, tag


def _sequence(anchor: Any, tag: Any, implicit: Any, start: Any, end: Any, flow: Any) -> Event:
    return SEQUENCE, start, anchor, tag


def _alias(anchor: Any, start: Any, end: Any) -> Event:
    return ALIAS, start, anchor, None


def _end(start: Any, end: Any) -> Event:
    return _END


def _document_start(start: Any, *rest: Any) -> Event:
    return DOCUMENT_START, start, None, None


def _document_end(start: Any, *rest: Any) -> Event:
    return DOCUMENT_END, start, None, None


def _stream(*event: Any) -> Event:
    return _STREAM


def _broken(context: Any, context_mark: Any, problem: Any, problem_mark: Any) -> RefusedError:
    """What the scanner and the parser of libyaml say, and where."""
    mark = problem_mark or context_mark
    refused = RefusedError(problem or context, mark.line, mark.column)
    if problem and context and context_mark:
        refused.context, refused.context_line = context, context_mark.line
    return refused


def _unreadable(name: Any, offset: int, letter: Any, encoding: Any, reason: str) -> RefusedError:
    """What the reader of libyaml says: bytes that are no text, or no text for YAML."""
    return RefusedError(reason, offset=offset)


_END: Final[Event] = (END,)
_STREAM: Final[Event] = (STREAM,)
_EVENTS: Final[dict[str, Any]] = {
    "ScalarEvent": _scalar,
    "MappingStartEvent": _mapping,
    "SequenceStartEvent": _sequence,
    "AliasEvent": _alias,
    "MappingEndEvent": _end,
    "SequenceEndEvent": _end,
    "DocumentStartEvent": _document_start,
    "DocumentEndEvent": _document_end,
    "StreamStartEvent": _stream,
    "StreamEndEvent": _stream,
}
_STAND_INS: Final = {
    **_EVENTS,
    "ReaderError": _unreadable,
    "ScannerError": _broken,
    "ParserError": _broken,
}
_PACKAGE: Final = "ruamel.yaml"
_EXTENSION: Final = "_ruamel_yaml"
_MODULES: Final = tuple(
    f"{_PACKAGE}.{name}"
    for name in (
        *("error", "reader", "scanner", "parser", "composer", "constructor", "emitter"),
        *("serializer", "representer", "tokens", "events", "nodes"),
    )
)


class _StandIn(ModuleType):
    """A module of ``ruamel.yaml`` that holds stand-ins, and remembers which were taken."""

    taken: Final[dict[str, str]] = {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self.taken[name] = self.__name__
        return _STAND_INS.get(name, _scalar)


class _Watch:
    """Sees to it that who imports ``ruamel.yaml`` finds the extension as it should be."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """Finds nothing; ``ruamel.yaml`` imports its module ``cyaml`` before it is ready."""
        if name == f"{_PACKAGE}.cyaml":
            sys.meta_path.remove(self)
            _give_back()


def _give_back() -> None:
    """Puts the real classes into the extension."""
    global _stands_in
    with READING:
        for name, module in _StandIn.taken.items():
            setattr(_extension, name, getattr(import_module(module), name))
        _stands_in = False


def _load() -> tuple[Any, bool]:
    """Returns the extension, and whether it holds stand-ins."""
    if _PACKAGE in sys.modules or _EXTENSION in sys.modules:
        return import_module(_EXTENSION), False
    package = sys.modules.get("ruamel")
    names = (*(("ruamel",) if package is None else ()), _PACKAGE, *_MODULES)
    sys.modules.update({name: _StandIn(name) for name in names})
    try:
        extension = import_module(_EXTENSION)
    finally:
        for name in names:
            del sys.modules[name]
    sys.meta_path.insert(0, _Watch())
    return extension, True


def _as_tuples(stream: Iterator[Any]) -> Iterator[Event]:
    """The events of the real classes as tuples, and its errors as ours."""
    try:
        for event in stream:
            name = event.__class__.__name__
            yield _EVENTS[name](*_PARTS.get(name, _ENDS)(event))
    except import_module(f"{_PACKAGE}.error").YAMLError as error:
        if hasattr(error, "problem"):
            parts = (error.context, error.context_mark, error.problem, error.problem_mark)
            raise _broken(*parts) from None
        raise _unreadable("", error.position, "", "", error.reason) from None


# What the extension makes the events of.
_ENDS: Final = attrgetter("start_mark", "end_mark")
_OPENS: Final = attrgetter("anchor", "ctag", "implicit", "start_mark", "end_mark", "flow_style")
_PARTS: Final = {
    "ScalarEvent": attrgetter(
        "anchor", "ctag", "implicit", "value", "start_mark", "end_mark", "style"
    ),
    "AliasEvent": attrgetter("anchor", "start_mark", "end_mark"),
    "MappingStartEvent": _OPENS,
    "SequenceStartEvent": _OPENS,
}
_extension, _stands_in = _load()
