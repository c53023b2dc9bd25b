"""``hf://ORG/NAME[@REVISION][/PATH]``: a repository of the Hugging Face Hub.

A slash in a revision's name is written ``%2F``; those of ``refs/pr/N`` may be written as they are.

In: ``ACCESS_TOKEN`` (or the Hub's own ``HF_TOKEN``), ``HF_ENDPOINT``, ``HF_HUB_OFFLINE`` (only the
Hub's cache below ``HF_HOME`` is read, see ``hubcache``). Out: a remote. The Hub's
own client finds the commit and its files, and says what is private, gated or missing; the bytes
come in ranges, each file verified against its LFS or git digest. Files keep their place in the
repository, whatever PATH is, since runtimes name them by it (``dataset.data_dir``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urljoin, urlsplit

from trainc.initializers.config import Config, server_url, settings
from trainc.initializers.digest import Digest
from trainc.initializers.failure import (
    ConfigurationError,
    FetchError,
    IntegrityError,
    NotFoundError,
    PermissionDeniedError,
    TransientError,
)
from trainc.initializers.globs import glob_hint
from trainc.initializers.hubcache import CacheRemote
from trainc.initializers.provider import Chunk, Listing, Provider, RemoteFile

if TYPE_CHECKING:
    import httpx2
    from huggingface_hub.hf_api import RepoFile

# Revisions with a slash in them, as the Hub has them.
_REFS: Final = re.compile(r"(refs/(?:pr/\d+|convert/[^/]+))(?:/(.*))?")
_REDIRECTS: Final = 10
# What the Hub's own URIs begin with; no organisation can be called so.
_OTHERS: Final = ("datasets", "models", "spaces")
_NO_TREE: Final = frozenset({400, 404, 405, 501})
_GONE: Final = frozenset({401, 403, 404, 410})


@dataclass(frozen=True)
class Settings:
    """The environment of this scheme.

    Attributes:
        access_token, hf_token: A user's token; the first one that is set.
        hf_endpoint: Another Hub.
        hf_hub_offline: Ask no network.
    """

    access_token: str = ""
    hf_token: str = ""
    hf_endpoint: str = ""
    hf_hub_offline: bool = False


@dataclass(frozen=True)
class Place:
    """What a URI names: a repository, a revision (empty is the default branch), a path in it."""

    repo: str
    revision: str
    path: str


def place(config: Config) -> Place:
    """The URI, taken apart.

    Raises:
        ConfigurationError: if it names no repository.
    """
    text = f"{config.uri.host}/{config.uri.path}".strip("/")
    kind = text.partition("/")[0]
    if kind in _OTHERS and kind != f"{config.ancestor}s":
        other = f"trainc fetch --as {kind[:-1]}, or spec.initializer.{kind[:-1]}"
        hint = "" if kind == "spaces" else f": {other}"
        raise ConfigurationError(f"{config.uri.text!r} names no {config.ancestor}{hint}")
    text = text.removeprefix(f"{config.ancestor}s/")  # as the Hub's own hf:// URIs begin
    name, at, rest = text.partition("@")
    if at and name.count("/") < 2:  # else the @ is in a path
        refs = _REFS.fullmatch(rest)
        revision, _, path = (refs[1], "", refs[2] or "") if refs else rest.partition("/")
        if not revision:
            raise ConfigurationError(f"{config.uri.text!r} names no revision after @")
        return Place(unquote(name), unquote(revision), unquote(path).strip("/"))
    parts = unquote(text).split("/", 2)
    return Place("/".join(parts[:2]), "", parts[2].strip("/") if len(parts) > 2 else "")


def remote(config: Config) -> HubRemote | CacheRemote:
    """What the URI names."""
    given = settings(Settings, config.environ)
    if given.hf_hub_offline:
        named = place(config)
        return CacheRemote(config, named.repo, named.revision, named.path)
    server_url("HF_ENDPOINT", given.hf_endpoint)  # the Hub's client reads it when it is imported
    return HubRemote(config, given)


class HubRemote:
    """A path in a repository, at one revision."""

    def __init__(self, config: Config, given: Settings) -> None:
        """Asks for no file yet."""
        from huggingface_hub import HfApi, set_client_factory
        from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

        from trainc.initializers.web import Client

        self._text = config.uri.text
        self._place = place(config)
        self._type = config.ancestor
        token = given.access_token or given.hf_token or None
        self._api = HfApi(endpoint=given.hf_endpoint or None, token=token)
        set_client_factory(lambda: Client(config.read_timeout_seconds))
        self._client = Client(config.read_timeout_seconds, follow_redirects=False)
        with _translated(self._place):  # it asks the Hub, for the name it gives us
            self._headers = {**build_hf_headers(token=token), "Accept-Encoding": "identity"}
        self._commit = ""
        self._locations: dict[str, str] = {}

    def listing(self) -> Listing:
        """The files at or below the path, of one commit."""
        try:
            with _translated(self._place):
                info = self._api.repo_info(
                    self._place.repo, repo_type=self._type, revision=self._place.revision or None
                )
        except (NotFoundError, PermissionDeniedError) as error:
            raise self._of_other_type(error) from error
        with _translated(self._place):
            self._commit = info.sha or self._place.revision
            files = [self._file(file) for file in self._tree()]
        return Listing(sorted(files, key=lambda file: file.path), self._commit)

    def inspect(self, file: RemoteFile) -> RemoteFile:
        """The file itself: its listing says all."""
        return file

    def read(self, file: RemoteFile, start: int, end: int | None) -> Iterator[Chunk]:
        """The bytes of one range."""
        from trainc.initializers.web import check_range, chunks, range_header

        if file.size == 0:
            return
        with self._open(file, range_header(start, end)) as response:
            # A small file may come whole: not every server behind the Hub cares for ranges.
            whole = response.status_code == 200 and start == 0 and end in (None, file.size)
            if not whole:
                check_range(response, start, file.size)
            yield from chunks(response)

    def _of_other_type(self, error: FetchError) -> FetchError:
        """The failure, with a word on a model where a dataset was asked for, or the reverse."""
        other = "model" if self._type == "dataset" else "dataset"
        repo = self._place.repo
        try:
            with _translated(self._place):
                self._api.repo_info(repo, repo_type=other)
        except FetchError:
            return error
        return NotFoundError(
            f"there is no {self._type} {repo}, but a {other} of that name: "
            f"trainc fetch --as {other}, or spec.initializer.{other}"
        )

    def _tree(self) -> Iterator[RepoFile]:
        """The files below the path, or the file that it is."""
        from huggingface_hub.errors import HfHubHTTPError
        from huggingface_hub.hf_api import RepoFile

        repo, path = self._place.repo, self._place.path
        if path:
            found = self._api.get_paths_info(
                repo, path, revision=self._commit, repo_type=self._type
            )
            if not found:
                hint = glob_hint(self._text)
                raise NotFoundError(f"{repo} has no {path!r} at {self._commit}{hint}")
            if isinstance(found[0], RepoFile):
                yield found[0]
                return
        try:
            for entry in self._api.list_repo_tree(
                repo, path or None, recursive=True, revision=self._commit, repo_type=self._type
            ):
                if isinstance(entry, RepoFile):
                    yield entry
        except HfHubHTTPError as error:
            if error.response is None or error.response.status_code not in _NO_TREE or path:
                raise
            raise ConfigurationError(
                f"{self._api.endpoint} has {repo} and does not list its files "
                f"(/api/{self._type}s/{repo}/tree answers {error.response.status_code}), as some "
                "mirrors do: unset HF_ENDPOINT to ask the Hub, or copy the repository to object "
                "storage with trainc fetch and name that"
            ) from error

    def _file(self, file: RepoFile) -> RemoteFile:
        if not (isinstance(file.path, str) and isinstance(file.size, int) and file.size >= 0):
            raise IntegrityError(f"{self._place.repo} lists {file.path!r} with {file.size!r} bytes")
        digest = Digest("sha256", file.lfs.sha256) if file.lfs else Digest("sha1-git", file.blob_id)
        return RemoteFile(file.path, file.path, file.size, file.blob_id, digest)

    @contextmanager
    def _open(self, file: RemoteFile, asked: Mapping[str, str]) -> Iterator[httpx2.Response]:
        """The answer to a GET of the file, from wherever the Hub sends us.

        Where it sent us is kept for the file's other ranges, for as long as the signature holds.
        """
        known = self._locations.get(file.key)
        if known is not None:
            headers = {"Accept-Encoding": "identity", **asked}
            with self._client.stream("GET", known, headers=headers) as response:
                if response.status_code not in _GONE:
                    yield response
                    return
            self._locations.pop(file.key, None)
        with self._followed(file, asked) as response:
            yield response

    @contextmanager
    def _followed(self, file: RemoteFile, asked: Mapping[str, str]) -> Iterator[httpx2.Response]:
        from huggingface_hub import hf_hub_url
        from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]

        with _translated(self._place):  # half a character, as JSON can hold it, is in no URL
            url = hub = hf_hub_url(
                self._place.repo,
                file.key,
                repo_type=self._type,
                revision=self._commit,
                endpoint=self._api.endpoint,
            )
        for _ in range(_REDIRECTS):
            ours = _origin(url) == _origin(hub)
            # The token is the Hub's: no other host gets it.
            headers = {**(self._headers if ours else {"Accept-Encoding": "identity"}), **asked}
            with self._client.stream("GET", url, headers=headers) as response:
                if not response.has_redirect_location:
                    with _translated(self._place):
                        hf_raise_for_status(response)
                    if not ours:
                        self._locations[file.key] = url
                    yield response
                    return
                with _translated(self._place):
                    url = urljoin(url, response.headers["Location"])
        raise TransientError(f"{hub} redirects without end", again=False)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


@contextmanager
def _translated(named: Place) -> Iterator[None]:
    """Turns the exceptions of the Hub's client into failures, by kind."""
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError as error:
        raise PermissionDeniedError(f"{named.repo} is gated: {_said(error)}") from error
    except errors.HfHubHTTPError as error:
        raise _of_answer(error, named) from error
    except (json.JSONDecodeError, TypeError, KeyError, AttributeError) as error:
        raise ConfigurationError(
            f"{named.repo}: that is no answer of a Hub, is HF_ENDPOINT one? {error}"
        ) from error
    except (errors.HFValidationError, errors.OfflineModeIsEnabled, ValueError) as error:
        raise ConfigurationError(f"{named.repo}: {error}") from error


