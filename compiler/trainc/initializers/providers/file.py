"""``file:///PATH``: a file or a folder that is mounted already.

In: a path. Out: a remote. A link counts as what it points at, as long as that is in the same tree:
a dataset on a shared volume must not bring along the pod's own secrets.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from trainc.initializers.config import Config
from trainc.initializers.failure import (
    ConfigurationError,
    IntegrityError,
    NotFoundError,
    PermissionDeniedError,
    TransientError,
)
from trainc.initializers.provider import Chunk, Listing, Provider, RemoteFile
from trainc.names import PVC_ROOT

_CHUNK: Final = 1024 * 1024  # bytes
_CACHED: Final = re.compile(r"(models|datasets|spaces)--.")  # a repository in the Hub's cache


class FolderRemote:
    """A file, or what lies in a folder."""

    def __init__(self, path: Path, tree: Path, target: Path) -> None:
        """Reads ``path``; links may point to anything in ``tree``.

        Raises:
            ConfigurationError: if it holds the target, or lies in it.
        """
        self._path = path
        self._tree = tree.resolve()
        source, into = path.resolve(), target.resolve()
        if source == into or into in source.parents or source in into.parents:
            raise ConfigurationError(f"{path} and the target {target} lie in each other")

    def listing(self) -> Listing:
        """Every file below the path."""
        try:
            if self._path.is_file():
                return Listing([self._file(self._path, self._path.name)])
            if not self._path.is_dir() and self._path.exists():
                raise IntegrityError(f"{self._path} is no file that can be copied")
            if not self._path.is_dir():
                raise NotFoundError(f"there is no {self._path}")
            return Listing(list(self._walk()))
        except PermissionError as error:
            raise PermissionDeniedError(f"{error.filename}: {error.strerror}") from error
        except OSError as error:
            raise TransientError(f"reading {self._path}: {error.strerror}") from error

    def inspect(self, file: RemoteFile) -> RemoteFile:
        """The file itself: a file system knows no checksums."""
        return file

    def read(self, file: RemoteFile, start: int, end: int | None) -> Iterator[Chunk]:
        """The bytes of one range."""
        buffer = memoryview(bytearray(_CHUNK))
        try:
            with open(file.key, "rb", buffering=0) as source:
                _check_unchanged(source.fileno(), file)
                stop = end if end is not None else file.size or 0
                while start < stop:
                    view = buffer[: min(_CHUNK, stop - start)]
                    count = os.preadv(source.fileno(), [view], start)
                    if count == 0:
                        return
                    yield view[:count]
                    start += count
                _check_unchanged(source.fileno(), file)  # in place, its size the same
        except FileNotFoundError as error:
            raise TransientError(f"{file.key} is gone", again=False) from error
        except PermissionError as error:
            raise PermissionDeniedError(f"{file.key}: {error.strerror}") from error
        except OSError as error:
            raise TransientError(f"reading {file.key}: {error.strerror}") from error

    def _walk(self) -> Iterator[RemoteFile]:
        def fail(error: OSError) -> None:
            raise error

        for folder, folders, names in os.walk(self._path, onerror=fail):
            folders.sort()
            self._check_links(Path(folder), folders)
            for name in sorted(names):
                path = Path(folder, name)
                yield self._file(path, path.relative_to(self._path).as_posix())

    def _check_links(self, folder: Path, names: list[str]) -> None:
        """Refuses linked folders: following them could go round in circles."""
        for name in names:
            if (folder / name).is_symlink():
                raise IntegrityError(f"{folder / name} is a link to a folder")

    def _file(self, path: Path, relative: str) -> RemoteFile:
        if path.is_symlink() and not path.resolve().is_relative_to(self._tree):
            raise IntegrityError(
                f"{path} is a link that leaves {self._tree}: name a folder that holds what it "
                "points at too, or copy the files themselves (cp -rL)"
            )
        try:
            found = path.stat()
        except FileNotFoundError as error:
            if path.is_symlink():
                raise IntegrityError(f"{path} is a link to nothing") from error
            raise
        if not stat.S_ISREG(found.st_mode):
            raise IntegrityError(f"{path} is no file that can be copied")
        return RemoteFile(relative, str(path), found.st_size, _version(found))


def _check_unchanged(fd: int, file: RemoteFile) -> None:
    if _version(os.fstat(fd)) != file.version:
        raise TransientError(f"{file.key} was changed while it was read", again=False)


def _version(found: os.stat_result) -> str:
    return f"{found.st_mtime_ns}-{found.st_size}"


def remote(config: Config) -> FolderRemote:
    """What the URI names."""
    if config.uri.host not in ("", "localhost"):
        raise ConfigurationError(
            f"{config.uri.text!r} names a host; three slashes begin a path: file:///path"
        )
    path = Path("/", unquote(config.uri.path))
    return FolderRemote(path, _tree(path, config.environ), config.target)


def _tree(path: Path, environ: Mapping[str, str]) -> Path:
    """Where links may point to: below the path, or to what was put on the volume with it.

    That is the claim a path is on, else the repository of a Hub's cache, whose snapshots are links
    to ``../../blobs``.
    """
    root = Path(environ.get("TRAINC_PVC_ROOT") or PVC_ROOT)
    for folder in (path, *path.parents):
        if folder.parent == root or _CACHED.match(folder.name):
            return folder
    return path if path.is_dir() else path.parent


PROVIDER: Final = Provider(schemes=("file",), dataset=remote, model=remote)
