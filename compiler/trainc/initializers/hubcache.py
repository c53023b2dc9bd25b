"""The cache of the Hub's own client, as every ``from_pretrained`` leaves it on a disk.

In: a repository, and ``HF_HUB_CACHE`` or ``HF_HOME``. Out: a remote of the snapshot there, whose
files are links to ``../../blobs``. The layout is that of huggingface_hub's guide "Manage your
cache": ``models--ORG--NAME/{refs,snapshots,blobs}``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from trainc.initializers.config import Config
from trainc.initializers.failure import ConfigurationError, NotFoundError
from trainc.initializers.provider import Chunk, Listing, RemoteFile
from trainc.initializers.providers.file import FolderRemote

_COMMIT: Final = re.compile(r"[0-9a-f]{40}")


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Where the Hub's client keeps its cache (constants.py of huggingface_hub)."""
    home = environ.get("HF_HOME") or f"{environ.get('XDG_CACHE_HOME') or '~/.cache'}/huggingface"
    return Path(environ.get("HF_HUB_CACHE") or f"{home}/hub").expanduser()


class CacheRemote:
    """A repository in the Hub's cache, at the commit that a revision named when it was cached."""

    def __init__(self, config: Config, repo: str, revision: str, path: str) -> None:
        """Finds the snapshot.

        Raises:
            ConfigurationError: The cache does not hold it, and the Hub must not be asked.
        """
        name = f"{config.ancestor}s--{repo.replace('/', '--')}"
        folder = cache_folder(config.environ) / name
        self._commit = _commit(folder, revision or "main")
        snapshot = folder / "snapshots" / self._commit
        if not self._commit or not snapshot.is_dir():
            at = f"@{revision}" if revision else ""
            raise ConfigurationError(
                f"HF_HUB_OFFLINE is set, and {folder.parent} (HF_HOME) does not hold {repo}{at}"
            )
        self._path = path
        self._folder = FolderRemote(snapshot, folder, config.target)

    def listing(self) -> Listing:
        """The files at or below the path, each in its place in the repository."""
        files = [file for file in self._folder.listing().files if self._is_below(file.path)]
        if self._path and not files:
            raise NotFoundError(f"the cached snapshot {self._commit} has no {self._path!r}")
        return Listing(files, self._commit)

    def inspect(self, file: RemoteFile) -> RemoteFile:
        """The file itself: a file system knows no checksums."""
        return file

    def read(self, file: RemoteFile, start: int, end: int | None) -> Iterator[Chunk]:
        """The bytes of one range."""
        return self._folder.read(file, start, end)

    def _is_below(self, path: str) -> bool:
        return not self._path or path == self._path or path.startswith(f"{self._path}/")


def _commit(folder: Path, revision: str) -> str:
    """The commit of a revision, empty where the cache does not know it."""
    if _COMMIT.fullmatch(revision):
        return revision
    if ".." in revision.split("/"):
        return ""
    try:
        text = (folder / "refs" / revision).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
    return text if _COMMIT.fullmatch(text) else ""
