from __future__ import annotations

import base64
import copy
import json
import time
from dataclasses import dataclass
from typing import Any

import pytest

from trainc.controller.api import ApiError
from trainc.controller.progress.verdicts import REMEMBERED_SECONDS, Pod, Verdicts, audience
from trainc.controller.view import Json

JOB = ("ns", "m")
_EXTRA = "authentication.kubernetes.io/"


def _token(**claims: Any) -> str:
    told = {
        "aud": [audience(JOB)],
        "exp": time.time() + 3600,
        "kubernetes.io": {"namespace": "ns"},
        **claims,
    }
    part = base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=").decode()
    return f"e30.{part}.signature"


def _pod(**labels: str) -> Json:
    prefix = "jobset.sigs.k8s.io/"
    return {
        "metadata": {
            "uid": "pod-uid",
            "labels": {
                f"{prefix}jobset-name": "m",
                f"{prefix}jobset-uid": "jobset",
                f"{prefix}replicatedjob-name": "node",
                f"{prefix}restart-attempt": "2",
                f"{prefix}job-index": "0",
                "batch.kubernetes.io/job-completion-index": "0",
                **labels,
            },
            "ownerReferences": [{"kind": "Job", "name": "m-node-0", "controller": True}],
        }
    }


class Cluster:
    """Reviews tokens as told, and counts."""

    def __init__(self) -> None:
        self.reviews = 0
        self.now = 0.0
        self.pod: Json | None = _pod()
        self.down = False
        self.status: Json = {
            "authenticated": True,
            "audiences": [audience(JOB)],
            "user": {
                "username": "system:serviceaccount:ns:default",
                "extra": {f"{_EXTRA}pod-name": ["m-0"], f"{_EXTRA}pod-uid": ["pod-uid"]},
            },
        }

    def request(self, method: str, path: str, review: Json) -> Json:
        """A TokenReview."""
        self.reviews += 1
        if self.down:
            raise ApiError(0, "no answer")
        assert review["spec"]["audiences"] == [audience(JOB)]
        return {"status": self.status}

    def find(self, path: str) -> Json | None:
        """The pod."""
        return self.pod

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def verdicts(cluster: Cluster) -> Verdicts:
    api: Any = cluster
    return Verdicts(api, cluster.monotonic)


def test_a_member_may_report(verdicts: Verdicts) -> None:
    want = Pod(jobset="jobset", attempt=2, rank=0, first=True)
    assert verdicts.ask(_token(), JOB) == want


@dataclass(frozen=True)
class TestCase:
    """A fault of the review (a path into its status and the value there) or of the pod."""

    __test__ = False
    name: str
    at: tuple[str, ...] = ()
    value: Any = None
    pod: Json | None = None


OTHER_OWNER = _pod()
OTHER_OWNER["metadata"]["ownerReferences"][0]["name"] = "other-node-0"
NO_JOB = _pod()
NO_JOB["metadata"]["ownerReferences"][0]["kind"] = "ReplicaSet"
OTHER_UID = _pod()
OTHER_UID["metadata"]["uid"] = "made-again"

CASES = [
    TestCase("not authenticated", ("authenticated",), False),
    TestCase("for another audience", ("audiences",), ["https://kubernetes.default.svc"]),
    TestCase("an API server that knows no audiences", ("audiences",), None),
    TestCase("of another namespace", ("user", "username"), "system:serviceaccount:other:default"),
    TestCase("a person's", ("user", "username"), "admin"),
    TestCase("bound to no pod", ("user", "extra"), {}),
    TestCase("bound to a pod that is gone", pod={}),
    TestCase("of another job's pod", pod=_pod(**{"jobset.sigs.k8s.io/jobset-name": "other"})),
    TestCase("of a pod with a forged label", pod=OTHER_OWNER),
    TestCase("of a pod that no Job made", pod=NO_JOB),
    TestCase("of a pod of the same name", pod=OTHER_UID),
    TestCase("of an odd rank", pod=_pod(**{"batch.kubernetes.io/job-completion-index": "-1"})),
    TestCase("of an odd attempt", pod=_pod(**{"jobset.sigs.k8s.io/restart-attempt": "²"})),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_nobody_else_may(cluster: Cluster, verdicts: Verdicts, case: TestCase) -> None:
    if case.at:
        cluster.status = copy.deepcopy(cluster.status)
        *parents, last = case.at
        where = cluster.status
        for name in parents:
            where = where[name]
        where[last] = case.value
    if case.pod is not None:
        cluster.pod = case.pod or None
    assert verdicts.ask(_token(), JOB) is None


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b",
        "a.b.c",
        "a." + "A" * 20_000 + ".c",
        "a." + base64.urlsafe_b64encode(b"[]").decode() + ".c",
        "a." + base64.urlsafe_b64encode(b"[" * 9_000).decode() + ".c",
        _token(aud=["https://kubernetes.default.svc"]),
        _token(aud=5),
        _token(exp=time.time() - 3600),
        _token(exp="soon"),
        _token(**{"kubernetes.io": {"namespace": "other"}}),
        _token(**{"kubernetes.io": None}),
    ],
)
def test_what_cannot_be_good_costs_no_request(
    cluster: Cluster, verdicts: Verdicts, token: str
) -> None:
    assert verdicts.ask(token, JOB) is None
    assert cluster.reviews == 0


@pytest.mark.parametrize("good", [True, False])
def test_a_verdict_is_remembered_for_a_minute(
    cluster: Cluster, verdicts: Verdicts, good: bool
) -> None:
    cluster.status["authenticated"] = good
    assert verdicts.remembered(_token(), JOB) == (False, None)
    token = _token()
    pod = verdicts.ask(token, JOB)
    cluster.now = REMEMBERED_SECONDS - 1
    assert verdicts.remembered(token, JOB) == (True, pod)
    assert verdicts.remembered(token, ("ns", "other")) == (False, None)
    cluster.now = REMEMBERED_SECONDS
    assert verdicts.remembered(token, JOB)[0] is False


def test_no_answer_is_no_verdict(cluster: Cluster, verdicts: Verdicts) -> None:
    cluster.down = True
    token = _token()
    with pytest.raises(ApiError):
        verdicts.ask(token, JOB)
    assert verdicts.remembered(token, JOB) == (False, None)
    cluster.down = False
    assert verdicts.ask(token, JOB) is not None


@pytest.mark.parametrize(
    ("index", "job", "first"), [("0", "0", True), ("1", "0", False), ("0", "1", False)]
)
def test_the_rank_is_the_completion_index(
    cluster: Cluster, verdicts: Verdicts, index: str, job: str, first: bool
) -> None:
    labels = {
        "batch.kubernetes.io/job-completion-index": index,
        "jobset.sigs.k8s.io/job-index": job,
    }
    cluster.pod = _pod(**labels)
    pod = verdicts.ask(_token(), JOB)
    assert pod is not None
    assert (pod.rank, pod.first) == (int(index), first)


def test_a_verdict_is_as_old_as_its_question() -> None:
    class Slow(Cluster):
        """Takes its time."""

        def find(self, path: str) -> Json | None:
            self.now += 20
            return super().find(path)

    cluster = Slow()
    api: Any = cluster
    verdicts, token = Verdicts(api, cluster.monotonic), _token()
    assert verdicts.ask(token, JOB) is not None
    cluster.now = REMEMBERED_SECONDS - 1
    assert verdicts.remembered(token, JOB)[0]
    cluster.now = REMEMBERED_SECONDS
    assert not verdicts.remembered(token, JOB)[0]
