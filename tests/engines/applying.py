"""What a person does with a build: applies all of it, and looks at what is in the cluster."""

from __future__ import annotations

import time
from collections.abc import Iterable

from tests.cluster.client import Client, eventually, kind_of
from tests.cluster.jobs import Json

State = dict[tuple[str, str], tuple[str, int, str]]  # (kind, name): uid, generation, version


def apply(admin: Client, objects: Iterable[Json]) -> State:
    """``kubectl apply --server-side -f -``: no conflict is forced. Each object's state after it."""
    answers = [admin.apply(each, manager="kubectl", force="false") for each in objects]
    return {(kind_of(each), each["metadata"]["name"]): _state(each) for each in answers}


def state(admin: Client, objects: Iterable[Json]) -> State:
    """The same of the objects as they are now."""
    found = {}
    for each in objects:
        metadata = each["metadata"]
        now = admin.get(kind_of(each), metadata["namespace"], metadata["name"])
        found[kind_of(each), metadata["name"]] = _state(now)
    return found


def unchanged(admin: Client, objects: Iterable[Json]) -> bool:
    """Whether applying it again is said to be ``unchanged`` by kubectl for every object."""
    objects = list(objects)
    before = eventually(lambda: _quiet(admin, objects), 30, 1)
    return apply(admin, objects) == before


def _quiet(admin: Client, objects: list[Json]) -> State | None:
    """The state, if nobody has written for a moment."""
    before = state(admin, objects)
    time.sleep(1)
    return before if state(admin, objects) == before else None


def live_pods(admin: Client, namespace: str) -> dict[str, list[Json]]:
    """The pods that run or will, by the name of their JobSet."""
    pods: dict[str, list[Json]] = {}
    for pod in admin.list("Pod", namespace):
        ended = pod["status"].get("phase") in ("Succeeded", "Failed")
        if not ended and "deletionTimestamp" not in pod["metadata"]:
            name = pod["metadata"]["labels"].get("jobset.sigs.k8s.io/jobset-name", "")
            pods.setdefault(name, []).append(pod)
    return pods


def images(pods: Iterable[Json]) -> set[str]:
    """The images of their containers."""
    return {c["image"] for pod in pods for c in pod["spec"]["containers"]}


def _state(manifest: Json) -> tuple[str, int, str]:
    metadata = manifest["metadata"]
    return metadata["uid"], metadata.get("generation", 0), metadata["resourceVersion"]
