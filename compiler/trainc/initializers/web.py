"""HTTP, for the Hub and for plain servers: a client that fails in our words, and ranged reads.

In: URLs. Out: bytes, or a failure of the kind that fits. The client is the one ``huggingface_hub``
brings along, so that proxies, certificates and time-outs are the same for both.
"""

from __future__ import annotations

import email.utils
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

_CONNECT_TIMEOUT: Final = 10.0  # seconds
_PASSING: Final = frozenset({408, 425, 429})
_RANGE: Final = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


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

    def build_request(self, method: str, url: httpx2.URL | str, **options: Any) -> httpx2.Request:
        """The request, where the URL is one."""
        with translated(str(url)):
            return super().build_request(method, url, **options)

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """The answer, unless it is one that passes."""
        with translated(str(request.url)):
            response = super().send(request, **options)
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
        text = f"{name}: {error or type(error).__name__}"
        if "CERTIFICATE_VERIFY_FAILED" in text:
            raise ConfigurationError(text) from error
        raise TransientError(text) from error


def failure_of(response: httpx2.Response, name: str) -> FetchError:
    """The kind of failure that an answer is."""
    status = response.status_code
    text = f"{name}: {status} {response.reason_phrase}"
    if status in _PASSING or status >= 500:
        return TransientError(text, retry_after=_retry_after(response.headers))
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
        return int(length) if length.isdecimal() else None
    total = response.headers.get("Content-Range", "").rpartition("/")[2]
    return int(total) if total.isdecimal() else None


def chunks(response: httpx2.Response) -> Iterator[bytes]:
    """The bytes of an answer, as they come in."""
    with translated(str(response.request.url)):
        yield from response.iter_raw()


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
