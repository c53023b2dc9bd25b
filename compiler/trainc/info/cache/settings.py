"""How large the cache of a job is, and what it may do: the environment of its initializer, read.

In: the initializer's container, runtime's and TrainJob's variables together. Out: ``Settings``, or
what is wrong with a variable, told where it is written. The names are the reference's
(``pkg/initializers/types``), and a few of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from trainc import codes, names
from trainc.errors import Problem
from trainc.info.info import Info
from trainc.info.podset import Container, PodSet
from trainc.kube.quantity import parse
from trainc.spec.spec import runtime_problem
from trainc.spec.trainjob import Path

_DATASET: Final[Path] = ("spec", "initializer", "dataset")
_URI: Final = "STORAGE_URI"
_LIFETIMES: Final = ("job", "shared")
_TABLE: Final = re.compile(r"cache://[^/\s]+/[^/\s]+")
_LOCATION: Final = re.compile(r"cache\+(parquet|csv|arrow|orc|iceberg)://\S(.*\S)?")

TIMEOUT: Final = "CACHE_READY_TIMEOUT_SECONDS"  # of the wait, whose own variable it is too
# Variables that shape the manifests; the cache's own processes do not need them.
_COUNTS: Final = {
    "CLUSTER_SIZE": 3,
    TIMEOUT: 1800,
    "READINESS_INITIAL_DELAY_SECONDS": 5,
    "READINESS_PERIOD_SECONDS": 10,
    "READINESS_TIMEOUT_SECONDS": 5,
    "READINESS_FAILURE_THRESHOLD": 3,
}
_LEAST: Final = {"CLUSTER_SIZE": 2, "READINESS_INITIAL_DELAY_SECONDS": 0}
_AMOUNTS: Final = {"HEAD_CPU": "1", "HEAD_MEM": "1Gi", "WORKER_CPU": "2", "WORKER_MEM": "2Gi"}
# What a head takes, and a worker while it loads (docs/performance-cache.md), and a little more.
_ENOUGH: Final = {"HEAD_MEM": "192Mi", "WORKER_MEM": "320Mi"}
_TEXTS: Final = (
    "CACHE_IMAGE",
    "CACHE_LIFETIME",
    "CACHE_SERVICE_ACCOUNT",
    "IAM_ROLE",
    "GCP_SERVICE_ACCOUNT",
    "AZURE_CLIENT_ID",
)
SHAPING: Final = frozenset((*_COUNTS, *_AMOUNTS, *_TEXTS, "WORKER_DISK"))


class Settings(NamedTuple):
    """What the environment asks for.

    Attributes:
        counts: ``CLUSTER_SIZE``, ``READINESS_*`` and ``CACHE_READY_TIMEOUT_SECONDS`` by name.
        amounts: ``HEAD_*`` and ``WORKER_*`` by name, ``WORKER_DISK`` where it is set.
        texts: Image, service account and cloud identities by name; those that are set.
        shared: Whether several jobs use the cache.
    """

    counts: Mapping[str, int]
    amounts: Mapping[str, str]
    texts: Mapping[str, str]
    shared: bool


class Asked(NamedTuple):
    """The initializer that asks for a cache."""

    info: Info
    pod_set: PodSet
    container: Container

    @property
    def env(self) -> dict[str, Mapping[str, Any]]:
        """Its variables by name."""
        return {item["name"]: item for item in self.container.env}

    @property
    def uri(self) -> str:
        """Its storage URI, empty where it is not known at the build."""
        return str(self.env.get(_URI, {}).get("value") or "")

    @property
    def wanted(self) -> bool:
        """Whether a cache is meant, rightly spelt or not."""
        return means_cache(self.uri)


def means_cache(uri: str) -> bool:
    """Whether a storage URI is of a cache's schemes; schemes know no case, but ours are small."""
    return uri.lstrip().lower().startswith(("cache://", "cache+"))


def settings(asked: Asked) -> tuple[Settings, list[Problem]]:
    """What is asked for, and every fault of it; settings with a fault must not be used."""
    env = asked.env
    given = {name: _text(env[name]) for name in SHAPING if name in env}
    counts = {name: _count(given.get(name), usual) for name, usual in _COUNTS.items()}
    amounts = {name: given.get(name) or usual for name, usual in _AMOUNTS.items()}
    if given.get("WORKER_DISK"):
        amounts["WORKER_DISK"] = given["WORKER_DISK"]
    texts = {name: given[name] for name in _TEXTS if given.get(name)}
    usual = "shared" if asked.info.spec.settings.shared_caches else "job"
    shared = texts.get("CACHE_LIFETIME", usual) == "shared"
    return Settings(counts, amounts, texts, shared), list(_faults(asked, given))


