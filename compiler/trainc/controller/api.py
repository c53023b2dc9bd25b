"""The API server, as JSON: the one place that talks to it.

In: verbs, paths and bodies. Out: the answers' JSON, streamed for watches. It stands on the
``kubernetes`` client (its configuration, credentials and connection pool), but reads the JSON
itself: the client's model objects of thousands of jobs cost more time and memory than all the rest.
"""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import kubernetes
import urllib3
from urllib3.connection import HTTPConnection

from trainc.controller.clock import ServerClock
from trainc.controller.view import FIELD_MANAGER, Json

logger = logging.getLogger(__name__)

MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
_JSON = "application/json"
_TIMEOUT = urllib3.Timeout(connect=5, read=30)
_NO_RETRIES = urllib3.Retry.from_int(False)
_PAGE = 500
_NO_END = 24 * 3600  # seconds a log may be silent
# A server that vanished without a word: noticed after a minute, not when the watch should end.
_KEEPALIVE = [
    *HTTPConnection.default_socket_options,
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *(
        (socket.IPPROTO_TCP, getattr(socket, option), value)
        for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
        if hasattr(socket, option)
    ),
]

Counted = Callable[[str, int], None]  # verb, HTTP status (0: no answer)


class ApiError(Exception):
    """The API server refused, or could not be reached (``code`` 0).

    Attributes:
        code: The HTTP status.
        reason: Of its Status object, ``""`` without one.
    """

    def __init__(self, code: int, message: str, reason: str = "") -> None:
        """Keeps all three."""
        super().__init__(f"{code} {reason}: {message}" if code else message)
        self.code = code
        self.reason = reason

    @property
    def is_missing(self) -> bool:
        """Whether the object, or its kind, is not there."""
        return self.code == 404

    @property
    def is_expired(self) -> bool:
        """Whether a resource version or a continue token is too old."""
        return self.code == 410

    @property
    def is_passing(self) -> bool:
        """Whether the same may well be granted in a moment: no answer, or an overloaded server."""
        return self.code in (0, 429) or self.code >= 500

    @property
    def is_conflict(self) -> bool:
        """Whether somebody else was faster: the object is there, or no longer what was read."""
        return self.code == 409


