"""Small files that come many at a time, handed to the threads that put them in place.

In: a remote that gives many, and the files. Out: each file once, with its bytes or the failure; or,
where the remote does nothing but fail, the files that are left, for each to be fetched alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from trainc.initializers.failure import FetchError
from trainc.initializers.provider import Arrived, ManyRemote, RemoteFile
from trainc.initializers.retry import Patience, Stopped

SMALL: Final = 1024 * 1024  # bytes: up to here a file is kept in memory until all of it is there


class Batch:
    """The small files of one transfer; many threads may take what comes."""

    def __init__(
        self,
        remote: ManyRemote,
        files: Sequence[RemoteFile],
        most: int,
        others: Callable[[], int],
        patience: Patience,
    ) -> None:
        """Asks for the first file when the first thread wants one.

        There are ``most`` connections, less those that ``others`` says are used elsewhere.
        """
        self._left = iter(files)
        self._most = most
        self._coming = remote.read_many(self._left, lambda: max(1, most - others()))
        self.takers = 0  # threads that take what comes
        self._stop = patience.stop
        self._lock = threading.Lock()
        self._failures = 0  # in a row

    def arrivals(self) -> Iterator[Arrived]:
        """What comes, until nothing is left.

        Raises:
            Stopped: where the fetch has ended meanwhile.
        """
        with self._lock:
            self.takers += 1
        try:
            while (arrived := self._next()) is not None:
                yield arrived
        finally:
            with self._lock:
                self.takers -= 1

    def given_up(self) -> list[RemoteFile]:
        """The files that are not asked for any more: all that are left, after too many failures."""
        with self._lock:
            return list(self._left) if self._failures > self._most else []

    def _next(self) -> Arrived | None:
        with self._lock:
            for arrived in self._coming:
                if self._stop.is_set():
                    self._coming.close()
                    raise Stopped
                if arrived is not None:
                    failed = isinstance(arrived[1], FetchError)
                    self._failures = self._failures + 1 if failed else 0
                    return arrived
            return None
