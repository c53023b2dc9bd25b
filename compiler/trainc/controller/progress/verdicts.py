"""Who posts: the token's pod, if the token is good and the pod belongs to the job.

In: a bearer token and the job it is used for. Out: a ``Pod``, or a refusal. A TokenReview says
whether the token was made for this job's audience and for which pod; the pod's own labels and owner
say whose it is. Verdicts are remembered for up to 60 seconds.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from trainc.controller.api import Api
from trainc.controller.paths import PODS, TOKEN_REVIEWS, item
from trainc.controller.view import Json, Key
from trainc.names import API_VERSION

REMEMBERED_SECONDS = 60.0
_REMEMBERED = 10_000
_LONGEST_TOKEN = 16_384
_CLOCK_SKEW = 300.0  # seconds; the API server's own clock decides
_POD_NAME = "authentication.kubernetes.io/pod-name"
_POD_UID = "authentication.kubernetes.io/pod-uid"
_JOBSET = "jobset.sigs.k8s.io/"


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod that may report.

    Attributes:
        jobset: UID of the JobSet it says it is of.
        attempt: Which start of that JobSet it is of.
        rank: Its completion index.
        first: Whether it is the first pod of the first Job of its replicated job.
    """

    jobset: str
    attempt: int
    rank: int
    first: bool


class Verdicts:
    """Reviews tokens, and remembers."""

    def __init__(self, api: Api, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Asks ``api``."""
        self._api = api
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._held: OrderedDict[bytes, tuple[float, Pod | None]] = OrderedDict()

    def remembered(self, token: str, job: Key) -> tuple[bool, Pod | None]:
        """Whether there is a verdict, and which; never asks."""
        with self._lock:
            until, pod = self._held.get(_digest(token, job), (0.0, None))
        return self._monotonic() < until, pod

    def ask(self, token: str, job: Key) -> Pod | None:
        """The pod that may report for ``job`` with this token, or None.

        Raises:
            ApiError: if the API server does not answer.
        """
        until = self._monotonic() + REMEMBERED_SECONDS  # a slow answer is as old as its question
        pod = self._reviewed(token, job) if _might_be_good(token, job) else None
        with self._lock:
            self._held[_digest(token, job)] = (until, pod)
            while len(self._held) > _REMEMBERED:
                self._held.popitem(last=False)
        return pod

    def _reviewed(self, token: str, job: Key) -> Pod | None:
        review = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": {"token": token, "audiences": [audience(job)]},
        }
        status = self._api.request("POST", TOKEN_REVIEWS, review).get("status") or {}
        user = status.get("user") or {}
        in_namespace = str(user.get("username")).startswith(f"system:serviceaccount:{job[0]}:")
        if not (status.get("authenticated") and in_namespace):
            return None
        if audience(job) not in (status.get("audiences") or ()):
            return None
        extra = user.get("extra") or {}
        name, uid = (_only(extra, key) for key in (_POD_NAME, _POD_UID))
        if not name or not uid:
            return None
        found = self._api.find(item(PODS, job[0], name))
        return _member(found, uid, job) if found is not None else None


def audience(job: Key) -> str:
    """Whom a job's token is made for; the compiler writes the same into the pod."""
    namespace, name = job
    return f"{API_VERSION}/namespaces/{namespace}/trainjobs/{name}/status"


def _digest(token: str, job: Key) -> bytes:
    return hashlib.sha256("\0".join((token, *job)).encode()).digest()


def _might_be_good(token: str, job: Key) -> bool:
    """Whether the token says of itself what it would have to: a forged one costs no request."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > _LONGEST_TOKEN:
        return False
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        told = claims["aud"]
        namespace = claims["kubernetes.io"]["namespace"]
        expired = float(claims["exp"]) < time.time() - _CLOCK_SKEW
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
    audiences = told if isinstance(told, list) else [told]
    return audience(job) in audiences and namespace == job[0] and not expired


def _only(extra: Mapping[str, Any], key: str) -> str:
    values = extra.get(key) or [""]
    return str(values[0])


def _member(pod: Json, uid: str, job: Key) -> Pod | None:
    """The pod, if it is the token's and a Job of the job's JobSet made it."""
    metadata = pod["metadata"]
    labels = metadata.get("labels") or {}
    owners: list[Json] = metadata.get("ownerReferences") or []
    maker = next((owner for owner in owners if owner.get("controller")), {})
    child = f"{job[1]}-{labels.get(f'{_JOBSET}replicatedjob-name')}-"
    is_member = (
        metadata["uid"] == uid
        and labels.get(f"{_JOBSET}jobset-name") == job[1]
        and maker.get("kind") == "Job"
        and str(maker.get("name")).startswith(child)
    )
    if not is_member:
        return None
    rank = labels.get("batch.kubernetes.io/job-completion-index", "0")
    numbers = (labels.get(f"{_JOBSET}restart-attempt", "0"), rank)
    if not all(number.isdecimal() for number in numbers):
        return None
    return Pod(
        jobset=labels.get(f"{_JOBSET}jobset-uid", ""),
        attempt=int(numbers[0]),
        rank=int(rank),
        first=int(rank) == 0 and labels.get(f"{_JOBSET}job-index", "0") == "0",
    )