class Api:
    """One identity's way to the API server; may be used by many threads."""

    def __init__(
        self,
        client: kubernetes.client.ApiClient,
        counted: Counted | None = None,
        manager: str = FIELD_MANAGER,
        patience: urllib3.Timeout = _TIMEOUT,
        clock: ServerClock | None = None,
    ) -> None:
        """Uses the client's configuration and connections.

        Args:
            client: A configured client.
            counted: Called after each request.
            manager: Who owns the fields that are written.
            patience: How long an answer is waited for.
            clock: Learns the server's time of each answer.
        """
        self._client = client
        self.clock = clock or ServerClock()
        connections: urllib3.PoolManager = client.rest_client.pool_manager
        connections.connection_pool_kw["socket_options"] = _KEEPALIVE
        host: str = client.configuration.host
        # There is one host: to find its connections anew for each request costs half the request.
        self._pool = connections.connection_from_url(host)
        is_relayed = bool(client.configuration.proxy) and host.startswith("http:")
        self._root = host if is_relayed else urlsplit(host).path.rstrip("/")
        self._manager = manager
        self._patience = patience
        self._counted = counted or (lambda verb, code: None)

    def get(self, path: str) -> Json:
        """One object."""
        return self.request("GET", path)

    def find(self, path: str) -> Json | None:
        """One object, or None where there is none."""
        try:
            return self.get(path)
        except ApiError as error:
            if error.is_missing:
                return None
            raise

    def create(self, path: str, manifest: Mapping[str, Any]) -> bool:
        """POSTs an object; False where one of its name is there already."""
        try:
            self.request("POST", path, manifest, query={"fieldManager": self._manager})
        except ApiError as error:
            if error.is_conflict and error.reason == "AlreadyExists":
                return False
            raise
        return True

    def patch(
        self, path: str, patch: object, content_type: str, query: Mapping[str, str] | None = None
    ) -> Json:
        """PATCHes an object; gives it as it is now."""
        asked = {"fieldManager": self._manager, **(query or {})}
        return self.request("PATCH", path, patch, content_type, asked)

    def delete(self, path: str, uid: str) -> None:
        """Deletes the object of this UID, in the background what it owns; done if it is gone."""
        options = {"propagationPolicy": "Background", "preconditions": {"uid": uid}}
        try:
            self.request("DELETE", path, options)
        except ApiError as error:
            # Conflict: the name belongs to another object by now.
            if not error.is_missing and not error.is_conflict:
                raise

    def pages(self, path: str) -> Iterator[tuple[list[Json], str]]:
        """All objects of a kind, some hundred at a time, each with the list's resource version."""
        query = {"limit": str(_PAGE)}
        while True:
            page = self.request("GET", path, query=query)
            metadata = page["metadata"]
            yield page.pop("items") or [], metadata["resourceVersion"]
            if not metadata.get("continue"):
                return
            query = {"limit": str(_PAGE), "continue": metadata["continue"]}

    def version(self, path: str) -> str:
        """The resource version that a kind has come to."""
        found: str = self.request("GET", path, query={"limit": "1"})["metadata"]["resourceVersion"]
        return found

    def watch(self, path: str, version: str, seconds: int) -> Iterator[Json]:
        """Events after ``version`` until the server ends the watch after ``seconds``.

        Raises:
            ApiError: if the watch cannot begin, breaks, or reports an error (410: list anew).
        """
        query = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(seconds),
        }
        response = self._send("GET", path, None, _JSON, query, stream_for=seconds)
        try:
            for line in filter(None, _lines(response)):
                event: Json = json.loads(line)
                if event["type"] == "ERROR":
                    raise _refusal(event["object"].get("code") or 500, event["object"])
                yield event
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise ApiError(0, f"watch of {path} broke: {error}") from error
        finally:
            response.close()
            response.release_conn()

    def text(self, path: str, query: Mapping[str, str]) -> Iterator[bytes]:
        """The lines of an answer that is no JSON (logs), as they come.

        Raises:
            ApiError: if it was refused, or breaks.
        """
        response = self._send("GET", path, None, _JSON, query, stream_for=_NO_END)
        try:
            yield from _lines(response, last=True)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ApiError(0, f"{path} broke: {error}") from error
        finally:
            response.close()
            response.release_conn()

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        content_type: str = _JSON,
        query: Mapping[str, str] | None = None,
    ) -> Json:
        """One request; the answer's JSON.

        Raises:
            ApiError: if it was refused or the server cannot be reached.
        """
        response = self._send(method, path, body, content_type, query)
        try:
            found: Json = json.loads(response.data)
        except ValueError as error:  # some proxy's page
            raise ApiError(0, f"{method} {path}: answered with no JSON: {error}") from error
        return found

    def _send(
        self,
        method: str,
        path: str,
        body: object,
        content_type: str,
        query: Mapping[str, str] | None,
        stream_for: int = 0,
    ) -> urllib3.BaseHTTPResponse:
        headers = {"Accept": _JSON, "Content-Type": content_type, "User-Agent": self._manager}
        self._client.update_params_for_auth(headers, [], ["BearerToken"])
        url = f"{self._root}{path}"
        sent = self.clock.here()
        try:
            response = self._pool.urlopen(
                method,
                f"{url}?{urlencode(query)}" if query else url,
                body=None if body is None else json.dumps(body).encode(),
                headers=headers,
                preload_content=not stream_for,
                # A watch may be silent, but the server ends it in time: later, the line is dead.
                timeout=urllib3.Timeout(connect=5, read=stream_for + 15)
                if stream_for
                else self._patience,
                retries=_NO_RETRIES,
                redirect=False,
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            self._counted(method, 0)
            raise ApiError(0, f"{method} {path}: {error}") from error
        self.clock.learn(response.headers.get("Date"), sent, self.clock.here())
        self._counted("WATCH" if stream_for else method, response.status)
        if response.status >= 300:
            raise _refusal(response.status, _status_of(response))
        return response


def _lines(response: urllib3.BaseHTTPResponse, last: bool = False) -> Iterator[bytes]:
    """The lines that are whole; with ``last`` also what follows the last newline."""
    rest = b""
    for chunk in response.stream(1 << 16, decode_content=True):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
    if last and rest:
        yield rest


def _status_of(response: urllib3.BaseHTTPResponse) -> Json:
    try:
        found = json.loads(response.data)
    except ValueError:
        return {"message": response.data[:200].decode(errors="replace")}
    return found if isinstance(found, dict) else {}


def _refusal(code: int, status: Json) -> ApiError:
    return ApiError(code, str(status.get("message", "")), str(status.get("reason", "")))
