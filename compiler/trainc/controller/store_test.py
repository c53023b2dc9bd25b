from __future__ import annotations

from typing import Any

import pytest

from trainc.controller.store import Store
from trainc.controller.view import TrainJobView, trainjob_view

KEY = ("ns", "m")


def _view(version: int, name: str = "m", namespace: str = "ns") -> TrainJobView:
    metadata: dict[str, Any] = {
        "namespace": namespace,
        "name": name,
        "uid": f"{name}-{version}",
        "resourceVersion": str(version),
        "creationTimestamp": "2026-11-22T12:00:00Z",
    }
    return trainjob_view({"metadata": metadata})


@pytest.fixture
def store() -> Store[TrainJobView]:
    return Store()


def test_an_older_version_never_replaces_a_newer_one(store: Store[TrainJobView]) -> None:
    assert store.put(_view(5))
    assert not store.put(_view(4))
    assert not store.put(_view(5))
    found = store.get(KEY)
    assert found is not None
    assert found.version == 5
    assert store.newest == 5


def test_a_deletion_older_than_what_is_known_is_another_objects(
    store: Store[TrainJobView],
) -> None:
    store.put(_view(5))
    assert not store.remove(KEY, 4)
    assert store.remove(KEY, 6)
    assert store.get(KEY) is None
    assert not store.remove(KEY, 6)


@pytest.mark.parametrize("known", [True, False])
def test_the_answer_to_a_write_may_be_later_than_the_deletion(
    store: Store[TrainJobView], known: bool
) -> None:
    """Without this the object would be known for ever: no event speaks of it again."""
    if known:
        store.put(_view(5))
    store.remove(KEY, 7)
    assert not store.put(_view(6))
    assert store.put(_view(8))  # made anew


@pytest.mark.parametrize("namespace", ["ns", ""])
def test_the_answer_to_a_write_may_be_later_than_a_list(
    store: Store[TrainJobView], namespace: str
) -> None:
    """Made, written and deleted while no watch ran: the list is the only word of its end."""
    store.put(_view(7, "other"))
    store.keep_only(namespace, [("ns", "other")], 9)
    assert not store.put(_view(8))
    assert store.put(_view(10))  # made anew
    store.clear(namespace)
    assert store.put(_view(8))


def test_a_list_says_nothing_of_other_namespaces(store: Store[TrainJobView]) -> None:
    store.keep_only("elsewhere", [], 9)
    assert store.put(_view(8))


def test_what_a_list_does_not_hold_is_forgotten(store: Store[TrainJobView]) -> None:
    for version, name in ((1, "held"), (2, "gone"), (9, "newer")):
        store.put(_view(version, name))
    store.put(_view(3, "elsewhere", "other"))
    assert store.keep_only("ns", [("ns", "held")], 5) == [("ns", "gone")]
    assert sorted(view.name for view in store.views()) == ["elsewhere", "held", "newer"]
    assert not store.put(_view(4, "gone"))
    assert store.put(_view(6, "gone"))


def test_a_cluster_that_went_back_in_time_starts_anew(store: Store[TrainJobView]) -> None:
    store.put(_view(100))
    store.remove(KEY, 101)
    store.put(_view(90, "other"))
    assert store.clear("") == [("ns", "other")]
    assert store.newest == 0
    assert store.put(_view(3))


def test_how_an_object_was_when_it_went_is_known_until_there_is_another(
    store: Store[TrainJobView],
) -> None:
    store.put(_view(5))
    assert store.last(KEY) is None
    store.remove(KEY, 7, _view(7))
    assert store.last(KEY) == _view(7)
    assert not store.put(_view(6))
    assert store.last(KEY) == _view(7)
    store.put(_view(8))
    assert store.last(KEY) is None


def test_how_those_were_that_went_long_ago_is_forgotten(store: Store[TrainJobView]) -> None:
    for number in range(1100):
        store.remove(("ns", f"m-{number}"), 7, _view(7))
    known = [number for number in range(1100) if store.last(("ns", f"m-{number}"))]
    assert known == list(range(100, 1100))


def test_how_those_were_that_are_needed_is_never_forgotten() -> None:
    """A thousand JobSets may end and go while the API server refuses every status."""
    names = [f"m-{number}" for number in range(4000)]
    needed = {("ns", name) for name in names[::2]}
    store: Store[TrainJobView] = Store(needed.__contains__)
    for name in names:
        store.remove(("ns", name), 7, _view(7, name))
    assert all(store.last(key) == _view(7, key[1]) for key in needed)
    needed.clear()
    for number in range(2000):
        store.remove(("ns", f"later-{number}"), 8, _view(8))
    kept = [name for name in names if store.last(("ns", name))]
    assert not kept
    assert sum(store.last(("ns", f"later-{number}")) is not None for number in range(2000)) == 1000


def test_how_those_were_that_a_list_did_not_hold(store: Store[TrainJobView]) -> None:
    """They went while no watch ran; what was last seen of them is all there is."""
    store.put(_view(5))
    store.keep_only("", [], 9)
    assert store.get(KEY) is None
    assert store.last(KEY) == _view(5)