def _faults(asked: Asked, given: Mapping[str, str]) -> Iterator[Problem]:
    env = asked.env
    for name in sorted(SHAPING & set(env)):
        if env[name].get("valueFrom") is not None:
            yield _at(asked, name, "must be a value: the cache is sized when it is compiled")
        elif given[name]:
            yield from _fault(asked, name, given[name])
    if not given.get("CACHE_IMAGE"):
        hint = "set it in the runtime: torch-distributed-with-cache shows how"
        yield _at(asked, "CACHE_IMAGE", "no image for the cache: CACHE_IMAGE is not set", hint)
    yield from _source_faults(asked)


def _fault(asked: Asked, name: str, text: str) -> Iterator[Problem]:
    """What is wrong with one variable that has a value."""
    if name in _COUNTS:
        least = _LEAST.get(name, 1)
        if not text.isascii() or not text.isdecimal() or not least <= int(text) < 1 << 31:
            hint = "one head and at least one worker" if name == "CLUSTER_SIZE" else ""
            yield _at(asked, name, f'{name} must be a number, at least {least}, got "{text}"', hint)
    elif name in _AMOUNTS or name == "WORKER_DISK":
        try:
            amount = parse(text).nanos
        except ValueError:
            amount = 0
        enough = _ENOUGH.get(name)
        if amount <= 0:
            yield _at(asked, name, f'{name} must be a quantity above 0, got "{text}"', "2 or 4Gi")
        elif enough and amount < parse(enough).nanos and names.CACHE_MEMORY_ENV not in asked.env:
            hint = "with less its pod is killed for want of memory while the table is loaded"
            yield _at(asked, name, f'{name} must be at least {enough}, got "{text}"', hint)
    elif name == "CACHE_LIFETIME" and text not in _LIFETIMES:
        yield _at(asked, name, f'CACHE_LIFETIME must be job or shared, got "{text}"')


def _source_faults(asked: Asked) -> Iterator[Problem]:
    uri = asked.uri
    if not (_TABLE.fullmatch(uri) or _LOCATION.fullmatch(uri)):
        message = f'"{uri}" is neither cache://SCHEMA/TABLE nor cache+KIND://LOCATION'
        kinds = "kinds: arrow, csv, iceberg, orc, parquet"
        yield asked.info.spec.problem(
            (*_DATASET, "storageUri"), message, hint=kinds, code=codes.CACHE
        )
    elif uri.startswith("cache://") and not asked.container.env_from:
        known = (names.METADATA_LOC_ENV, names.CATALOG_ENV)
        if not any(name in asked.env for name in known):
            message = f"nothing says where {uri} has its metadata"
            hint = f"set {names.METADATA_LOC_ENV} or {names.CATALOG_ENV}"
            yield asked.info.spec.problem(
                (*_DATASET, "storageUri"), message, hint=hint, code=codes.CACHE
            )


def _at(asked: Asked, name: str, message: str, hint: str = "") -> Problem:
    """A problem at the variable: in the TrainJob where it sets it, else in the runtime."""
    spec = asked.info.spec
    own = (spec.job.spec.get("initializer") or {}).get("dataset") or {}
    for index, item in enumerate(own.get("env") or ()):
        if item["name"] == name:
            return spec.problem(
                (*_DATASET, "env", index, "value"), message, hint=hint, code=codes.CACHE
            )
    if name not in asked.env:
        return spec.problem(_DATASET, message, hint=hint, code=codes.CACHE)
    job = asked.info.pod_sets.index(asked.pod_set)
    place = asked.pod_set.containers.index(asked.container)
    env = [item["name"] for item in asked.container.raw.get("env", ())]
    path: Path = (
        "spec", "template", "spec", "replicatedJobs", job,
        "template", "spec", "template", "spec", "containers", place, "env",
    )  # fmt: skip
    path = (*path, env.index(name), "value") if name in env else path
    return runtime_problem(spec.runtime, path, message, hint=hint, code=codes.CACHE)


def _count(text: str | None, usual: int) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() else usual


def _text(item: Mapping[str, Any] | None) -> str:
    return str(item.get("value") or "").strip() if item else ""
