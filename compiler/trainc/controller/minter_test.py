from __future__ import annotations

import base64
import logging
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from trainc.controller.annotation import AUTHORITY, CURVE, SSH, Minted, Note
from trainc.controller.api import ApiError
from trainc.controller.minter import LAST_WAIT, LAST_WAIT_SUSPENDED, REMEMBERED, Minter
from trainc.controller.view import JobSetView, Json, jobset_view

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BOTH = (Minted("m-mpi-ssh-auth", SSH), Minted("m-flux-curve", CURVE))


class Cluster:
    """What is there, by name; and what was asked for."""

    def __init__(self) -> None:
        self.there: dict[str, Json] = {}
        self.asked: list[str] = []
        self.refuses = False
        self.now = 1000.0

    def create(self, path: str, manifest: Json) -> bool:
        """As the API does; False where it is there."""
        if self.refuses:
            raise ApiError(403, "forbidden", "Forbidden")
        name = manifest["metadata"]["name"]
        self.asked.append(f"{path}/{name}")
        return self.there.setdefault(name, manifest) is manifest


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def _minter(cluster: Cluster, authority: str = "") -> Minter:
    api: Any = cluster
    return Minter(api, lambda: authority, lambda: cluster.now)


def _jobset(*secrets: Minted, uid: str = "u", suspended: bool = False) -> JobSetView:
    metadata = {
        "namespace": "ns",
        "name": "m",
        "uid": uid,
        "resourceVersion": "1",
        "creationTimestamp": "2026-11-22T12:00:00Z",
    }
    view = jobset_view({"metadata": metadata, "spec": {"suspend": suspended}})
    return replace(view, note=Note("m", secrets=secrets))


def test_it_asks_at_once_and_then_ever_more_seldom(cluster: Cluster) -> None:
    minter, pauses = _minter(cluster), []
    for _ in range(9):
        pause, _ = minter.mint(_jobset(BOTH[0]), NOW)
        pauses.append(pause)
        assert minter.mint(_jobset(BOTH[0]), NOW) == (pause, [])  # not due
        cluster.now += pause
    assert len(cluster.asked) == 9
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (1.0, LAST_WAIT)
    assert list(cluster.there) == ["m-mpi-ssh-auth"]


def test_what_is_there_is_not_told_of_again(cluster: Cluster) -> None:
    minter = _minter(cluster)
    _, told = minter.mint(_jobset(*BOTH), NOW)
    assert [each.reason for each in told] == ["Minted", "Minted"]
    cluster.now += 1.0
    assert minter.mint(_jobset(*BOTH), NOW)[1] == []


def test_a_jobset_made_anew_is_asked_for_at_once(cluster: Cluster) -> None:
    minter = _minter(cluster)
    minter.mint(_jobset(BOTH[0]), NOW)
    del cluster.there["m-mpi-ssh-auth"]  # collected with the old one
    minter.mint(_jobset(BOTH[0], uid="new"), NOW)
    owner = cluster.there["m-mpi-ssh-auth"]["metadata"]["ownerReferences"][0]
    assert owner["uid"] == "new"


def test_a_suspended_job_waits_and_its_resumption_asks_at_once(cluster: Cluster) -> None:
    minter = _minter(cluster)
    for _ in range(12):
        pause, _ = minter.mint(_jobset(BOTH[0], suspended=True), NOW)
        cluster.now += pause
    assert pause == LAST_WAIT_SUSPENDED
    minter.mint(_jobset(BOTH[0], suspended=True), NOW)
    del cluster.there["m-mpi-ssh-auth"]
    minter.mint(_jobset(BOTH[0]), NOW)
    assert "m-mpi-ssh-auth" in cluster.there


def test_a_refusal_is_asked_again(cluster: Cluster) -> None:
    minter = _minter(cluster)
    cluster.refuses = True
    with pytest.raises(ApiError):
        minter.mint(_jobset(BOTH[0]), NOW)
    cluster.refuses = False
    minter.mint(_jobset(BOTH[0]), NOW)
    assert "m-mpi-ssh-auth" in cluster.there


@pytest.mark.parametrize("authority", ["", "PEM"])
def test_the_authority_is_made_where_it_is_known(cluster: Cluster, authority: str) -> None:
    wanted = Minted("m-tls-config", AUTHORITY)
    _, told = _minter(cluster, authority).mint(_jobset(wanted), NOW)
    assert [each.reason for each in told] == ["Minted" if authority else "NoProgressServer"]
    assert {name: made["data"] for name, made in cluster.there.items()} == (
        {"m-tls-config": {"ca.crt": "PEM"}} if authority else {}
    )


def test_nothing_minted_is_logged(cluster: Cluster, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        _, told = _minter(cluster).mint(_jobset(*BOTH), NOW)
    said = caplog.text + str(told)
    for made in cluster.there.values():
        for value in made["data"].values():
            assert value not in said
            assert base64.b64decode(value).decode() not in said


def test_jobsets_that_went_are_forgotten_in_time(cluster: Cluster) -> None:
    minter = _minter(cluster)
    for number in range(REMEMBERED + 5):
        minter.mint(_jobset(uid=f"u-{number}"), NOW)
    assert len(minter._asked) == REMEMBERED
    assert f"u-{REMEMBERED + 4}" in minter._asked
