from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest

from trainc.controller import watching as watching_module
from trainc.controller.api import ApiError
from trainc.controller.backoff import Backoff
from trainc.controller.paths import TRAIN_JOBS
from trainc.controller.store import Store
from trainc.controller.view import Json, Key, TrainJobView, trainjob_view
from trainc.controller.watching import Watching


def _object(name: str, version: int) -> Json:
    return {
        "metadata": {
            "namespace": "ns",
            "name": name,
            "uid": name,
            "resourceVersion": str(version),
            "creationTimestamp": "2026-11-22T12:00:00Z",
        }
    }


def _event(kind: str, name: str, version: int) -> Json:
    return {"type": kind, "object": _object(name, version)}


def _bookmark(version: int) -> Json:
    return {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": str(version)}}}


class Script:
    """An API server that answers as told, and ends the watching when it has told all."""

    def __init__(self, lists: list[Any], watches: list[Any]) -> None:
        self._lists = lists
        self._watches = watches
        self.watched_from: list[str] = []
        self.came_to = 10_000
        self.was_refused: list[bool] = []  # at each list
        self.watching: Watching[TrainJobView] | None = None

    def pages(self, path: str) -> Iterator[tuple[list[Json], str]]:
        """The next list: its version and its pages, or an error."""
        answer = self._lists.pop(0)
        self.was_refused.append(self.watching is not None and self.watching.refused.is_set())
        if isinstance(answer, ApiError):
            self._end_if_done()
            raise answer
        version, *pages = answer
        for page in pages:
            yield page, str(version)

    def version(self, path: str) -> str:
        """What the cluster has come to."""
        return str(self.came_to)

    def watch(self, path: str, version: str, seconds: int) -> Iterator[Json]:
        """The next watch: events, and perhaps an error."""
        self.watched_from.append(version)
        for told in self._watches.pop(0):
            if isinstance(told, ApiError):
                raise told
            yield told
        self._end_if_done()

    def _end_if_done(self) -> None:
        if not self._watches and self.watching is not None:
            self.watching.stop()


def _run(script: Script) -> tuple[Store[TrainJobView], list[Key], Watching[TrainJobView]]:
    """Watches until the script has been told; the store, and the names that changed."""
    store: Store[TrainJobView] = Store()
    changed: list[Key] = []
    api: Any = script
    watching = Watching(api, TRAIN_JOBS, "", trainjob_view, store, changed.append)
    script.watching = watching
    watching.start()
    watching._thread.join(20)
    assert not watching.alive()
    return store, changed, watching


def _names(changed: list[Key]) -> list[str]:
    return [name for _, name in changed]


def test_one_list_then_events() -> None:
    events = [
        _event("ADDED", "c", 6),
        _event("MODIFIED", "a", 7),
        _bookmark(9),
        _event("DELETED", "b", 10),
    ]
    script = Script([(5, [_object("a", 1)], [_object("b", 2)])], [events])
    store, changed, watching = _run(script)
    assert watching.synced.is_set()
    assert script.watched_from == ["5"]
    assert _names(changed) == ["a", "b", "c", "a", "b"]
    assert sorted((view.name, view.version) for view in store.views()) == [("a", 7), ("c", 6)]
    assert store.last(("ns", "b")) == trainjob_view(_object("b", 10))


def test_a_broken_watch_is_resumed_where_it_was() -> None:
    broken = ApiError(0, "connection reset")
    watches = [[_event("ADDED", "a", 6), broken], [_bookmark(8)], [_event("ADDED", "b", 9)]]
    script = Script([(5, [])], watches)
    store, _, _ = _run(script)
    assert script.watched_from == ["5", "6", "8"]
    assert len(store) == 2


def test_an_expired_version_is_listed_anew_and_what_went_is_told() -> None:
    gone = ApiError(410, "too old resource version", "Expired")
    lists = [(5, [_object("a", 1), _object("b", 2)]), (20, [_object("a", 1)])]
    script = Script(lists, [[gone], []])
    store, changed, _ = _run(script)
    assert script.watched_from == ["5", "20"]
    assert _names(changed) == ["a", "b", "b"]
    assert [view.name for view in store.views()] == ["a"]


def test_a_list_that_expires_half_way_is_begun_anew() -> None:
    class Expiring(Script):
        """Whose second page is too late, once."""

        late = True

        def pages(self, path: str) -> Iterator[tuple[list[Json], str]]:
            for page in super().pages(path):
                yield page
                if self.late:
                    self.late = False
                    raise ApiError(410, "continue token expired", "Expired")

    script = Expiring([(5, [_object("a", 1)]), (6, [_object("a", 1)], [_object("b", 2)])], [[]])
    store, _, watching = _run(script)
    assert watching.synced.is_set()
    assert len(store) == 2


def test_a_kind_that_is_not_installed_is_no_failure() -> None:
    script = Script([ApiError(404, "the server could not find the requested resource")], [])
    store, _, watching = _run(script)
    assert watching.synced.is_set()
    assert len(store) == 0


def test_what_is_refused_is_asked_for_again() -> None:
    refused = ApiError(403, "trainjobs is forbidden", "Forbidden")
    script = Script([refused, (5, [_object("a", 1)])], [[]])
    store, _, watching = _run(script)
    assert script.was_refused == [False, True]
    assert watching.synced.is_set()
    assert not watching.refused.is_set()
    assert len(store) == 1


def test_one_odd_object_does_not_end_the_watch_of_the_others() -> None:
    odd = _event("MODIFIED", "odd", 7)
    odd["object"]["status"] = {"conditions": 5}
    odd["object"]["metadata"]["creationTimestamp"] = None
    script = Script([(5, [])], [[odd, _event("ADDED", "a", 8)]])
    store, _, _ = _run(script)
    assert [view.name for view in store.views()] == ["a"]


def test_a_cluster_restored_from_a_backup() -> None:
    gone = ApiError(410, "too old resource version", "Expired")
    lists = [(500, [_object("a", 400), _object("b", 450)]), (20, [_object("a", 10)])]
    store, changed, _ = _run(Script(lists, [[gone], []]))
    assert [(view.name, view.version) for view in store.views()] == [("a", 10)]
    assert _names(changed)[2:] == ["a", "b", "a"]


def test_a_backup_that_is_newer_than_all_that_is_left() -> None:
    """What went after the backup is there again, though nothing that is known is newer than it."""
    gone = ApiError(410, "too old resource version", "Expired")
    lists = [(version, [_object("a", 400), _object("b", 450)]) for version in (500, 480)]
    store, _, _ = _run(Script(lists, [[_event("DELETED", "b", 510), gone], []]))
    assert sorted(view.name for view in store.views()) == ["a", "b"]


def test_a_watch_that_broke_may_be_resumed_in_a_cluster_restored_from_a_backup() -> None:
    """Which is silent about a version that is still to come, and so would the watch be."""
    broken = ApiError(0, "connection reset")
    lists = [(5, [_object("a", 4)]), (20, [_object("a", 3)])]
    script = Script(lists, [[_bookmark(30), broken], []])
    script.came_to = 20
    store, _, _ = _run(script)
    assert script.watched_from == ["5", "20"]
    assert [(view.name, view.version) for view in store.views()] == [("a", 3)]


@dataclass
class PauseCase:
    name: str
    lists: list[Any]
    watches: list[list[Any]]
    pauses: int  # at least, of which each is longer than the one before


EXPIRED = ApiError(410, "too old resource version", "Expired")
PAUSES = [
    PauseCase("watches that end at once", [(5, [])], [[], [], [], [], []], 4),
    PauseCase("versions that expire at once", [(5, [])] * 4, [[EXPIRED]] * 3 + [[]], 3),
    PauseCase("lists that expire", [EXPIRED] * 3 + [(5, [])], [[]], 3),
]


@pytest.mark.parametrize("case", PAUSES, ids=lambda case: case.name)
def test_what_does_not_last_is_asked_for_after_longer_and_longer(
    case: PauseCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or all controllers together would ask a server to death that is in trouble."""
    waited: list[float] = []

    class Recorded(Backoff):
        def next(self) -> float:
            waited.append(super().next())
            return 0

    monkeypatch.setattr(watching_module, "Backoff", Recorded)
    _run(Script(case.lists, case.watches))
    assert len(waited) >= case.pauses
    assert all(later > earlier for earlier, later in pairwise(waited))
