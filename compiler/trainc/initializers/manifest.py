"""``.trainc-complete.json``: what was fetched, written when all of it is in place.

In: the finished files. Out: a file that exists exactly when the fetch is whole. A restart with the
same URI, settings and revision that finds it, and every file as it was left, has nothing to do. Its
last line is the digest of all lines above: one that was damaged or edited counts for nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from trainc.version import __version__

NAME: Final = ".trainc-complete.json"
_FORM: Final = 2
_SEAL: Final = b',\n "sha256": "'
_END: Final = b'"\n}\n'


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
        seal = hashlib.sha256()
        with path.open("wb") as out:
            for line in self._lines():
                # A name that is not UTF-8 (file://) is held as Python holds it.
                encoded = line.encode("utf-8", "surrogateescape")
                seal.update(encoded)
                out.write(encoded)
            out.write(_SEAL + seal.hexdigest().encode() + _END)

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
        yield "\n ]"


def read_manifest(path: Path) -> Manifest | None:
    """The manifest, or None where there is none, or none that can be read."""
    try:
        text = path.read_bytes()
        if not _is_sealed(text):
            return None
        held = json.loads(text.decode("utf-8", "surrogateescape"))
        if held["form"] != _FORM:
            return None
        files = [finished(**file) for file in held["files"]]
        return Manifest(Identity(held["uri"], held["settings"]), held["revision"], files)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def finished(path: str, size: int, version: str, digest: str, mtime_ns: int) -> Finished:
    """A file, as it was written down. What names it may be removed: it must be in the target.

    Raises:
        ValueError: if it is not.
    """
    if not is_below(path):
        raise ValueError(f"{path!r} is not below the target")
    return Finished(path, size, version, digest, mtime_ns)


def is_below(path: str) -> bool:
    """Whether that is a file's path below some folder, whatever the folder holds."""
    return "\0" not in path and not any(part in ("", ".", "..") for part in path.split("/"))


def _is_sealed(text: bytes) -> bool:
    above, seal, digest = text.rpartition(_SEAL)
    return bool(seal) and digest == hashlib.sha256(above).hexdigest().encode() + _END


def _as_dict(file: Finished) -> dict[str, Any]:
    return {name: getattr(file, name) for name in Finished.__slots__}
