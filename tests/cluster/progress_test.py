"""The progress server, with real tokens of real pods."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.client import Client, eventually
from tests.cluster.jobs import Json, a_jobset, a_note, a_trainjob, conditions, end_pods
from tests.cluster.plane import Plane
from tests.cluster.posting import Poster, a_report, pods, progress_of, reported, token_of
from tests.cluster.running import running
from trainc.controller.controller import Controller
from trainc.controller.progress.server import ProgressOptions
from trainc.kube.keys import tls_pair

CA = (("ca", "-tls-config"),)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the server's certificate, as a Secret is mounted."""
    write_certificate(tmp_path)
    return tmp_path


@pytest.fixture
def controller(plane: Plane, namespace: str, folder: Path) -> Iterator[Controller]:
    options = ProgressOptions(folder=folder, host="127.0.0.1", port=0)
    with running(plane, namespace, progress=options) as started:
        yield started


@pytest.fixture
def poster(controller: Controller) -> Poster:
    assert controller.progress is not None
    return Poster(controller.progress.port, controller.progress.certificate.authority())


@pytest.fixture
def job(admin: Client, namespace: str) -> tuple[str, str]:
    """A running job of two pods."""
    admin.apply(a_trainjob(namespace))
    admin.apply(a_jobset(namespace, nodes=2, note=a_note("m", secrets=CA)))
    eventually(lambda: len(pods(admin, namespace)) == 2)
    return namespace, "m"


def test_a_report_reaches_the_status(admin: Client, job: tuple[str, str], poster: Poster) -> None:
    token = token_of(admin, pods(admin, job[0])[0])
    metrics = [{"name": "loss", "value": "0.3"}]
    body = a_report(
        40,
        "2026-11-22T10:00:00.123456+01:00",
        estimatedRemainingSeconds=90,
        metrics=metrics,
        unknown=1,
    )
    code, answer = _accepted(poster, job, body, token)
    want = {
        "progressPercentage": 40,
        "estimatedRemainingSeconds": 90,
        "metrics": metrics,
        "lastUpdatedTime": "2026-11-22T09:00:00Z",
    }
    assert (code, answer) == (200, {"trainerStatus": want})
    assert reported(admin, job[0], 40) == want
    # The next report replaces the whole: what it does not tell is gone.
    assert poster.post(job, a_report(41), token)[0] == 200
    assert set(reported(admin, job[0], 41)) == {"progressPercentage", "lastUpdatedTime"}


def test_the_authority_is_where_the_pod_mounts_it(
    admin: Client, job: tuple[str, str], controller: Controller
) -> None:
    found = eventually(lambda: admin.find("ConfigMap", job[0], "m-tls-config"))
    assert controller.progress is not None
    assert found["data"] == {"ca.crt": controller.progress.certificate.authority()}


@dataclass(frozen=True)
class RefusedCase:
    __test__ = False
    name: str
    code: int
    reason: str
    message: str
    body: Any = None
    method: str = "POST"
    path: str = ""
    headers: Any = None
    token: str = "good"


