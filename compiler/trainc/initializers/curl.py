"""Many small answers at a time, over one thread: ``libcurl``.

In: files, each asked for as soon as a connection is free. Out: their answers, in the order in which
they come. Threads that each wait for an answer hand the interpreter's lock to and fro, which costs
more than small answers themselves; here only one of them waits, for all connections.
"""

from __future__ import annotations

import math
import os
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Generic, TypeVar
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies

from trainc.initializers.failure import (
    ConfigurationError,
    FetchError,
    IntegrityError,
    TransientError,
)
from trainc.initializers.proxies import is_direct

if TYPE_CHECKING:
    import pycurl

_CONNECT_SECONDS: Final = 10
_WAIT: Final = 0.2  # seconds until one who waits is told that nothing has come
# Bytes: of what says why there is no object, which may be longer than the object.
_ERROR_BYTES: Final = 64 * 1024
# Scheme, user, password, and the server.
_PROXY: Final = re.compile(r"(?:([^:/@]+)://)?(?:([^:@]*)(?::(.*))?@)?([^/@]*)", re.DOTALL)

File = TypeVar("File")


@dataclass(frozen=True)
class Asked:
    """A request.

    Attributes:
        url: As it is sent: nothing is escaped or taken out.
        headers: As they are sent.
        size: Bytes of the answer.
    """

    url: str
    headers: Mapping[str, str]
    size: int


@dataclass(frozen=True)
class Answer:
    """What a server said: any status.

    Attributes:
        status: Of HTTP.
        body: All of it; of a failure, the beginning.
        wish: Seconds after which to come again.
    """

    status: int
    body: bytearray
    wish: float


@dataclass(frozen=True)
class Circumstances:
    """How connections are made.

    Attributes:
        url: Of the server; decides on the proxy.
        timeout: Seconds of silence after which a connection is dead.
        ca_bundle: A file of authorities that are trusted; empty: those of the system.
    """

    url: str
    timeout: float
    ca_bundle: str


class Answers(Generic[File]):
    """The answers to one request for each of many files."""

    def __init__(
        self,
        files: Iterator[File],
        ask: Callable[[File], Asked],
        called: Callable[[File], str],
        given: Circumstances,
        connections: Callable[[], int],
    ) -> None:
        """Asks for files over so many ``connections`` as are allowed at the moment, at least one.

        ``ask`` gives a file's request, ``called`` its name for messages.
        """
        import pycurl

        self._files = files
        self._ask = ask
        self._called = called
        self._multi = pycurl.CurlMulti()
        self._given = given
        self._connections = connections
        self._free: list[pycurl.Curl] = []
        self._busy: dict[pycurl.Curl, tuple[File, bytearray]] = {}

    def __iter__(self) -> Iterator[tuple[File, Answer | FetchError] | None]:
        """Each file with its answer, or why there is none; None where nothing came for a while."""
        try:
            while True:
                yield from self._begin()
                if not self._busy:
                    return
                self._multi.perform()
                ended = list(self._ended())
                yield from ended
                if not ended and self._multi.select(_WAIT) == 0:
                    yield None
        finally:
            for handle in self._busy:
                self._multi.remove_handle(handle)
            self._busy.clear()

    def _begin(self) -> Iterator[tuple[File, FetchError]]:
        """Sends requests while there are files and connections; gives those that cannot be made."""
        while len(self._busy) < self._connections():
            file = next(self._files, None)
            if file is None:
                return
            try:
                asked = self._ask(file)
            except FetchError as error:
                yield file, error
                continue
            handle = self._free.pop() if self._free else _handle(self._given)
            body = bytearray()
            _set(handle, asked, body)
            self._multi.add_handle(handle)
            self._busy[handle] = (file, body)

    def _ended(self) -> Iterator[tuple[File, Answer | FetchError]]:
        """What has ended since the last look."""
        more = 1
        while more:
            more, good, bad = self._multi.info_read()
            for handle in good:
                yield self._answered(handle, 0, "")
            for handle, code, message in bad:
                yield self._answered(handle, code, message)

    def _answered(
        self, handle: pycurl.Curl, code: int, message: str
    ) -> tuple[File, Answer | FetchError]:
        import pycurl

        self._multi.remove_handle(handle)
        file, body = self._busy.pop(handle)
        status = int(handle.getinfo(pycurl.RESPONSE_CODE))
        wish = float(handle.getinfo(pycurl.RETRY_AFTER))
        self._free.append(handle)
        told = status >= HTTPStatus.BAD_REQUEST  # then what is lost of the body does not matter
        if code and not told:
            return file, _failure(code, f"{self._called(file)}: {message}")
        return file, Answer(status, body, wish)


