"""``.trainc-complete.json``: what was fetched, written when all of it is in place.

In: the finished files. Out: a file that exists exactly when the fetch is whole. A restart with the
same URI, settings and revision that finds it, and every file as it was left, has nothing to do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from trainc.version import __version__

NAME: Final = ".trainc-complete.json"
_FORM: Final = 1


@dataclass(frozen=True, slots=True)
class Finished:
    """A file in place.

    Attributes:
        path: Relative to the target, with slashes.
        size: Bytes.
        version: The remote's, as in ``RemoteFile``.
        digest: As ``str(Digest)``: verified, or recorded where the remote promised none.
        mtime_ns: Time of the last change when it was put in place: a file somebody touched since is
            not the one that was verified.
    """

    path: str
    size: int
    version: str
    digest: str
    mtime_ns: int


@dataclass(frozen=True)
class Identity:
    """What decides which files are fetched: equal identities of one revision are equal files."""

    uri: str
    settings: dict[str, Any]


@dataclass(frozen=True)
class Manifest:
    """A whole fetch."""

    identity: Identity
    revision: str
    files: list[Finished]

    def write(self, path: Path) -> None:
        """Writes the file under a name of its own; the caller renames it."""
        # A name that is not UTF-8 (file://) is held as Python holds it.
        with path.open("w", encoding="utf-8", errors="surrogateescape") as out:
            out.writelines(self._lines())

    def _lines(self) -> Iterator[str]:
        head = {
            "form": _FORM,
            "by": f"trainc {__version__}",
            "uri": self.identity.uri,
            "revision": self.revision,
            "settings": self.identity.settings,
            "bytes": sum(file.size for file in self.files),
        }
        yield json.dumps(head, ensure_ascii=False, indent=1)[:-2]
        yield ',\n "files": ['
        separator = "\n"
        for file in self.files:
            yield f"{separator}  {json.dumps(_as_dict(file), ensure_ascii=False)}"
            separator = ",\n"
        yield "\n ]\n}\n"


def read_manifest(path: Path) -> Manifest | None:
    """The manifest, or None where there is none, or none that can be read."""
    try:
        held = json.loads(path.read_bytes().decode("utf-8", "surrogateescape"))
        if held["form"] != _FORM:
            return None
        files = [Finished(**file) for file in held["files"]]
        return Manifest(Identity(held["uri"], held["settings"]), held["revision"], files)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _as_dict(file: Finished) -> dict[str, Any]:
    return {name: getattr(file, name) for name in Finished.__slots__}
