"""The HTTP probes: ``/ready`` and ``/healthz``.

In: a function that says whether the rows are held. Out: 200 or 503, and one word; a probe brings no
token, so it learns nothing else. Over TLS where the cache has a certificate.
"""

import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from trainc import names
from trainc.cache.security import Security


class Health:
    """A small HTTP server in a thread."""

    def __init__(self, host: str, port: int, security: Security, ready: Callable[[], bool]) -> None:
        """Starts to answer.

        Args:
            host: Where to listen.
            port: 0 for any free one.
            security: Its certificate is used where there is one.
            ready: Asked at each ``/ready``.

        Raises:
            OSError: The port is taken.
        """
        self._server = ThreadingHTTPServer((host, port), _handler(ready))
        self._server.daemon_threads = True
        if security.cert:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(security.cert, security.key)
            # The handshake is made by the thread of the request, not by the one that accepts.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop to answer."""
        self._server.shutdown()
        self._server.server_close()


def _handler(ready: Callable[[], bool]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            """Answer a probe."""
            if self.path == names.CACHE_READY_PATH:
                self._answer(200, "ready") if ready() else self._answer(503, "not ready")
            elif self.path == names.CACHE_ALIVE_PATH:
                self._answer(200, "alive")
            else:
                self._answer(404, "not found")

        def _answer(self, status: int, word: str) -> None:
            body = f"{word}\n".encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Probes come every few seconds: say nothing."""

    return Handler
