"""What is done of a fetch that is not whole yet; a killed one goes on from here.

In: ranges and files, as they are finished. Out: the same, read back by the next process. A file of
lines, each appended by one write; a line is there before the rename it speaks of, so that no
finished file is ever fetched twice, and a torn last line is as if it had not been written.
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainc.initializers.manifest import Finished, Identity, finished


@dataclass
class Found:
    """What earlier processes left.

    Attributes:
        identity: Of the last fetch that was begun.
        finished: Its files.
        ranges: What its temporary files hold.
        others: Files of fetches of something else that were begun here and never ended.
    """

    identity: Identity | None = None
    finished: dict[str, Finished] = field(default_factory=dict)
    ranges: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    others: list[Finished] = field(default_factory=list)

    def begun(self, identity: Identity) -> None:
        """Takes note of whose lines follow."""
        if self.identity is not None and self.identity != identity:
            self.others += self.finished.values()
            self.finished, self.ranges = {}, {}
        self.identity = identity


class Journal:
    """Appends to the file; many threads may."""

    def __init__(self, path: Path, identity: Identity) -> None:
        """Goes on with the file, or starts it."""
        self._lock = threading.Lock()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        self._fd = os.open(path, flags, 0o644)
        # A torn last line must not swallow the next one; an empty line says nothing.
        before = "\n" if os.fstat(self._fd).st_size else ""
        self._line(before, {"uri": identity.uri, "settings": identity.settings})

    def range(self, part: str, start: int, end: int) -> None:
        """These bytes are in the temporary file ``part``."""
        self._line("", {"range": [part, start, end]})

    def dropped(self, part: str) -> None:
        """The temporary file ``part`` starts anew."""
        self._line("", {"dropped": part})

    def finished(self, file: Finished) -> None:
        """The file is verified; it is put in place next."""
        values = [getattr(file, name) for name in Finished.__slots__]
        self._line("", {"file": values})

    def close(self) -> None:
        """Writes no more; a straggling thread's line is dropped."""
        with self._lock:
            os.close(self._fd)
            self._fd = -1

    def _line(self, before: str, value: dict[str, Any]) -> None:
        line = f"{before}{json.dumps(value)}\n".encode()
        with self._lock:
            if self._fd >= 0:
                os.write(self._fd, line)


def read_journal(path: Path) -> Found:
    """What the file says; nothing where there is none."""
    found = Found()
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return found
    for line in lines:
        try:
            _take(found, json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return found


def _take(found: Found, value: dict[str, Any]) -> None:
    if "range" in value:
        part, start, end = value["range"]
        if not 0 <= start <= end:
            raise ValueError(f"{start} to {end} is no range")
        found.ranges.setdefault(part, []).append((start, end))
    elif "dropped" in value:
        found.ranges.pop(value["dropped"], None)
    elif "file" in value:
        file = finished(*value["file"])
        found.finished[file.path] = file
    else:
        found.begun(Identity(value["uri"], value["settings"]))