BASE = "/apis/trainer.kubeflow.org/v1alpha1/namespaces"
REFUSED = [
    RefusedCase("no token", 403, "Forbidden", "Forbidden", token="none"),
    RefusedCase("a token of nobody", 403, "Forbidden", "Forbidden", token="forged"),
    RefusedCase("for another audience", 403, "Forbidden", "Forbidden", token="audience"),
    RefusedCase("of another job's pod", 403, "Forbidden", "Forbidden", token="neighbour"),
    RefusedCase("the admin's", 403, "Forbidden", "Forbidden", token="admin"),
    RefusedCase(
        "three words", 403, "Forbidden", "Forbidden", headers={"Authorization": "Bearer a b"}
    ),
    RefusedCase("basic", 403, "Forbidden", "Forbidden", headers={"Authorization": "Basic a"}),
    RefusedCase("GET", 404, "NotFound", "Not found", method="GET"),
    RefusedCase("PUT", 404, "NotFound", "Not found", method="PUT"),
    RefusedCase("elsewhere", 404, "NotFound", "Not found", path="/healthz"),
    RefusedCase("a path out of it", 404, "NotFound", "Not found", path=f"{BASE}/../x/y/z"),
    RefusedCase("no JSON", 422, "Invalid", "Invalid payload", body=b"{"),
    RefusedCase("deep", 422, "Invalid", "Invalid payload", body=b"[" * 60_000),
    RefusedCase("no UTF-8", 422, "Invalid", "Invalid payload", body=b'"\xff"'),
    RefusedCase("a list", 422, "Invalid", "Invalid payload", body=[]),
    RefusedCase("a text", 422, "Invalid", "Invalid payload", body={"trainerStatus": "50"}),
    RefusedCase("percent as text", 422, "Invalid", "Invalid payload", body="50"),
    RefusedCase("a fraction", 422, "Invalid", "Invalid payload", body=50.5),
    RefusedCase("a truth", 422, "Invalid", "Invalid payload", body=True),
    RefusedCase(
        "no time",
        422,
        "Invalid",
        "status.trainerStatus.lastUpdatedTime: Required value",
        body={"trainerStatus": {"progressPercentage": 1}},
    ),
    RefusedCase(
        "a day is no time",
        422,
        "Invalid",
        "Invalid payload",
        body={"trainerStatus": {"lastUpdatedTime": "2026-11-22"}},
    ),
    RefusedCase("101 %", 422, "Invalid", "less than or equal to 100", body=101),
    RefusedCase("-1 %", 422, "Invalid", "greater than or equal to 0", body=-1),
    RefusedCase(
        "257 metrics",
        422,
        "Invalid",
        "metrics: Too many: 257",
        body=a_report(1, metrics=[{"name": "a", "value": "b"}] * 257),
    ),
    RefusedCase(
        "a long value",
        422,
        "Invalid",
        "metrics[0].value: Too long",
        body=a_report(1, metrics=[{"name": "a", "value": "b" * 65}]),
    ),
    RefusedCase(
        "an empty name",
        422,
        "Invalid",
        "metrics[0].name: Invalid value",
        body=a_report(1, metrics=[{"name": "", "value": "b"}]),
    ),
    RefusedCase(
        "65,537 bytes", 413, "RequestEntityTooLarge", "Payload too large", body=b" " * 65537
    ),
]


def test_refusals(admin: Client, job: tuple[str, str], poster: Poster) -> None:
    """One job for all cases: it is the requests that differ."""
    tokens = _tokens(admin, job)
    for case in REFUSED:
        body = case.body
        if isinstance(body, (int, float, str)):
            body = {"trainerStatus": {"progressPercentage": body, "lastUpdatedTime": _now()}}
        code, answer = poster.post(
            job,
            {} if body is None else body,
            tokens[case.token],
            case.method,
            case.path,
            case.headers,
        )
        assert (case.name, code) == (case.name, case.code)
        assert answer["reason"] == case.reason, case.name
        assert case.message in answer["message"], case.name
        assert (answer["kind"], answer["code"]) == ("Status", case.code)
    assert progress_of(admin, job[0]) == {}


def test_what_says_nothing_is_accepted_and_not_written(
    admin: Client, job: tuple[str, str], poster: Poster
) -> None:
    token = token_of(admin, pods(admin, job[0])[0])
    for body in ({}, {"trainerStatus": None}, {"trainerStatus": {}}, {"other": 1}):
        assert _accepted(poster, job, body, token) == (200, {})
    assert poster.post(job, a_report(None), token)[0] == 200


def test_a_job_that_is_gone(admin: Client, job: tuple[str, str], poster: Poster) -> None:
    token = token_of(admin, pods(admin, job[0])[0])
    assert _accepted(poster, job, a_report(1), token)[0] == 200
    admin.delete("JobSet", *job)
    admin.delete("TrainJob", *job)
    answer = eventually(lambda: (a := poster.post(job, a_report(2), token))[0] != 200 and a)
    assert (answer[0], answer[1]["message"]) == (404, "Train job not found")


