"""A TCP relay on the loopback that cuts, slows or silences what passes through it."""

import contextlib
import socket
import threading
import time
from collections.abc import Sequence


class Proxy:
    """Relays to one port.

    Attributes:
        cuts: Each number of bytes from the server after which every connection is cut, in turn.
        rate: Bytes a second from the server, 0 for no limit.
        silent: Nothing passes, though connections stay.
        closed: New connections are closed at once.
    """

    def __init__(self, port: int, cuts: Sequence[int] = (), rate: int = 0) -> None:
        self.cuts = list(cuts)
        self.rate = rate
        self.silent = False
        self.closed = False
        self.made = 0
        self._target = port
        self._passed = 0
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Cut every connection now."""
        with self._lock:
            connections, self._open = self._open, set()
        for connection in connections:
            _close(connection)
        self.made += 1

    def close(self) -> None:
        _close(self._server)
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return
            if self.closed:
                _close(near)
                _close(far)
                continue
            with self._lock:
                self._open |= {near, far}
            threading.Thread(target=self._relay, args=(near, far, False), daemon=True).start()
            threading.Thread(target=self._relay, args=(far, near, True), daemon=True).start()

    def _relay(self, source: socket.socket, sink: socket.socket, down: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                while self.silent:
                    time.sleep(0.01)
                if down and self._counted(len(data)):
                    self.cut()
                    return
                if down and self.rate:
                    time.sleep(len(data) / self.rate)
                sink.sendall(data)
        for end in (source, sink):
            with self._lock:
                self._open.discard(end)
            _close(end)

    def _counted(self, size: int) -> bool:
        """Whether the next cut is due."""
        with self._lock:
            self._passed += size
            if not self.cuts or self._passed < self.cuts[0]:
                return False
            self._passed = 0
            self.cuts.pop(0)
            return True


def _close(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
