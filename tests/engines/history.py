"""What became of the objects of one kind in a namespace: every event of a watch, kept.

In: a plane and a namespace. Out: a ``History``, which tells which objects there were, how often one
was made anew (another uid), and how often its spec was written (generations).
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import urllib3

from tests.cluster.client import path_of
from tests.cluster.jobs import Json
from tests.cluster.plane import Plane


@dataclass
class History:
    """The events so far, oldest first."""

    events: list[tuple[str, Json]] = field(default_factory=list)

    def uids(self, name: str) -> list[str]:
        """The uids that objects of this name had, in order."""
        return list(dict.fromkeys(each["metadata"]["uid"] for _, each in self._of(name)))

    def names(self) -> list[str]:
        """The names of all objects there ever were."""
        return list(dict.fromkeys(each["metadata"]["name"] for _, each in self.events))

    def deletions(self) -> list[str]:
        """The names of those that were deleted, once for each deletion."""
        return [each["metadata"]["name"] for kind, each in self.events if kind == "DELETED"]

    def writes(self, name: str, since: int = 0) -> int:
        """How many generations of this name there were, from the event number ``since`` on."""
        seen = [each["metadata"] for _, each in self._of(name, since)]
        return len({(each["uid"], each.get("generation")) for each in seen})

    def resumptions(self, name: str) -> int:
        """How often its ``spec.suspend`` went from true to false."""
        states = [bool(each["spec"].get("suspend")) for _, each in self._of(name)]
        return sum(before and not after for before, after in zip(states, states[1:], strict=False))

    def mark(self) -> int:
        """The number of events so far."""
        return len(self.events)

    def _of(self, name: str, since: int = 0) -> list[tuple[str, Json]]:
        return [each for each in self.events[since:] if each[1]["metadata"]["name"] == name]


@contextmanager
def watched(plane: Plane, kind: str, namespace: str) -> Iterator[History]:
    """Keeps the events until the block ends."""
    history = History()
    headers = {"Authorization": f"Bearer {plane.users['admin'].token}"}
    pool = urllib3.PoolManager(ca_certs=str(plane.ca_file), retries=False)
    url = f"{plane.server}{path_of(kind, namespace)}"
    fields = {"watch": "true", "timeoutSeconds": "1800"}
    response = pool.request("GET", url, fields=fields, headers=headers, preload_content=False)
    assert response.status == 200, response.status
    thread = threading.Thread(target=_keep, args=(response, history), daemon=True)
    thread.start()
    try:
        yield history
    finally:
        time.sleep(0.2)  # what was written last is still on its way
        response.shutdown()  # type: ignore[no-untyped-call]
        thread.join(30)


def _keep(response: urllib3.BaseHTTPResponse, history: History) -> None:
    rest = b""
    with suppress(urllib3.exceptions.HTTPError, OSError, ValueError):
        while part := response.read1(1 << 20):
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                event = json.loads(line)
                history.events.append((event["type"], event["object"]))
