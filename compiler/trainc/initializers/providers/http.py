"""``http(s)://HOST/PATH/FILE``: one file of a web server.

In: a URL, whose fragment may promise a digest (``#sha256=...``); ``ACCESS_TOKEN`` is sent as a
bearer; ``ALLOW_REDIRECTS_TO`` widens where a redirect may lead (``redirects``). Out: a remote with
that file. HTTP knows no folders.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from trainc.initializers.config import Config, settings
from trainc.initializers.digest import Digest
from trainc.initializers.failure import ConfigurationError, IntegrityError, TransientError
from trainc.initializers.objectstore import digest_of_etag
from trainc.initializers.provider import Chunk, Listing, Provider, RemoteFile
from trainc.initializers.redirects import check_redirect

if TYPE_CHECKING:
    import httpx2

# Digests that a fragment may promise, with their lengths.
_HEXADECIMAL: Final = re.compile(r"[0-9a-f]+")
_PROMISES: Final = {"sha512": 128, "sha256": 64, "sha1": 40, "md5": 32}
# Digests that headers tell; the names of the first two are spelled in any case.
_HEADERS: Final = (
    ("Repr-Digest", "sha-256=", "sha256"),
    ("Digest", "sha-256=", "sha256"),
    ("x-goog-hash", "md5=", "md5"),
    ("x-goog-hash", "crc32c=", "crc32c"),
)
_REDIRECTS: Final = 20
# Endings of names that may well be those of pages, and no ending at all.
_PAGES: Final = ("", "asp", "aspx", "cgi", "htm", "html", "jsp", "php", "shtml", "xht", "xhtml")


@dataclass(frozen=True)
class Settings:
    """The environment of this scheme.

    Attributes:
        access_token: Sent as ``Authorization: Bearer``, to the first server alone.
        allow_redirects_to: Hosts, patterns of hosts and networks that redirects may lead to.
    """

    access_token: str = ""
    allow_redirects_to: str = ""


def remote(config: Config) -> FileRemote:
    """What the URI names."""
    return FileRemote(config, settings(Settings, config.environ))


class FileRemote:
    """One URL."""

    def __init__(self, config: Config, given: Settings) -> None:
        """Asks nothing yet.

        Raises:
            ConfigurationError: if the URL names no file.
        """
        from trainc.initializers.web import Client

        self._url, fragment = urldefrag(config.uri.text)
        self._name = unquote(urlsplit(self._url).path).rpartition("/")[2]
        if not self._name:
            raise ConfigurationError(f"{self._url} names no file: HTTP knows no folders")
        self._promised = _promise(fragment)
        self._verify_etag = config.verify_etag
        self._client = Client(config.read_timeout_seconds, follow_redirects=False)
        self._token = given.access_token
        self._allowed = [
            part for part in map(str.strip, given.allow_redirects_to.split(",")) if part
        ]

    def listing(self) -> Listing:
        """The file. It is asked for by its first byte: what may be read may not always be asked."""
        from trainc.initializers.web import range_header

        file = self._asked(range_header(0, 1)) or self._asked({})
        assert file is not None
        return Listing([file], revision=file.version)

    def inspect(self, file: RemoteFile) -> RemoteFile:
        """The file itself: all there is to know was in the first answer."""
        return file

    def read(self, file: RemoteFile, start: int, end: int | None) -> Iterator[Chunk]:
        """The bytes of one range, or of the whole file where the server knows no ranges."""
        from trainc.initializers.web import check_range, chunks, failure_of, range_header

        if file.size == 0:
            return
        asked = range_header(start, end) if file.ranges else {}
        if file.ranges and file.version:
            asked["If-Range"] = file.version
        with self._get(asked) as response:
            if file.version and not _is_of(response.headers, file):
                raise TransientError(f"{self._url} was changed while it was fetched", again=False)
            if file.ranges:
                check_range(response, start, file.size)
            elif response.status_code != 200:
                raise failure_of(response, self._url)
            yield from chunks(response)

    def _asked(self, headers: Mapping[str, str]) -> RemoteFile | None:
        """The file, as one answer tells of it; None where an empty one has no first byte."""
        from trainc.initializers.web import failure_of, total_size

        with self._get(headers) as response:
            if response.status_code == 416 and headers:
                return None
            if response.status_code not in (200, 206):
                raise failure_of(response, self._url)
            self._check_is_no_page(response.headers)
            size = total_size(response)
            return RemoteFile(
                path=self._name,
                key=self._url,
                size=size,
                version=_etag(response.headers) or response.headers.get("Last-Modified", ""),
                digest=self._promised or self._digest(response.headers),
                # A part of what has no end is not known to be the last one.
                ranges=response.status_code == 206 and size is not None,
            )

    def _check_is_no_page(self, headers: Mapping[str, str]) -> None:
        """Sees to it that a login page is not taken for a model: it comes with status 200.

        Raises:
            IntegrityError: if a page came, and nothing says that one is wanted.
        """
        media_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        ending = self._name.rpartition(".")[2].lower() if "." in self._name else ""
        if media_type != "text/html" or ending in _PAGES or self._promised:
            return
        raise IntegrityError(
            f"{self._url}: the server sent a web page (text/html) for {self._name}; it may want a "
            "login (ACCESS_TOKEN). If the page is what is wanted, promise its digest: #sha256=..."
        )

    @contextmanager
    def _get(self, headers: Mapping[str, str]) -> Iterator[httpx2.Response]:
        """The answer, from wherever the server sends us that it may."""
        url = self._url
        for _ in range(_REDIRECTS):
            sent = {"Accept-Encoding": "identity", **headers}
            if self._token and _is_same_server(self._url, url):
                sent["Authorization"] = f"Bearer {self._token}"
            with self._client.stream("GET", url, headers=sent) as response:
                if not response.has_redirect_location:
                    yield response
                    return
                url = self._redirected(url, response.headers["Location"])
        raise ConfigurationError(f"{self._url} redirects without end")

    def _redirected(self, url: str, location: str) -> str:
        try:
            to = urljoin(url, location)
        except ValueError as error:
            raise ConfigurationError(f"{self._url} redirects to {location!r}: {error}") from error
        check_redirect(self._url, to, self._allowed)
        return to

    def _digest(self, headers: Mapping[str, str]) -> Digest | None:
        """The digest that the server says the file has."""
        for name, prefix, algorithm in _HEADERS:
            for part in headers.get(name, "").split(","):
                if part.strip().lower().startswith(prefix):
                    return _told(algorithm, part.strip()[len(prefix) :].strip(":"))
        encrypted = headers.get("x-amz-server-side-encryption", "").startswith("aws:kms")
        if self._verify_etag and "x-amz-request-id" in headers and not encrypted:
            return digest_of_etag(headers.get("ETag", ""))
        return None


def _is_same_server(first: str, other: str) -> bool:
    """Whether a token for one is meant for the other: the same server, or the same by TLS."""
    one, two = urlsplit(first), urlsplit(other)
    if (one.scheme, one.netloc) == (two.scheme, two.netloc):
        return True
    by_tls = (one.scheme, two.scheme) == ("http", "https")
    return by_tls and one.hostname == two.hostname and {one.port, two.port} <= {None, 80, 443}


def _etag(headers: Mapping[str, str]) -> str:
    """The etag, where equal ones are equal bytes."""
    etag = headers.get("ETag", "")
    return "" if etag.startswith("W/") else etag


def _is_of(headers: Mapping[str, str], file: RemoteFile) -> bool:
    """Whether an answer is of the version that was listed, as far as it says so.

    A server that does not care for ``If-Range`` sends a part of what there is now. The version is
    an etag or a date.
    """
    date = file.version.endswith("GMT")
    return (headers.get("Last-Modified", "") if date else _etag(headers)) in ("", file.version)


def _told(algorithm: str, text: str) -> Digest | None:
    """A header's digest; None where nobody could have computed it."""
    try:
        return Digest(algorithm, base64.b64decode(text, validate=True).hex())
    except ValueError:
        return None


def _promise(fragment: str) -> Digest | None:
    """What a fragment promises.

    Raises:
        ConfigurationError: if it is anything else: who wrote it expects it to be kept.
    """
    if not fragment:
        return None
    algorithm, _, value = fragment.lower().partition("=")
    if len(value) != _PROMISES.get(algorithm) or not _HEXADECIMAL.fullmatch(value):
        raise ConfigurationError(
            f"#{fragment} promises no digest: #sha256=... does, with all its digits; "
            "a # in a name is written %23"
        )
    return Digest(algorithm, value)


PROVIDER: Final = Provider(
    schemes=("http", "https"), dataset=remote, model=remote, needs=("awscrt", "httpx2")
)
