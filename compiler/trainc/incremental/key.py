"""What an answer depends on besides the files of the user.

The compiler itself, by the bytes of its modules, schemas and stock runtimes; the packages it is
built on, by their versions; Python's minor version; the folder it runs in; the command's words.
"""

from __future__ import annotations

import os
import sys
from hashlib import sha256

TYPE_CHECKING = False  # typing's own costs every start 8 ms
if TYPE_CHECKING:
    from hashlib import _Hash

    from trainc.incremental.asked import Asked

# Of the format of what is kept; another number is another cache.
FORMAT = "1"
HOUSE = os.path.dirname(os.path.dirname(__file__)) + os.sep
"""The folder of the compiler."""
# Rooms that take no part in a compile.
_APART = frozenset({"cache", "controller", "initializers", "install"})


def key(asked: Asked, out_dir: str | None) -> str:
    """The name of all answers to a command line, whatever its files say: 64 hex digits.

    Args:
        asked: The command line.
        out_dir: Where the output is written, None for the project's own folder. It is never read,
            so it counts.
    """
    python = f"{sys.implementation.name} {sys.version_info[0]}.{sys.version_info[1]}"
    level = "validate" if asked.command == "validate" else "build"
    where = "" if out_dir is None else f"={out_dir}"
    parts = [FORMAT, _house(), python, os.getcwd(), level, where, *asked.words]
    return sha256(b"\0".join(map(os.fsencode, parts))).hexdigest()


def holds(path: str) -> bool:
    """Whether a file or folder is part of the compiler, and so of every key."""
    return path.startswith(HOUSE) and path[len(HOUSE) :].partition(os.sep)[0] not in _APART


def _house() -> str:
    """A digest of the compiler: its own files, and the names and versions of its packages."""
    known = sha256()
    _folder(HOUSE, known, _APART)
    for place in sys.path:
        if place.endswith("-packages"):
            for name in sorted(name for name in _names(place) if name.endswith(".dist-info")):
                known.update(name.encode() + b"\0")
    return known.hexdigest()


def _folder(path: str, known: _Hash, apart: frozenset[str] = frozenset()) -> None:
    """Adds everything below a folder of the compiler but what is apart, by name and bytes."""
    with os.scandir(path) as listing:
        entries = sorted(listing, key=lambda entry: entry.name)
    for entry in entries:
        if entry.name in apart or entry.name.endswith(("_test.py", "__pycache__")):
            continue
        if entry.is_dir():
            _folder(entry.path, known)
        else:
            data = _bytes(entry.path)
            known.update(f"{entry.name}\0{len(data)}\0".encode())
            known.update(data)


def _bytes(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.read()


def _names(place: str) -> list[str]:
    try:
        return os.listdir(place)
    except OSError:
        return []
