"""A load in progress: the worker's side of the loader process.

In: an assignment. Out: a ``Store`` that fills, and a state that can be asked for at any time.
"""

import json
import logging
import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from trainc.cache.child import module_command
from trainc.cache.plan import Assignment
from trainc.cache.shard import Range
from trainc.cache.store import Store

logger = logging.getLogger(__name__)

_LEAST_THREADS: Final = 2
_MOST_THREADS: Final = 16


def start_loader(kind: str) -> "subprocess.Popen[str]":
    """A loader process that waits for its assignment and imports meanwhile what it will need."""
    return subprocess.Popen(
        module_command("trainc.cache.loader", kind),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


class Loading:
    """One load of one assignment."""

    def __init__(
        self,
        assignment: Assignment,
        spill: Path,
        memory: int,
        process: "subprocess.Popen[str]",
        ended: Callable[["Loading"], None],
    ) -> None:
        """Give the process its assignment.

        Args:
            assignment: What to load.
            spill: Folder on local disk.
            memory: Bytes that the load may hold in memory.
            process: From ``start_loader``.
            ended: Called when all rows are mapped, or when ``error`` says why they are not.
        """
        self.store = Store(assignment, spill)
        self.rows = 0
        self.error = ""
        self._process = process
        self._ended = ended
        job = {
            "assignment": assignment.encode().decode(),
            "spill": str(spill),
            "memory": memory,
            "threads": _threads(),
        }
        self._thread = threading.Thread(target=self._follow, args=(json.dumps(job),), daemon=True)
        self._thread.start()

    @property
    def finished(self) -> bool:
        """Whether it has ended, well or not."""
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Kill the process and wait for its end."""
        self._process.kill()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _follow(self, job: str) -> None:
        process = self._process
        assert process.stdin and process.stdout
        done = False
        try:
            process.stdin.write(job + "\n")
            process.stdin.flush()
            for line in process.stdout:
                done = self._heard(json.loads(line)) or done
        except (OSError, ValueError) as error:
            self.error = self.error or f"{type(error).__name__}: {error}"
        finally:
            process.kill()
            code = process.wait()
        if not done and not self.error:
            self.error = f"the loader ended without a word (status {code})"
        if self.error:
            logger.warning("load of rows %s failed: %s", self.store.assignment.range, self.error)
        self._ended(self)

    def _heard(self, message: dict[str, Any]) -> bool:
        self.rows += message.get("rows", 0)
        if "segment" in message:
            self.store.add(Range(*message["segment"]))
        self.error = message.get("error", self.error)
        return bool(message.get("done", False))


def _threads() -> int:
    return max(_LEAST_THREADS, min(_MOST_THREADS, len(os.sched_getaffinity(0))))
