"""What a run looked at, and one digest of what there was to see.

In: the places of a former run. Out: a digest that is the same as long as every file holds the same
bytes, every folder the same names, and what was not there is still missing.
"""

from __future__ import annotations

import errno
import os
import stat
from hashlib import sha256

TYPE_CHECKING = False  # typing's own costs every start 8 ms
if TYPE_CHECKING:
    from collections.abc import Callable

# What is no file of the size that a compiler reads; its digest would say nothing of its end.
_MAX_BYTES = 1 << 30
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)  # a pipe must not hold us up


# What an output folder is before and after a first build.
_COMES = (str(stat.S_IFDIR), f"!{errno.ENOENT}")


class Trace:
    """Places, each as it was named by who looked.

    Attributes:
        files: What was opened to be read.
        folders: What was listed.
        places: Function of ``os`` -> the paths it was asked for: ``stat``, ``lstat``, ``readlink``.
        output: Folder of the output, real path. Whether it is there does not count, because a
            first build makes it.
    """

    __slots__ = ("files", "folders", "output", "places")

    def __init__(
        self, files: list[str], folders: list[str], places: dict[str, list[str]], output: str
    ) -> None:
        """Takes the places in the order in which they were looked at."""
        self.files, self.folders, self.places, self.output = files, folders, places, output

    def as_list(self) -> list[object]:
        """The trace as JSON holds it."""
        return [self.files, self.folders, self.places, self.output]

    def digest(self) -> str:
        """What there is to see now, as 64 hex digits."""
        known = sha256()
        for function, paths in sorted(self.places.items()):
            look = LOOKS[function]
            for path in paths:
                seen = look(path)
                if seen in _COMES and os.path.abspath(path) == self.output:
                    seen = ""
                known.update(f"{seen}\0".encode("utf-8", "surrogateescape"))
        for path in self.folders:
            names = "/".join(listing(path, self.output))
            known.update(f"{len(names)}\0{names}\0".encode("utf-8", "surrogateescape"))
        for path in self.files:
            data = _bytes(path)
            known.update(b"%d\0" % (len(data) if isinstance(data, bytes) else -1))
            known.update(data if isinstance(data, bytes) else f"{data}\0".encode())
        return known.hexdigest()


def listing(path: str, output: str) -> list[str]:
    """The entries of a folder with their kinds, sorted; one line of why there are none."""
    try:
        with os.scandir(path) as entries:
            return sorted(
                f"{_kind(entry)}{entry.name}" for entry in entries if not _is(entry, path, output)
            )
    except OSError as error:
        return [f"!{error.errno}"]


def _is(entry: os.DirEntry[str], folder: str, output: str) -> bool:
    """Whether an entry is the output folder."""
    if entry.name != os.path.basename(output):
        return False
    return os.path.join(os.path.realpath(folder), entry.name) == output


def _kind(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return "l"
    if entry.is_dir(follow_symlinks=False):
        return "d"
    return "f" if entry.is_file(follow_symlinks=False) else "o"


def _bytes(path: str) -> bytes | int:
    """The bytes of a file, or the number of the error there is instead."""
    try:
        descriptor = os.open(path, _FLAGS)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return -status.st_mode
            data = os.read(descriptor, min(status.st_size, _MAX_BYTES) + 1)
            if len(data) == status.st_size:
                return data
            rest = [data]
            while rest[-1]:
                rest.append(os.read(descriptor, _MAX_BYTES))
            return b"".join(rest)
        finally:
            os.close(descriptor)
    except OSError as error:
        return error.errno or 0


def _type(function: Callable[[str], os.stat_result], path: str) -> str:
    try:
        return str(stat.S_IFMT(function(path).st_mode))
    except (OSError, ValueError) as error:
        return f"!{getattr(error, 'errno', 0)}"


def _target(path: str) -> str:
    try:
        return f"={_readlink(path)}"
    except (OSError, ValueError) as error:
        return f"!{getattr(error, 'errno', 0)}"


# Bound now: while a run is watched, the functions of ``os`` are others.
_stat, _lstat, _readlink = os.stat, os.lstat, os.readlink

LOOKS: dict[str, Callable[[str], str]] = {
    "stat": lambda path: _type(_stat, path),
    "lstat": lambda path: _type(_lstat, path),
    "readlink": _target,
}
"""What there is to see at a place, as text, by the function that was asked."""
