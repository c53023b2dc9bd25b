"""The three requests that are made of S3: list, head, and get of an object or a range of it.

In: a bucket and keys, as they are: a key may be ``..``, end with a slash or hold any character,
which ``obstore`` cannot say. Out: entries, headers, open answers, requests for others to make, or
failures by kind.
"""

from __future__ import annotations

import http.client
import re
import ssl
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from functools import cached_property
from typing import IO, Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

from trainc.initializers.failure import (
    ConfigurationError,
    FetchError,
    IntegrityError,
    NotFoundError,
    PermissionDeniedError,
    TransientError,
)
from trainc.initializers.proxies import Proxies, by_proxy
from trainc.initializers.s3page import Entry, Page, parsed, text_of
from trainc.initializers.sigv4 import Keys, canonical_query, signed

# Characters of a path that are signed as they are.
_SAFE: Final = "/-_.~"
_DENIED: Final = frozenset(
    {
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidToken",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
        "XAdminUserNotFound",  # versitygw, with 404
    }
)
_PASSING: Final = frozenset({"RequestTimeout", "SlowDown", "Throttling", "RequestTimeTooSkewed"})
_MISCONFIGURED: Final = frozenset({"InvalidBucketName", "AuthorizationHeaderMalformed"})
# Of a bucket that is elsewhere; with a HEAD, whose answer has no body, there is a header only.
_ELSEWHERE: Final = frozenset({301, 307})
_OTHER_REGION: Final = frozenset(
    {"AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "PermanentRedirect"}
)
_REGION: Final = re.compile(r"[a-z]+(-[a-z0-9]+){2,4}")
_EXPECTED: Final = re.compile(r"expecting '([a-z0-9-]+)'")
_ERROR_BYTES: Final = 64 * 1024
_PAGE_BYTES: Final = 64 * 1024 * 1024  # many times what the longest 1000 keys take


class OtherRegionError(ConfigurationError):
    """The bucket is in another region, ``region``."""

    def __init__(self, message: str, region: str) -> None:
        """Keeps the region beside the reason."""
        super().__init__(message)
        self.region = region


@dataclass(frozen=True)
class Bucket:
    """Where requests go, and what signs them.

    Attributes:
        name: The bucket's.
        url: Its URL, with the bucket in host or path, without a slash at the end.
        region: Its region.
        keys: Gives the keys for now; None signs nothing.
        timeout: Seconds of silence after which a connection is dead.
        ca_bundle: A file of authorities that are trusted; empty: those of the system.
        opener: Opens requests; proxies are the environment's.
        requester_pays: Whether requests say that the reader pays.
    """

    name: str
    url: str
    region: str
    keys: Callable[[], Keys | None]
    timeout: float
    ca_bundle: str
    opener: urllib.request.OpenerDirector
    requester_pays: bool = False

    def entries(self, prefix: str, most: int = 0) -> Iterator[Entry]:
        """The objects whose keys begin so, in the order of their keys; ``most`` of them."""
        asked = {"list-type": "2", "prefix": prefix, "encoding-type": "url"}
        if most:
            asked["max-keys"] = str(most)
        tokens: set[str] = set()
        while True:
            with self.opened("GET", "", asked) as answer, _read(self.name):
                body = answer.read(_PAGE_BYTES)
                if len(body) == _PAGE_BYTES:
                    raise IntegrityError(f"{self.called('')} does not end its listing's page")
                page = Page(body, prefix, self.called(""))
            yield from page.entries()
            if most or not (token := page.following(tokens)):
                return
            tokens.add(token)
            asked["continuation-token"] = token

    def head(self, key: str, part: int = 0) -> Message:
        """What the server says of an object, checksums included; or of one of its parts."""
        asked = {"partNumber": str(part)} if part else {}
        try:
            with self.opened("HEAD", key, asked, {"x-amz-checksum-mode": "ENABLED"}) as answer:
                return answer.headers
        except ConfigurationError:
            # Its answer has no body to say why, keys that have expired for instance: a GET's has.
            with self.opened("GET", key, headers={"Range": "bytes=0-0"}):
                raise

    @contextmanager
    def opened(
        self,
        method: str,
        key: str,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[http.client.HTTPResponse]:
        """The answer to a request, while the block reads it.

        Raises:
            FetchError: of the kind that fits.
        """
        url, given = self.request(method, key, query, headers)
        request = urllib.request.Request(url, headers=given, method=method)
        with _read(self.called(key)):
            answer = self.opener.open(request, timeout=self.timeout)
        with answer:
            yield answer

    def request(
        self,
        method: str,
        key: str,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[str, dict[str, str]]:
        """The URL and the headers of a request that is made now.

        Raises:
            FetchError: where the keys cannot be had.
        """
        path = f"/{quote(key, safe=_SAFE)}" if key else ""
        asked = f"?{canonical_query(query)}" if query else ""
        url = f"{self.url}{path}{asked}"
        keys = self.keys()
        given = dict(headers or {})
        if self.requester_pays:
            given["x-amz-request-payer"] = "requester"
        if keys is None:
            return url, given
        return url, signed(method, url, given, keys, self.region, datetime.now(UTC))

    def called(self, key: str) -> str:
        """What messages call an object, or the bucket."""
        name = f"s3://{self.name}{f': {key!r}' if key else ''}"
        return f"{name} at {urlsplit(self.url).netloc}{self._by}"

    @cached_property
    def _by(self) -> str:
        return by_proxy(self.url)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Leaves a redirect to the caller: it would need another signature."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Any,
        newurl: str,
    ) -> None:
        """Follows none."""


class _Https(urllib.request.HTTPSHandler):
    """Reads the authorities in with the first request: that takes as long as many requests."""

    def __init__(self, ca_bundle: str) -> None:
        """Trusts the authorities of a file, or the system's."""
        super().__init__(context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))  # not the one in use
        self._ca_bundle = ca_bundle

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Opens a connection that is trusted."""
        return self.do_open(http.client.HTTPSConnection, req, context=self._trusting)

    @cached_property
    def _trusting(self) -> ssl.SSLContext:
        with _readable(self._ca_bundle):
            return ssl.create_default_context(cafile=self._ca_bundle or None)


def new_opener(ca_bundle: str = "") -> urllib.request.OpenerDirector:
    """An opener; it trusts the authorities of a file, or the system's.

    Raises:
        ConfigurationError: if there is no such file.
    """
    if ca_bundle:
        with _readable(ca_bundle), open(ca_bundle, "rb"):
            pass
    return urllib.request.build_opener(_NoRedirects, _Https(ca_bundle), Proxies())


@contextmanager
def _readable(ca_bundle: str) -> Iterator[None]:
    """Says of a file of authorities that it cannot be used."""
    try:
        yield
    except OSError as error:
        message = f"the CA bundle {ca_bundle!r}: {error.strerror}"
        raise ConfigurationError(message) from error


@contextmanager
def _read(name: str) -> Iterator[None]:
    """Turns what a request can raise into failures, by kind."""
    try:
        yield
    except HTTPError as error:
        with error:
            raise _of_answer(error, name) from error
    except URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise ConfigurationError(f"{name}: {error.reason}") from error
        if "unknown url type" in str(error.reason):  # of a proxy: the server's own was looked at
            raise ConfigurationError(
                f"{name}, by the environment's proxy: {error.reason}"
            ) from error
        raise TransientError(f"{name}: {error.reason}") from error
    except http.client.InvalidURL as error:
        raise ConfigurationError(f"{name}: {error}") from error
    except ElementTree.ParseError as error:
        raise TransientError(f"{name}: the listing cannot be read: {error}") from error
    except (OSError, http.client.HTTPException) as error:
        raise TransientError(f"{name}: {error or type(error).__name__}") from error
    except ValueError as error:
        raise ConfigurationError(f"{name}: {error}") from error


def _of_answer(error: HTTPError, name: str) -> FetchError:
    """The kind of failure that a server's answer is."""
    try:
        body = error.read(_ERROR_BYTES)
    except (OSError, http.client.HTTPException):
        body = b""
    wish = error.headers.get("Retry-After", "")
    seconds = float(wish) if wish.isdecimal() else 0.0
    return refused(name, error.code, body, seconds, error.headers.get("x-amz-bucket-region", ""))


def refused(
    name: str, status: int, body: bytes | bytearray, wish: float, region: str = ""
) -> FetchError:
    """The kind of failure that an answer means.

    Args:
        name: What was asked for, for the message.
        status: Of HTTP.
        body: Of the answer.
        wish: Seconds after which the server wants to be asked again.
        region: Where the bucket is, as the answer's header says.
    """
    code, message, told = _said(body)
    reason = code or http.client.responses.get(status, "")
    text = f"{name}: {status} {reason}{message and ': ' + message}"
    if status >= 500 or status in (408, 425, 429) or code in _PASSING:
        return TransientError(text, retry_after=wish)
    if status == 412:
        return TransientError(f"{name} was changed while it was fetched", again=False)
    if expected := _EXPECTED.search(message):
        told = told or expected[1]
    region = region or told
    if (status in _ELSEWHERE or code in _OTHER_REGION) and _REGION.fullmatch(region):
        return OtherRegionError(f"{name}: the bucket is in {region}: set REGION={region}", region)
    if code in _MISCONFIGURED:
        return ConfigurationError(text)
    if status in (401, 403) or code in _DENIED:
        return PermissionDeniedError(text)
    if status == 416:
        return IntegrityError(text)
    return NotFoundError(text) if status == 404 else ConfigurationError(text)


def _said(body: bytes | bytearray) -> tuple[str, str, str]:
    """Code, message and region of an error's body, as far as it has them."""
    try:
        said = parsed(bytes(body))
    except (ElementTree.ParseError, LookupError, ValueError):  # encodings that it does not know
        return "", "", ""
    return text_of(said, "Code"), text_of(said, "Message"), text_of(said, "Region")
