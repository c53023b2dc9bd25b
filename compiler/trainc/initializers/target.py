"""The folder that files are fetched to, and how nothing leaves it.

In: paths, as remotes name them. Out: files in place, each renamed from ``.trainc-partial`` in the
same file system, so that under its own name a file is always whole. A path that would leave the
folder (``..``, absolute, through a link) is refused.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import logging
import math
import os
import shutil
import stat
import threading
import time
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from unicodedata import normalize

from trainc.initializers.extents import has_hole
from trainc.initializers.failure import (
    DiskError,
    FetchError,
    IntegrityError,
    PermissionDeniedError,
    TransientError,
)
from trainc.initializers.manifest import Finished
from trainc.initializers.paths import PARTIAL
from trainc.initializers.progress import amount
from trainc.initializers.provider import RemoteFile

# A file that large is written in any order: size alone does not tell whether it is whole.
WRITTEN_IN_ORDER: Final = 32 * 1024 * 1024  # bytes

_LOCK: Final = "lock"
_LOCK_PAUSE: Final = 0.2  # seconds
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN: Final = (errno.EACCES, errno.EPERM)
_NO_LOCKS: Final = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)

_logger = logging.getLogger(__name__)


def disk_error(error: OSError, doing: str) -> FetchError:
    """The failure that a system call on the target means."""
    text = f"{doing}: {error.strerror or error}"
    return PermissionDeniedError(text) if error.errno in _FORBIDDEN else DiskError(text)


class Target:
    """The folder, open for one fetch."""

    def __init__(self, folder: Path) -> None:
        """Names the folder; nothing is touched before ``locked``."""
        self.folder = folder.resolve()
        self.partial = self.folder / PARTIAL
        self._real: dict[str, bool] = {"": True}
        # Text: to join paths as such costs a small file a tenth of all its CPU.
        self._folder = str(self.folder)
        self._partial = str(self.partial)
        self._lock = threading.Lock()

    @contextmanager
    def locked(self, seconds: float) -> Iterator[None]:
        """Makes the folder where it is missing, and keeps other initializers out of it.

        Raises:
            FetchError: if the folder cannot be made or written, or if another initializer is still
                at it after ``seconds``.
        """
        end = time.monotonic() + seconds
        while (fd := self._try_lock()) is None:
            if time.monotonic() > end:
                raise TransientError(f"another initializer is writing to {self.folder}")
            time.sleep(_LOCK_PAUSE)
        try:
            yield
        finally:
            os.close(fd)

    def part_name(self, file: RemoteFile) -> str:
        """The temporary name: another one for each version, so that versions never mix."""
        text = f"{file.path}\0{file.version}\0{file.size}".encode("utf-8", "surrogateescape")
        return f"{hashlib.sha256(text).hexdigest()[:32]}.part"

    def open_part(self, name: str, keep: bool) -> int:
        """Opens a temporary file for reading and writing; empties it unless ``keep``."""
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(f"{self._partial}/{name}", flags if keep else flags | os.O_TRUNC, 0o644)

    def place(self, name: str, path: str) -> None:
        """Renames a temporary file to where it belongs."""
        self._make(path.rpartition("/")[0])
        os.replace(f"{self._partial}/{name}", f"{self._folder}/{path}")

    def holds(self, file: Finished) -> bool:
        """Whether the file is there as it was left."""
        if not self._is_real(file.path.rpartition("/")[0]):
            return False
        return _is_as_left(f"{self._folder}/{file.path}", file)

    def check_whole(self, files: Sequence[Finished]) -> None:
        """Makes sure that every file is in place, each with bytes of its own.

        Raises:
            IntegrityError: if somebody else changed one meanwhile, or if the file system takes two
                names for one, as some do that know no capitals.
        """
        alike: dict[str, str] = {}
        for file in files:
            if not self.holds(file):
                raise IntegrityError(f"{file.path!r} was changed by somebody else meanwhile")
            other = alike.setdefault(normalize("NFC", file.path).casefold(), file.path)
            if other != file.path and os.path.samefile(
                self.folder / other, self.folder / file.path
            ):
                raise IntegrityError(
                    f"{other!r} and {file.path!r} are one file on this file system"
                )

    def part_holds(self, name: str, file: Finished) -> bool:
        """Whether the temporary file is the finished one, which only lacks its rename."""
        return _is_as_left(f"{self._partial}/{name}", file)

    def remove(self, file: Finished) -> None:
        """Removes a file an earlier fetch left, and the folders this empties."""
        if not self.holds(file):
            return
        (self.folder / file.path).unlink()
        folder = file.path
        while folder := folder.rpartition("/")[0]:
            try:
                (self.folder / folder).rmdir()
            except OSError:  # not empty
                return
            self._real.pop(folder, None)

    def check_space(self, needed: int, replaced: Iterable[Finished] = ()) -> None:
        """Makes sure that so many bytes fit; files that are to be replaced make room if they must.

        Raises:
            DiskError: if they do not.
        """
        if needed <= self._free():
            return
        for file in replaced:
            self.remove(file)
        if needed > (free := self._free()):
            raise DiskError(
                f"{amount(needed)} are to be written and {amount(free)} are free in {self.folder}"
            )

    def sweep(self, names: Container[str]) -> None:
        """Removes the temporary files that are none of these."""
        for path in self.partial.glob("*.part"):
            if path.name not in names:
                path.unlink()

    def taken(self, name: str) -> int:
        """Bytes of the disk that a temporary file has already, reserved ones included."""
        try:
            return os.lstat(f"{self._partial}/{name}").st_blocks * 512
        except FileNotFoundError:
            return 0

    def clean(self) -> None:
        """Removes what only an unfinished fetch needs.

        The lock goes last: who gets the next one writes here too.
        """
        with suppress(OSError):
            for path in self.partial.iterdir():
                if path.name != _LOCK:
                    path.unlink()
        shutil.rmtree(self.partial, ignore_errors=True)

    def _free(self) -> float:
        """Bytes that fit; without end where the file system does not count."""
        system = os.statvfs(self.folder)
        return system.f_bavail * system.f_frsize if system.f_blocks else math.inf

    def _try_lock(self) -> int | None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.partial.mkdir(exist_ok=True)
            if self.partial.is_symlink():
                raise IntegrityError(f"{self.partial} is a link, and none of ours")
            fd = self._open_lock()
        except OSError as error:
            raise disk_error(error, f"the target {self.folder} cannot be written") from error
        if fd is None:
            return None
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _same(fd, self.partial / _LOCK):
                return fd  # else its last holder has cleaned up: there is a new one
        except BlockingIOError:
            pass
        except OSError as error:
            if error.errno in _NO_LOCKS:
                _logger.warning("%s knows no locks: going on without", self.folder)
                return fd
            raise disk_error(error, f"the target {self.folder} cannot be locked") from error
        os.close(fd)
        return None

    def _open_lock(self) -> int | None:
        """The lock's file; None where its last holder is removing the folder that it is in."""
        try:
            return self.open_part(_LOCK, keep=True)
        except FileNotFoundError:
            return None

    def _make(self, folder: str) -> None:
        """Makes a folder and those above it; never follows a link."""
        if self._real.get(folder):
            return
        with self._lock:
            made = ""
            for name in folder.split("/"):
                made = f"{made}/{name}" if made else name
                if self._real.get(made):
                    continue
                path = self.folder / made
                try:
                    path.mkdir()
                except FileExistsError:
                    if not stat.S_ISDIR(path.lstat().st_mode):
                        raise IntegrityError(f"{path} is in the way: it is no folder") from None
                self._real[made] = True

    def _is_real(self, folder: str) -> bool:
        """Whether a folder is one, and no link on the way to it."""
        if folder not in self._real:
            path = self.folder / folder
            self._real[folder] = path.is_dir() and path.resolve() == path
        return self._real[folder]


def _is_as_left(path: str, file: Finished) -> bool:
    try:
        found = os.lstat(path)
        return (
            stat.S_ISREG(found.st_mode)
            and found.st_size == file.size
            and found.st_mtime_ns == file.mtime_ns
            and (file.size <= WRITTEN_IN_ORDER or not _has_holes(path, file.size))
        )
    except OSError:
        return False


def _has_holes(path: str, size: int) -> bool:
    """Whether a node that crashed lost bytes it had taken: they are holes then."""
    with open(path, "rb", buffering=0) as file:
        return has_hole(file.fileno(), 0, size)


def _same(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), path.lstat())
    except FileNotFoundError:
        return False