def test_other_ranks_are_answered_and_not_written(
    admin: Client, job: tuple[str, str], poster: Poster
) -> None:
    first, second = (token_of(admin, pod) for pod in pods(admin, job[0]))
    assert _accepted(poster, job, a_report(90), second)[0] == 200
    assert poster.post(job, a_report(10), first)[0] == 200
    assert reported(admin, job[0], 10)


def test_the_newest_counts_and_percent_only_falls_after_a_restart(
    admin: Client, namespace: str, poster: Poster
) -> None:
    job = (namespace, "m")
    admin.apply(a_trainjob(namespace))
    admin.apply(a_jobset(namespace, restarts=3))
    (pod,) = eventually(lambda: pods(admin, namespace))
    token = token_of(admin, pod)
    start = datetime.now(UTC) - timedelta(minutes=5)

    def at(minutes: float) -> str:
        return (start + timedelta(minutes=minutes)).isoformat()

    assert _accepted(poster, job, a_report(50, at(1)), token)[0] == 200
    reported(admin, namespace, 50)
    older = a_report(40, at(0.5), metrics=[{"name": "of", "value": "older"}])
    assert poster.post(job, older, token)[0] == 200
    lower = a_report(30, at(2), metrics=[{"name": "of", "value": "newer"}])
    assert poster.post(job, lower, token)[0] == 200
    eventually(lambda: progress_of(admin, namespace).get("metrics"))
    found = progress_of(admin, namespace)
    assert found["metrics"] == [{"name": "of", "value": "newer"}]
    assert found["progressPercentage"] == 50

    end_pods(admin, namespace, "fail")
    (anew,) = eventually(
        lambda: [
            other
            for other in pods(admin, namespace)
            if other["metadata"]["uid"] != pod["metadata"]["uid"]
        ]
    )
    assert poster.post(job, a_report(5, at(3)), token_of(admin, anew))[0] == 200
    reported(admin, namespace, 5)
    # The token of the pod before is good for a while at most; its start is over.
    assert poster.post(job, a_report(60, at(4)), token)[0] in (200, 403)
    assert poster.post(job, a_report(6, at(4.5)), token_of(admin, anew))[0] == 200
    reported(admin, namespace, 6)


def test_many_posts_are_one_write(
    admin: Client, job: tuple[str, str], poster: Poster, controller: Controller
) -> None:
    token = token_of(admin, pods(admin, job[0])[0])
    _accepted(poster, job, a_report(0), token)
    reported(admin, job[0], 0)
    eventually(lambda: controller.metrics.written._value.get() == 1)  # counted after it is written
    before, began = controller.metrics.written._value.get(), time.monotonic()
    for percent in range(1, 61):
        assert poster.post(job, a_report(percent), token)[0] == 200
    reported(admin, job[0], 60)
    writes = controller.metrics.written._value.get() - before
    assert writes <= (time.monotonic() - began) / 5 + 1


@pytest.mark.parametrize("end", ["complete", "fail"])
def test_complete_is_100_percent_where_something_was_reported(
    admin: Client, job: tuple[str, str], poster: Poster, end: str
) -> None:
    namespace = job[0]
    token = token_of(admin, pods(admin, namespace)[0])
    _accepted(poster, job, a_report(60), token)
    reported(admin, namespace, 60)
    # On its way when the job ends.
    metrics = [{"name": "loss", "value": "0.1"}]
    assert poster.post(job, a_report(90, metrics=metrics), token)[0] == 200
    end_pods(admin, namespace, end)
    eventually(lambda: conditions(admin, namespace))
    eventually(lambda: progress_of(admin, namespace).get("metrics") == metrics)
    want = 100 if end == "complete" else 90
    # What was on its way may be written first, and then made 100 %.
    eventually(lambda: progress_of(admin, namespace)["progressPercentage"] == want)
    assert poster.post(job, a_report(70), token)[0] == 200  # a straggler changes nothing
    assert progress_of(admin, namespace)["progressPercentage"] == want


def test_nothing_reported_stays_nothing(
    admin: Client, job: tuple[str, str], controller: Controller
) -> None:
    end_pods(admin, job[0], "complete")
    eventually(lambda: "Complete" in conditions(admin, job[0]))
    assert progress_of(admin, job[0]) == {}


