"""One run, watched: every file it opens, every folder it lists, every place it asks for.

In: a run between ``with`` and its end. Out: its ``Trace``, or None where what it saw did not hold
still, so that nobody can say what it was.

Python itself tells of opened files and listed folders (``sys.addaudithook``), whoever opens them.
Of ``os.stat`` and its kin it does not, so these are exchanged meanwhile for ones that take notes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final

from trainc.incremental.key import holds
from trainc.incremental.trace import LOOKS, Trace

_ASKING: Final = ("stat", "lstat", "readlink")
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT
# Modules are part of the compiler, which the key holds.
_IMPORTING: Final = "<frozen importlib._bootstrap_external>"
_FOLLOWING: Final = {"follow_symlinks": True}  # pathlib says what holds anyway
_LISTING: Final = frozenset({"os.scandir", "os.listdir"})

_stat = os.stat
_Signature = tuple[int, ...] | None


class Watch:
    """Takes notes while it is entered; only one at a time."""

    _hooked = False
    _current: Watch | None = None

    def __init__(self) -> None:
        """Takes no note yet."""
        self._files: dict[str, _Signature] = {}
        self._folders: dict[str, _Signature] = {}
        self._places: dict[str, dict[str, str]] = {name: {} for name in _ASKING}
        self._sound = True
        self._functions: dict[str, Callable[..., Any]] = {}

    def __enter__(self) -> Watch:
        """Begins."""
        if not Watch._hooked:
            sys.addaudithook(_heard)  # there is no way to take it away again
            Watch._hooked = True
        Watch._current = self
        self._functions = {name: getattr(os, name) for name in _ASKING}
        for name, function in self._functions.items():
            setattr(os, name, self._noting(name, function))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends; what failed is not to be remembered."""
        for name, function in self._functions.items():
            setattr(os, name, function)
        Watch._current = None
        self._sound = self._sound and error is None

    @contextmanager
    def apart(self) -> Iterator[None]:
        """A context in which nothing is noted: what is read there is no input."""
        Watch._current = None
        try:
            yield
        finally:
            Watch._current = self

    def trace(self, output: str) -> Trace | None:
        """What was looked at; None where it cannot be told.

        Args:
            output: Folder of the output, real path. A run that read there is no function of its
                sources.
        """
        looked = (*self._files, *self._folders)
        if any(_is_at_or_below(os.path.realpath(path), output) for path in looked if output):
            return None
        places = {name: list(paths) for name, paths in self._places.items()}
        found = Trace(list(self._files), list(self._folders), places, output)
        return found if self.holds() else None

    def holds(self) -> bool:
        """Whether everything is still as it was when it was looked at."""
        signatures = (*self._files.items(), *self._folders.items())
        asked = (
            (LOOKS[name], *each) for name, paths in self._places.items() for each in paths.items()
        )
        return (
            self._sound
            and all(look(path) == seen for look, path, seen in asked)
            and all(_signature(path) == seen for path, seen in signatures)
        )

    def hear(self, event: str, args: tuple[Any, ...]) -> None:
        """Takes a note of an opened file or a listed folder."""
        path = args[0]
        if isinstance(path, int):  # opened before, by its name
            return
        path = "." if path is None else os.fsdecode(path)
        if holds(path):
            return
        if event in _LISTING:
            if path not in self._folders:
                self._folders[path] = _signature(path)
        elif len(args) > 2 and isinstance(args[2], int) and args[2] & _WRITING:
            self._sound = False
        elif path not in self._files:
            self._files[path] = _signature(path)

    def _noting(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        look, paths = LOOKS[name], self._places[name]

        def noting(path: Any, *args: Any, **kwargs: Any) -> Any:
            if Watch._current is None:
                return function(path, *args, **kwargs)
            if isinstance(path, int) or args or kwargs not in ({}, _FOLLOWING):
                self._sound = False
            elif (text := os.fsdecode(path)) not in paths and not holds(text):
                paths[text] = look(text)
            return function(path, *args, **kwargs)

        return noting


def _heard(event: str, args: tuple[Any, ...]) -> None:
    current = Watch._current
    if current is None or (event != "open" and event not in _LISTING):
        return
    if sys._getframe(1).f_code.co_filename != _IMPORTING:
        current.hear(event, args)


def _signature(path: str) -> _Signature:
    """What changes when a file or folder does."""
    try:
        known = _stat(path)
    except (OSError, ValueError):
        return None
    return known.st_mtime_ns, known.st_ctime_ns, known.st_size, known.st_ino


def _is_at_or_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
