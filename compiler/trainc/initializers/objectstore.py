"""Object stores by ``obstore``: the reading of ranges, and the meaning of its errors.

In: a store of the library, and a prefix. Out: a ``Remote``. The library's own retries are off:
there is one policy, ours. Chosen over ``opendal`` by measurement, see
docs/performance-initializers.md: it streams, where the other's Python interface holds a whole range
in memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from trainc.initializers.digest import Digest
from trainc.initializers.failure import (
    ConfigurationError,
    FetchError,
    IntegrityError,
    NotFoundError,
    PermissionDeniedError,
    TransientError,
)
from trainc.initializers.provider import Chunk, Listing, RemoteFile

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

_CONNECT_TIMEOUT: Final = "10s"
_STATUS: Final = re.compile(r"(?:status code|status): (\d{3})")
_CERTIFICATE: Final = re.compile(r"certificate|UnknownIssuer|NotValidForName", re.IGNORECASE)
_HEADS: Final = 16  # requests at a time
_MD5: Final = re.compile(r"[0-9a-f]{32}")


def client_options(endpoint: str, read_timeout: float) -> ClientConfig:
    """The HTTP client's settings: a connection that is silent for so many seconds is dead."""
    return {
        "allow_http": endpoint.startswith("http://"),
        "connect_timeout": _CONNECT_TIMEOUT,
        "read_timeout": f"{int(read_timeout * 1000)}ms",
        "timeout": "1d",  # of a whole request: its length says nothing, silence does
        "user_agent": "trainc",
    }


def no_retries() -> RetryConfig:
    """The library's retries, off."""
    return {"max_retries": 0}


@contextmanager
def opening(name: str) -> Iterator[None]:
    """Turns what a store's constructor raises into a failure: it asks nothing of the network."""
    try:
        yield
    except Exception as error:
        raise ConfigurationError(f"{name}: {_first_line(error)}") from error


@contextmanager
def listed(key: str) -> Iterator[None]:
    """Says of an object that is not there any more what it is: the next listing is another one."""
    try:
        yield
    except NotFoundError as error:
        raise TransientError(
            f"{key!r} was listed and is not there: {error}", again=False
        ) from error


def digest_of_etag(etag: str) -> Digest | None:
    """The MD5 that an etag is, where it looks like one."""
    text = etag.strip('"')
    return Digest("md5", text) if _MD5.fullmatch(text) else None