def _of_answer(error: Exception, named: Place) -> FetchError:
    from huggingface_hub import errors

    from trainc.initializers.web import failure_of

    response = getattr(error, "response", None)
    at = f"{named.repo}{named.revision and '@' + named.revision}"
    if response is not None and response.status_code in (401, 403):
        return PermissionDeniedError(f"{at} is private or does not exist: {_said(error)}")
    if isinstance(error, errors.RepositoryNotFoundError):
        return NotFoundError(f"there is no repository {named.repo}")
    if isinstance(error, errors.RevisionNotFoundError):
        hint = f"; a slash in its name is written %2F: @{named.revision}%2F{named.path}"
        return NotFoundError(
            f"{named.repo} has no revision {named.revision!r}{hint if named.path else ''}"
        )
    if isinstance(error, errors.EntryNotFoundError):
        return NotFoundError(f"{at}: {_said(error)}")
    return failure_of(response, at) if response is not None else TransientError(f"{at}: {error}")


def _said(error: Exception) -> str:
    """The first line of what the Hub's client says."""
    return str(error).strip().split("\n", 1)[0]


PROVIDER: Final = Provider(
    schemes=("hf",),
    dataset=remote,
    model=remote,
    identity=("HF_ENDPOINT",),
    needs=("huggingface_hub", "httpx2"),
)
