from __future__ import annotations

import threading
from typing import Any

import pytest

from trainc.controller.api import ApiError
from trainc.controller.election import DURATION, PATIENCE, RENEW_EVERY, RENEW_WITHIN, Election
from trainc.controller.view import Json


class Cluster:
    """An API server that keeps one Lease, and a steady clock that is set by hand."""

    def __init__(self) -> None:
        self.lease: Json | None = None
        self.version = 0
        self.down = False
        self.now = 1000.0

    def find(self, path: str) -> Json | None:
        """The Lease."""
        self._answer()
        return self.lease

    def request(self, method: str, path: str, lease: Json) -> Json:
        """Creates or replaces it, if nobody else wrote since."""
        self._answer()
        said = lease["metadata"].get("resourceVersion")
        if method == "POST" and self.lease is not None:
            raise ApiError(409, "is there", "AlreadyExists")
        if method == "PUT" and said != str(self.version):
            raise ApiError(409, "was changed", "Conflict")
        self.version += 1
        metadata = {**lease["metadata"], "resourceVersion": str(self.version)}
        self.lease = {"metadata": metadata, "spec": lease["spec"]}
        return self.lease

    def _answer(self) -> None:
        if self.down:
            raise ApiError(0, "no answer")

    @property
    def holder(self) -> str:
        """Who has it."""
        assert self.lease is not None
        return str(self.lease["spec"]["holderIdentity"])


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def _candidate(cluster: Cluster, name: str) -> Election:
    api: Any = cluster
    return Election(api, "ns", "lease", name, lambda: cluster.now)


def test_the_first_leads_and_the_second_waits(cluster: Cluster) -> None:
    first, second = (_candidate(cluster, name) for name in ("first", "second"))
    assert first._try()
    for _ in range(10):
        assert not second._try()
        cluster.now += 5
        assert first._try()
    assert cluster.holder == "first"
    assert cluster.lease is not None
    assert cluster.lease["spec"]["leaseTransitions"] == 0


def test_a_lease_that_is_not_renewed_is_taken_after_its_duration(cluster: Cluster) -> None:
    first, second = (_candidate(cluster, name) for name in ("first", "second"))
    assert first._try()
    assert not second._try()  # counts from when it saw it: clocks need not agree
    cluster.now += DURATION
    assert not second._try()
    cluster.now += 1
    assert second._try()
    assert not first._try()
    assert cluster.lease is not None
    assert cluster.lease["spec"]["leaseTransitions"] == 1


def test_of_two_at_once_one_wins(cluster: Cluster) -> None:
    first, second = (_candidate(cluster, name) for name in ("first", "second"))
    assert first._try()
    first._give_back()
    assert cluster.holder == ""
    first._look()
    second._look()
    first._write(DURATION, "first")
    assert not second._try()
    assert cluster.holder == "first"


def test_a_renewal_without_an_answer_counts_from_when_it_was_begun(cluster: Cluster) -> None:
    """Others saw it long before its writer does, and count from then."""

    class Mute(Cluster):
        """Which writes, and does not answer."""

        mute = False

        def request(self, method: str, path: str, lease: Json) -> Json:
            found = super().request(method, path, lease)
            if self.mute:
                self.now += 9
                raise ApiError(0, "read timed out")
            return found

    mute = Mute()
    leader = _candidate(mute, "first")
    assert leader._try()
    began = leader._changed_at
    mute.mute = True
    assert not leader._try()
    assert not leader._try()  # looks, finds its own, writes
    assert mute.holder == "first"
    assert leader._changed_at == began
    mute.mute = False
    assert leader._try()
    assert leader._changed_at == mute.now


def test_a_server_that_hangs_costs_the_lease_before_another_takes_it() -> None:
    """A leader tries twice within the time it has, be there no answer at all."""
    longest = PATIENCE.total
    assert isinstance(longest, float | int)
    # One renewal went well; the next hangs, and so do the look and the renewal a second later.
    assert RENEW_EVERY + longest + 1 + 2 * longest <= DURATION
    assert RENEW_EVERY + longest + 1 < RENEW_WITHIN


def test_a_leader_that_cannot_renew_is_none(cluster: Cluster) -> None:
    stop, led = threading.Event(), []
    election = _candidate(cluster, "first")

    class Stop:
        """Ends after some waits; each lets the clock go on."""

        waits = 0

        def is_set(self) -> bool:
            return stop.is_set()

        def wait(self, seconds: float) -> bool:
            self.waits += 1
            cluster.now += seconds
            cluster.down = 3 < self.waits < 40
            if self.waits == 60:
                stop.set()
            return stop.is_set()

    told: Any = Stop()
    election.run(told, lambda: led.append("on"), lambda: led.append("off"))
    assert led == ["on", "off", "on", "off"]
    assert cluster.holder == ""  # given back
