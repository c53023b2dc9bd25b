"""HTTP, for the Hub and for plain servers: a client that fails in our words, and ranged reads.

In: URLs. Out: bytes, or a failure of the kind that fits. The client is the one ``huggingface_hub``
brings along, so that proxies, certificates and time-outs are the same for both.
"""

from __future__ import annotations

import email.utils
import math
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import httpx2

from trainc.initializers.failure import (
    ConfigurationError,
    FetchError,
    IntegrityError,
    NotFoundError,
    PermissionDeniedError,
    TransientError,
)
from trainc.initializers.proxies import by_proxy, in_excepted_network

_CONNECT_TIMEOUT: Final = 10.0  # seconds
_TOO_MANY: Final = 429
_PASSING: Final = frozenset({408, 425, _TOO_MANY})
# Numbers of thousands of digits are none that Python converts.
_RANGE: Final = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)")
_SIZE: Final = re.compile(r"[0-9]{1,18}")
_SPENT: Final = re.compile(r";\s*r\s*=\s*0+\s*(?:;|$)")
_SECONDS: Final = re.compile(r";\s*t\s*=\s*([0-9]{1,9})\s*(?:;|$)")


class Client(httpx2.Client):
    """Raises what a later attempt may cure at once, so that no library retries on its own."""

    def __init__(self, read_timeout: float, follow_redirects: bool = True) -> None:
        """A connection that is silent for ``read_timeout`` seconds is dead.

        Raises:
            ConfigurationError: if a proxy, or a file of certificates, cannot be.
        """
        try:
            super().__init__(
                timeout=httpx2.Timeout(read_timeout, connect=_CONNECT_TIMEOUT),
                limits=httpx2.Limits(max_connections=None, max_keepalive_connections=64),
                follow_redirects=follow_redirects,
                headers={"User-Agent": "trainc"},
            )
        except OSError as error:
            names = " or ".join(filter(os.environ.get, ("SSL_CERT_FILE", "SSL_CERT_DIR")))
            raise ConfigurationError(f"{names or 'certificates'}: {error}") from error
        except (ValueError, httpx2.InvalidURL) as error:
            raise ConfigurationError(f"the environment's proxies: {error}") from error

    def _transport_for_url(self, url: httpx2.URL) -> httpx2.BaseTransport:
        """The way to a server: straight where ``NO_PROXY`` has its network."""
        if in_excepted_network(url.netloc.decode("ascii", "replace")):
            return self._transport
        return super()._transport_for_url(url)

    def build_request(self, method: str, url: httpx2.URL | str, **options: Any) -> httpx2.Request:
        """The request, where the URL is one."""
        with translated(str(url)):
            return super().build_request(method, url, **options)

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """The answer, unless it is one that passes, or is known to be one."""
        QUOTAS.check(request.url)
        with translated(str(request.url)):
            response = super().send(request, **options)
        QUOTAS.note(response)
        if response.status_code in _PASSING or response.status_code >= 500:
            response.close()
            raise failure_of(response, str(request.url))
        return response


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Turns the client's exceptions into failures, by kind."""
    try:
        yield
    except (httpx2.TooManyRedirects, httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
        raise ConfigurationError(f"{name}: {error}") from error
    except (UnicodeEncodeError, httpx2.LocalProtocolError):  # whose texts would quote it
        raise ConfigurationError(
            f"{name}: the request has a header that cannot be: is ACCESS_TOKEN a token?"
        ) from None
    except UnicodeError as error:  # a host's name that cannot be one, of a redirect perhaps
        raise ConfigurationError(f"{name}: {error}") from error
    except httpx2.TransportError as error:
        if isinstance(error, httpx2.RemoteProtocolError) and "Content-Length" in str(error):
            raise IntegrityError(f"{name}: {error}") from error  # no number, or an absurd one
        text = f"{name}{by_proxy(name)}: {error or type(error).__name__}"
        if "CERTIFICATE_VERIFY_FAILED" in text:
            raise ConfigurationError(text) from error
        raise TransientError(text) from error


class Quotas:
    """When servers may be asked again that said so, for all clients and threads.

    The Hub counts the requests for files apart from those to its API; the header is that of the
    IETF's draft "RateLimit header fields for HTTP": ``RateLimit: "resolvers";r=0;t=158``.
    """

    def __init__(self) -> None:
        """Knows of none yet."""
        self._free: dict[tuple[str, bool], float] = {}

    def check(self, url: httpx2.URL) -> None:
        """Asks nothing of a server that would refuse.

        Raises:
            TransientError: with the time that is left.
        """
        left = self._free.get(_quota(url), 0.0) - time.monotonic()
        if left > 0:
            raise TransientError(f"{url}: {_limited(left)}", retry_after=left)

    def note(self, response: httpx2.Response) -> None:
        """Takes note of an answer: of a refusal, and of the last one that is granted."""
        wait = rate_limit(response.headers)
        if response.status_code == _TOO_MANY:
            wait = max(wait, _retry_after(response.headers))
        if wait > 0:
            self._free[_quota(response.request.url)] = time.monotonic() + wait


def _quota(url: httpx2.URL) -> tuple[str, bool]:
    """What is counted together."""
    return url.netloc.decode("ascii", "replace"), "/resolve/" in url.path


def _limited(seconds: float) -> str:
    return (
        f"the server's rate limit is used up, and free again in {math.ceil(seconds)} s; "
        "a token (ACCESS_TOKEN) may raise it"
    )


QUOTAS: Final = Quotas()


def failure_of(response: httpx2.Response, name: str) -> FetchError:
    """The kind of failure that an answer is."""
    status = response.status_code
    text = f"{name}: {status} {response.reason_phrase}"
    wait = max(_retry_after(response.headers), rate_limit(response.headers))
    if status == _TOO_MANY and wait:
        return TransientError(f"{text}: {_limited(wait)}", retry_after=wait)
    if status in _PASSING or status >= 500:
        return TransientError(text, retry_after=wait)
    if status in (401, 403, 407):
        return PermissionDeniedError(text)
    if status in (404, 410):
        return NotFoundError(text)
    unasked = 200 <= status < 300  # a part, or nothing, where the whole was asked for
    return IntegrityError(text) if status == 416 or unasked else ConfigurationError(text)


def range_header(start: int, end: int | None) -> dict[str, str]:
    """The header that asks for a range; ``end`` does not belong to it."""
    return {"Range": f"bytes={start}-{'' if end is None else end - 1}"}


def check_range(response: httpx2.Response, start: int, size: int | None) -> None:
    """Makes sure that an answer is the range that was asked for, of the file that was listed.

    Raises:
        FetchError: if it is not.
    """
    name = str(response.request.url)
    if response.status_code != 206:
        if response.status_code == 200:
            raise TransientError(f"{name} was changed while it was fetched", again=False)
        raise failure_of(response, name)
    match = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if match is None or int(match[1]) != start:
        raise IntegrityError(f"{name} answers with another range than {start} was asked for")
    if size is not None and match[3] != "*" and int(match[3]) != size:
        raise IntegrityError(f"{name} was listed with {size} bytes and has {match[3]}")


def total_size(response: httpx2.Response) -> int | None:
    """The size of the whole file, as an answer to a range tells it."""
    if response.status_code == 200:
        length = response.headers.get("Content-Length", "")
    else:
        length = response.headers.get("Content-Range", "").rpartition("/")[2]
    if length.isdecimal() and not _SIZE.fullmatch(length):
        raise IntegrityError(f"{response.request.url} says that it has {length[:20]}... bytes")
    return int(length) if _SIZE.fullmatch(length) else None


def chunks(response: httpx2.Response) -> Iterator[bytes]:
    """The bytes of an answer, as they come in."""
    with translated(str(response.request.url)):
        yield from response.iter_raw()


def rate_limit(headers: Mapping[str, str]) -> float:
    """Seconds until a quota that is used up is there again, 0 where none is."""
    waits = [0.0]
    for policy in headers.get("RateLimit", "").split(","):
        seconds = _SECONDS.search(policy)
        if seconds and _SPENT.search(policy):
            waits.append(float(seconds[1]))
    return max(waits)


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds to wait: from a number, or from a date."""
    text = headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        due = email.utils.parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):  # no date, or none that a clock could show
        return 0.0
    return max(0.0, due - time.time())
