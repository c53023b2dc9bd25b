"""The cache on disk: small files that are whole or absent, whatever ends a run.

In: names and bytes. Out: the same bytes, or None: what is damaged is removed and counts as missing.
A file is written beside its place and renamed, so that runs side by side see old or new. Oldest go
first where the folder grows beyond its bound. A cache that cannot be written is no error: nothing
is kept.
"""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import sha256

TYPE_CHECKING = False  # typing's own costs every start 8 ms
if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BYTES = 256 << 20
"""What all files may hold together. An answer to 10,000 TrainJobs takes about 5 MB."""
_MAGIC = b"trainc\n"
_FOLDER = "compiled"
_OFF = ("", "off")


def location(environ: Mapping[str, str]) -> str | None:
    """The folder of the cache; None where the environment switches it off.

    ``TRAINC_CACHE_DIR`` comes first (empty or ``off``: no cache), then ``XDG_CACHE_HOME/trainc``,
    then ``~/.cache/trainc``.
    """
    named = environ.get("TRAINC_CACHE_DIR")
    if named is not None:
        return None if named in _OFF else os.path.join(os.path.abspath(named), _FOLDER)
    caches = environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(caches):  # the standard says to take no notice of others
        home = environ.get("HOME", "")
        if not os.path.isabs(home):
            return None
        caches = os.path.join(home, ".cache")
    return os.path.join(caches, "trainc", _FOLDER)


class Store:
    """Bytes by name, in a folder that is made when something is first put there."""

    __slots__ = ("_folder", "_max")

    def __init__(self, folder: str, max_bytes: int = MAX_BYTES) -> None:
        """Takes the folder; does not touch it."""
        self._folder, self._max = folder, max_bytes

    def get(self, name: str) -> bytes | None:
        """What was put there, None where nothing is, or not what was put."""
        path = os.path.join(self._folder, name)
        try:
            with open(path, "rb", buffering=0) as file:
                data = file.read()
        except OSError:
            return None
        start = len(_MAGIC) + 32
        body = data[start:]
        if data[:start] != _MAGIC + sha256(body).digest():
            with suppress(OSError):
                os.unlink(path)
            return None
        with suppress(OSError):
            os.utime(path)  # the last to be used is the last to go
        return body

    def put(self, name: str, data: bytes) -> bool:
        """Keeps bytes under a name; False where the system did not let us."""
        path = os.path.join(self._folder, name)
        partial = f"{path}.{os.getpid()}.tmp"
        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)  # jobs may hold secrets
            with open(partial, "wb") as file:
                file.write(_MAGIC + sha256(data).digest())
                file.write(data)
            os.replace(partial, path)
        except OSError:
            with suppress(OSError):
                os.unlink(partial)
            return False
        return True

    def prune(self) -> None:
        """Removes the longest unused until three quarters of the bound are left to use."""
        with suppress(OSError), os.scandir(self._folder) as listing:
            known = [(entry.stat(), entry.path) for entry in listing if entry.is_file()]
            total = sum(status.st_size for status, _ in known)
            if total <= self._max:
                return
            for status, path in sorted(known, key=lambda each: each[0].st_mtime_ns):
                if total <= self._max * 3 // 4:
                    break
                with suppress(OSError):
                    os.unlink(path)
                total -= status.st_size