class StoreRemote:
    """What lies under a prefix of a bucket."""

    def __init__(
        self, opened: Callable[[], ObjectStore], prefix: str, name: str, verify_etag: bool
    ) -> None:
        """Reads from the store that ``opened`` gives; ``name`` is the URI, for messages."""
        self._opened = opened
        self._prefix = prefix
        self._name = name
        self._verify_etag = verify_etag

    @cached_property
    def _store(self) -> ObjectStore:
        return self._opened()

    def listing(self) -> Listing:
        """The object of that name, and those in the folder of that name: never its siblings."""
        import obstore

        store = self._store
        folder = self._prefix.strip("/")
        metas: list[ObjectMeta] = []
        try:
            if folder and not self._prefix.endswith("/"):
                metas += self._exact(folder)
            for page in obstore.list(store, prefix=folder or None):
                metas += (meta for meta in page if meta["path"] != folder)
            metas = self._without_marks(metas)
        except Exception as error:
            raise failure_of(error, self._name) from error
        files = {meta["path"]: self._file(meta, folder) for meta in metas}
        return Listing([files[path] for path in sorted(files)])

    def inspect(self, file: RemoteFile) -> RemoteFile:
        """The file itself: the library shows no checksums."""
        return file

    def read(self, file: RemoteFile, start: int, end: int | None) -> Iterator[Chunk]:
        """The bytes of one range, as they come in."""
        if file.size == 0:
            return
        with listed(file.key):
            try:
                yield from self._read(file, start, file.size if end is None else end)
            except NotFoundError:
                self._check_slash(file)
                raise

    def _check_slash(self, file: RemoteFile) -> None:
        """Refuses what is listed and is not there, again and again: the library drops the slash."""
        import obstore

        pages = obstore.list(self._store, prefix=file.key)
        if any(meta["path"] == file.key for page in pages for meta in page):
            raise IntegrityError(
                f"{file.key + '/'!r} cannot be a file below the target; "
                "IGNORE_PATTERNS can leave it out"
            )

    def _read(self, file: RemoteFile, start: int, end: int | None) -> Iterator[Chunk]:
        import obstore

        store = self._store
        options: dict[str, Any] = {"range": (start, end)}
        if file.version.startswith('"'):
            options["if_match"] = file.version
        try:
            result = obstore.get(store, file.key, options=options)  # type: ignore[arg-type]
            if not _is_of(result.meta["e_tag"], file):
                raise TransientError(f"{file.key!r} was changed while it was fetched", again=False)
            if result.meta["size"] != file.size:
                raise IntegrityError(
                    f"{file.key!r} was listed with {file.size} bytes and has {result.meta['size']}"
                )
            # As they come: gathering them into larger ones would cost a copy.
            for chunk in result.stream(min_chunk_size=1):
                yield memoryview(chunk)
        except FetchError:
            raise
        except Exception as error:
            raise failure_of(error, f"{self._name}: {file.key!r}") from error

    def _exact(self, key: str) -> list[ObjectMeta]:
        import obstore

        try:
            return [obstore.head(self._store, key)]
        except FileNotFoundError:
            return []

    def _without_marks(self, metas: list[ObjectMeta]) -> list[ObjectMeta]:
        """The objects that are no marks of folders.

        A mark is empty and ends with a slash, which the library does not show: by the name that is
        shown there is nothing, or something that is not empty.
        """
        empty = [meta["path"] for meta in metas if not meta["size"]]
        with ThreadPoolExecutor(_HEADS) as pool:
            found = dict(zip(empty, pool.map(self._exact, empty), strict=True))
        files = {path for path, there in found.items() if there and not there[0]["size"]}
        return [meta for meta in metas if meta["size"] or meta["path"] in files]

    def _file(self, meta: ObjectMeta, folder: str) -> RemoteFile:
        etag = _quoted(meta["e_tag"] or "")
        return RemoteFile(
            path=relative(meta["path"], folder),
            key=meta["path"],
            size=meta["size"],
            version=etag or meta["last_modified"].isoformat(),
            digest=digest_of_etag(etag) if self._verify_etag else None,
        )


def _quoted(etag: str) -> str:
    """An etag as requests have it: Azure lists its own without quotes."""
    return etag if not etag or etag.endswith('"') else f'"{etag}"'


def _is_of(etag: str | None, file: RemoteFile) -> bool:
    """Whether an answer is of the version that was listed, as far as it says so."""
    return not etag or not file.version.startswith('"') or _quoted(etag) == file.version


def relative(key: str, folder: str) -> str:
    """Where an object belongs: its key below the folder; one named itself, by its last name."""
    if key == folder or not folder:
        return key.rpartition("/")[2] if key == folder else key
    return key.removeprefix(f"{folder}/")


def failure_of(error: Exception, name: str) -> FetchError:
    """The kind of failure that an exception of ``obstore`` is."""
    import obstore.exceptions as raised

    text = f"{name}: {_first_line(error)}"
    kinds: tuple[tuple[tuple[type[Exception], ...], Callable[[str], FetchError]], ...] = (
        ((FileNotFoundError, raised.NotFoundError), NotFoundError),
        (
            (PermissionError, raised.PermissionDeniedError, raised.UnauthenticatedError),
            PermissionDeniedError,
        ),
        ((raised.InvalidPathError,), IntegrityError),
        ((raised.UnknownConfigurationKeyError, raised.NotSupportedError), ConfigurationError),
        ((ValueError,), ConfigurationError),
    )
    for classes, kind in kinds:
        if isinstance(error, classes):
            return kind(text)
    if isinstance(error, raised.PreconditionError):
        return TransientError(f"{name} was changed while it was fetched", again=False)
    return _by_status(str(error), text)


def _by_status(whole: str, text: str) -> FetchError:
    """The kind of a failure which the library only describes."""
    match = _STATUS.search(whole)
    if match is None:
        return ConfigurationError(text) if _CERTIFICATE.search(whole) else TransientError(text)
    status = int(match[1])
    if status in (401, 403):
        return PermissionDeniedError(text)
    if status == 404:
        return NotFoundError(text)
    if status in (408, 425, 429) or status >= 500:
        return TransientError(text)
    return IntegrityError(text) if status == 416 else ConfigurationError(text)


def _first_line(error: Exception) -> str:
    """What the library says, without its debug output."""
    return str(error).split("\n\nDebug source", 1)[0]
