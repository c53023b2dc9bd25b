"""A program run beside the tests: started with a log of its own, ended by its own process id."""

from __future__ import annotations

import ctypes
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PORTS = (20_000, 30_000)  # below what Linux gives to outgoing connections
_libc = ctypes.CDLL(None, use_errno=True)


class DiedError(Exception):
    """A program ended, or did not get ready in time; carries the end of its log."""


class Process:
    """One program; dies with the one that started it, even where that one is killed."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        log: Path,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Starts the program; its output is appended to ``log``."""
        self.name = name
        self.log = log
        self._argv = [str(word) for word in command]
        with log.open("ab") as out:
            self._popen = subprocess.Popen(
                self._argv,
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **(env or {})},
                preexec_fn=_die_with_parent,
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._popen.pid

    @property
    def returncode(self) -> int | None:
        """The exit status, or None while it runs."""
        return self._popen.poll()

    def wait_until(self, ready: Callable[[], bool], seconds: float = 60) -> None:
        """Waits for ``ready()``.

        Raises:
            DiedError: if the program ends before, or the time is over.
        """
        end = time.monotonic() + seconds
        while not ready():
            if self.returncode is not None:
                raise DiedError(f"{self.name} ended with {self.returncode}\n{self.tail()}")
            if time.monotonic() > end:
                raise DiedError(f"{self.name} is not ready after {seconds} s\n{self.tail()}")
            time.sleep(0.05)

    def stop(self, seconds: float = 10) -> int:
        """Asks it to end, then makes it; gives the exit status."""
        if self._popen.poll() is None:
            self._popen.terminate()
            try:
                self._popen.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        return self._popen.wait()

    def kill(self) -> None:
        """Ends it at once, as a crash would."""
        self._popen.kill()
        self._popen.wait()

    def tail(self, lines: int = 12) -> str:
        """The end of its log."""
        text = self.log.read_text(errors="replace").splitlines()[-lines:]
        return "\n".join(line[:300] for line in text)


def free_ports(count: int) -> list[int]:
    """Loopback ports that nobody listens on now.

    None that an outgoing connection may be given: many begin before who asked begins to listen.
    """
    found: set[int] = set()
    while len(found) < count:
        port = random.SystemRandom().randrange(*_PORTS)
        with socket.socket() as tried, suppress(OSError):
            tried.bind(("127.0.0.1", port))
            found.add(port)
    return sorted(found)


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
