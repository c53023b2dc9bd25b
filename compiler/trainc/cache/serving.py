"""What head and worker do alike as Flight servers: errors to Flight's statuses, JSON, counters."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
from pyarrow import flight


@contextmanager
def status() -> Iterator[None]:
    """Raise faults of the caller as the status they are, not as a server's failure.

    ``ValueError`` becomes INVALID_ARGUMENT and ``KeyError`` NOT_FOUND. ``IndexError`` becomes
    INVALID_ARGUMENT too: the reference says OUT_OF_RANGE, which Flight's servers cannot.
    """
    try:
        yield
    except (ValueError, IndexError) as error:
        raise pa.ArrowInvalid(str(error)) from None
    except KeyError as error:
        raise pa.ArrowKeyError(str(error.args[0])) from None


def json_result(fields: Mapping[str, Any]) -> list[flight.Result]:
    """The one result of an action."""
    return [flight.Result(json.dumps(fields).encode())]


class Counters:
    """What has been sent since the start."""

    def __init__(self) -> None:
        """All nought."""
        self._lock = threading.Lock()
        self.streams = self.open_streams = self.rows_sent = 0

    def counted(self, tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
        """Pass a stream on and count it."""
        with self._lock:
            self.streams += 1
            self.open_streams += 1
        try:
            for table in tables:
                with self._lock:
                    self.rows_sent += table.num_rows
                yield table
        finally:
            with self._lock:
                self.open_streams -= 1

    def as_dict(self) -> dict[str, int]:
        """The numbers, by the names that ``stats`` gives them."""
        return {
            "streams": self.streams,
            "open_streams": self.open_streams,
            "rows_sent": self.rows_sent,
        }