def _handle(given: Circumstances) -> pycurl.Curl:
    """A connection to be: what all its requests have in common."""
    import pycurl

    handle = pycurl.Curl()
    handle.setopt(pycurl.NOSIGNAL, 1)
    handle.setopt(pycurl.PATH_AS_IS, 1)
    handle.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
    handle.setopt(pycurl.USERAGENT, "trainc")
    handle.setopt(pycurl.CONNECTTIMEOUT, _CONNECT_SECONDS)
    handle.setopt(pycurl.LOW_SPEED_LIMIT, 1)
    handle.setopt(pycurl.LOW_SPEED_TIME, math.ceil(given.timeout))
    _go_by(handle, given.url)
    _trust(handle, given.ca_bundle)
    return handle


def _trust(handle: pycurl.Curl, ca_bundle: str) -> None:
    """Trusts whom Python trusts: the library brings no authorities of its own."""
    import pycurl

    system = ssl.get_default_verify_paths()
    # Python finds none where there are several; the library hands the text on to OpenSSL.
    folders = os.environ.get(system.openssl_capath_env) or system.capath
    if authorities := ca_bundle or system.cafile:
        handle.setopt(pycurl.CAINFO, authorities)
        handle.setopt(pycurl.PROXY_CAINFO, authorities)
    if folders and not ca_bundle:
        handle.setopt(pycurl.CAPATH, folders)
        handle.setopt(pycurl.PROXY_CAPATH, folders)
    if not authorities and not folders:  # not on Linux
        handle.setopt(pycurl.SSL_OPTIONS, pycurl.SSLOPT_NATIVE_CA)


def _go_by(handle: pycurl.Curl, url: str) -> None:
    """Goes by the environment's proxy for a server, read as it is for every other request of ours.

    A proxy to a server of ``https`` is always asked in the clear, and its password may hold any
    character; the library has other opinions.
    """
    import pycurl

    parts = urlsplit(url)
    excepted = is_direct(parts.netloc)
    found = None if excepted else _PROXY.match(getproxies().get(parts.scheme, ""))
    scheme, user, password, server = found.groups() if found else ("", "", "", "")
    kind = scheme if scheme and parts.scheme == "http" else "http"
    # Empty: none, whatever the environment says.
    handle.setopt(pycurl.PROXY, server and f"{kind}://{unquote(server)}")
    handle.setopt(pycurl.NOPROXY, "")
    if user and password:
        handle.setopt(pycurl.PROXYUSERNAME, unquote(user).encode())
        handle.setopt(pycurl.PROXYPASSWORD, unquote(password).encode())


def _set(handle: pycurl.Curl, asked: Asked, body: bytearray) -> None:
    """What belongs to one request."""
    import pycurl

    handle.setopt(pycurl.URL, asked.url)
    handle.setopt(pycurl.HTTPHEADER, [f"{name}: {text}" for name, text in asked.headers.items()])
    handle.setopt(pycurl.MAXFILESIZE_LARGE, max(asked.size, _ERROR_BYTES))
    handle.setopt(pycurl.WRITEFUNCTION, body.extend)


def _failure(code: int, text: str) -> FetchError:
    """The kind of failure that a transfer without an answer is."""
    import pycurl

    if code == pycurl.E_FILESIZE_EXCEEDED:
        return IntegrityError(text)
    lasting = {
        pycurl.E_PEER_FAILED_VERIFICATION,
        pycurl.E_SSL_CACERT_BADFILE,
        pycurl.E_URL_MALFORMAT,
    }
    return ConfigurationError(text) if code in lasting else TransientError(text)
