"""HTTP servers of the controller: ASGI applications, each run by uvicorn in a thread of its own."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from email.utils import formatdate
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

logger = logging.getLogger(__name__)

_GOODBYE_SECONDS = 0.2
_REQUEST_SECONDS = 10.0  # from its first byte to the end of its head

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


class Server:
    """One listening socket and what answers on it."""

    def __init__(
        self,
        app: App,
        host: str,
        port: int,
        tls: ssl.SSLContext | None = None,
        connections: int = 2000,
    ) -> None:
        """Binds at once, so that a taken port is an error here.

        Args:
            app: Answers requests.
            host: The address to listen on, IPv4 or IPv6.
            port: 0 for any.
            tls: Where it speaks TLS; may load other certificates later.
            connections: More at once are refused with 503.

        Raises:
            OSError: if the address cannot be listened on.
        """
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=512)
        # Inherited by what is accepted. asyncio sets it only where the protocol is named, and
        # without it every answer waits 40 ms for an acknowledgement.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        config = uvicorn.Config(
            app,
            http=_Impatient,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,  # kept by a clock that ticks; each answer has its own
            timeout_keep_alive=120,
            timeout_graceful_shutdown=5,
            limit_concurrency=connections,
        )
        config.load()
        config.ssl = tls
        self._server = _Calm(config)
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        port: int = self._socket.getsockname()[1]
        return port

    def start(self) -> None:
        """Answers from now on."""
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.005)

    def alive(self) -> bool:
        """Whether its thread lives."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Answers what was begun, then ends."""
        self._server.end()
        self._thread.join(10)
        self._socket.close()

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))


class _Calm(uvicorn.Server):
    """Sleeps until there is something to do; uvicorn itself wakes ten times a second."""

    _loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        self._over = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        if not await self.on_tick(0):
            await self._over.wait()

    def end(self) -> None:
        """Ends the loop, from whatever thread; one that has yet to begin sees it when it does."""
        self.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # it has ended by itself
                self._loop.call_soon_threadsafe(self._over.set)


class _Impatient(H11Protocol):
    """Closes a connection whose request does not get complete; uvicorn itself waits for ever."""

    _limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._hurry()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        idle = self.cycle is None or self.cycle.response_complete
        if not idle:
            self._relax()
        elif self._limit is None and self.conn.trailing_data[0]:
            self._hurry()

    def connection_lost(self, exc: Exception | None) -> None:
        self._relax()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        super().shutdown()
        # An idle client does not answer the end of TLS; do not wait for it.
        self.loop.call_later(_GOODBYE_SECONDS, self._cut_off)

    def _cut_off(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()

    def _hurry(self) -> None:
        self._limit = self.loop.call_later(_REQUEST_SECONDS, self._too_slow)

    def _relax(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None

    def _too_slow(self) -> None:
        self._limit = None
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()


async def answer(
    send: Send, status: int, body: bytes | dict[str, Any], kind: str = "application/json"
) -> None:
    """Sends one whole response."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(data)).encode()),
        (b"date", formatdate(usegmt=True).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})


def health(
    alive: Callable[[], bool], ready: Callable[[], str], metrics: Callable[[], bytes]
) -> App:
    """An application for probes and Prometheus.

    Args:
        alive: Whether the process does its work.
        ready: What is still missing, empty when nothing is.
        metrics: Their text.
    """
    from trainc.controller.metrics import CONTENT_TYPE

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        path = scope["path"]
        missing = ready() if path == "/readyz" else ""
        if path == "/healthz" and not alive():
            await answer(send, 500, b"a thread died\n", "text/plain")
        elif path == "/metrics":
            await answer(send, 200, metrics(), CONTENT_TYPE)
        elif path in ("/healthz", "/readyz"):
            text = f"waiting for {missing}\n" if missing else "ok\n"
            await answer(send, 503 if missing else 200, text.encode(), "text/plain")
        else:
            await answer(send, 404, b"not found\n", "text/plain")

    return app