def test_without_a_trainjob_the_jobset_holds_it(
    admin: Client, namespace: str, poster: Poster
) -> None:
    admin.apply(a_jobset(namespace))
    (pod,) = eventually(lambda: pods(admin, namespace))
    _accepted(poster, (namespace, "m"), a_report(30), token_of(admin, pod))

    def told() -> Json:
        annotations = admin.get("JobSet", namespace, "m")["metadata"]["annotations"]
        found: Json = json.loads(annotations.get("trainc.dev/progress", "{}"))
        return found

    eventually(lambda: told().get("progressPercentage") == 30)
    end_pods(admin, namespace, "complete")
    eventually(lambda: told().get("progressPercentage") == 100)


def test_the_certificate_is_changed_without_a_restart(
    admin: Client, job: tuple[str, str], controller: Controller, poster: Poster, folder: Path
) -> None:
    token = token_of(admin, pods(admin, job[0])[0])
    assert _accepted(poster, job, a_report(1), token)[0] == 200
    authority = write_certificate(folder)
    assert controller.progress is not None
    fresh = Poster(controller.progress.port, authority)

    def talks() -> bool:
        try:
            return fresh.post(job, a_report(2), token)[0] == 200
        except Exception as error:
            raise AssertionError(error) from error

    eventually(talks, 60, 0.3)


def test_abuse(admin: Client, job: tuple[str, str], controller: Controller, poster: Poster) -> None:
    """10,000 malformed, oversize, forged and foreign requests: none accepted, it serves on."""
    chance = random.Random(5)
    tokens = _tokens(admin, job)
    good = tokens.pop("good")
    _accepted(poster, job, a_report(1), good)
    reported(admin, job[0], 1)
    for number in range(10_000):
        kind = number % 4
        body: Any = a_report(99)
        token: str | None = good
        if kind == 0:
            body = bytes(chance.randrange(256) for _ in range(chance.randrange(200)))
        elif kind == 1:
            body = b'{"trainerStatus":"' + b"x" * (65536 + chance.randrange(4096)) + b'"}'
        elif kind == 2:
            token = _mangled(good or "", chance)
        else:
            token = tokens[chance.choice(sorted(tokens))]
        code, _ = poster.post(job, body, token)
        assert code in (403, 413, 422), (kind, code)
    assert poster.post(job, a_report(2), good)[0] == 200
    reported(admin, job[0], 2)
    assert controller.alive()


def _accepted(poster: Poster, job: tuple[str, str], body: object, token: str) -> tuple[int, Json]:
    """The answer, once the controller has seen the job."""
    answer: tuple[int, Json] = eventually(
        lambda: (found := poster.post(job, body, token))[0] != 404 and found
    )
    return answer


def _tokens(admin: Client, job: tuple[str, str]) -> dict[str, str | None]:
    """Tokens of every kind; all but ``good`` must be refused."""
    pod = pods(admin, job[0])[0]
    admin.apply(a_jobset(job[0], "neighbour"))
    (other,) = eventually(lambda: pods(admin, job[0], "neighbour"))
    good = token_of(admin, pod)
    return {
        "good": good,
        "none": None,
        "forged": good[: good.rindex(".") + 1] + "A" * 86,
        "audience": token_of(admin, pod, told="https://kubernetes.default.svc"),
        "neighbour": token_of(admin, other, job),
        "admin": admin._headers["Authorization"].split()[1],
    }


def _mangled(token: str, chance: random.Random) -> str:
    at = chance.randrange(len(token) - 4)
    other = chance.choice([c for c in "ABCDEFxyz0189.-_" if c != token[at]])
    return token[:at] + other + token[at + 1 :]


def write_certificate(folder: Path) -> str:
    """A new certificate in the folder; gives its CA."""
    folder.mkdir(exist_ok=True)
    pair = tls_pair(["127.0.0.1", "localhost"], datetime.now(UTC))
    for name, text in (("ca.crt", pair.ca), ("tls.key", pair.key), ("tls.crt", pair.certificate)):
        (folder / name).write_text(text)
    return pair.ca


def _now() -> str:
    return datetime.now(UTC).isoformat()
