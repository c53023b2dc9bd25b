"""Lints on containers: secrets in plain sight, images that change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from trainc.errors import Problem
from trainc.info.podset import Container, PodSet
from trainc.lint.lint import POD, Job, Lint

_TELLING: Final = ("TOKEN", "SECRET", "PASSWORD", "PASSWD", "API_KEY", "APIKEY", "ACCESS_KEY")
# Names that end in one of these hold a place or a name of a secret, not the secret.
_HARMLESS: Final = ("_FILE", "_PATH", "_NAME", "_URL", "_ID", "_LENGTH")
_TOKEN: Final = re.compile(
    r"hf_[A-Za-z0-9]{20,}|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30,}|sk-[A-Za-z0-9]{20,}"
)


def literal_token(job: Job) -> Iterator[Problem]:
    """An env variable that holds a secret as text."""
    for path, container in _containers(job):
        for index, item in enumerate(container.env):
            value = item.get("value")
            if value and _is_secret(item["name"], value):
                yield job.at(
                    (*path, "env", index),
                    f"{item['name']} holds a secret in plain text, for all who read Git",
                    "use valueFrom.secretKeyRef",
                )


def _is_secret(name: str, value: str) -> bool:
    if len(value) > 15 and _TOKEN.search(value):
        return True
    if "$(" in value or len(value) < 8:
        return False
    upper = name.upper()
    return any(word in upper for word in _TELLING) and not upper.endswith(_HARMLESS)


def mutable_tag(job: Job) -> Iterator[Problem]:
    """An image whose tag names another image tomorrow."""
    for path, container in _containers(job):
        image = container.image or ""
        if not image or "@" in image:
            continue
        tag = image.rpartition("/")[2].partition(":")[2]
        if tag in ("", "latest"):
            what = "has no tag" if not tag else "is tagged latest"
            yield job.at(
                (*path, "image"),
                f"{image} {what}: nodes may run different images",
                "name a version, or a digest",
            )


def _containers(job: Job) -> Iterator[tuple[tuple[str | int, ...], Container]]:
    """The containers of all pods, with their places in the JobSet."""
    for index, pod_set in enumerate(job.info.pod_sets):
        for field, containers in _fields(pod_set):
            for number, container in enumerate(containers):
                yield ("spec", "replicatedJobs", index, *POD, field, number), container


def _fields(pod_set: PodSet) -> tuple[tuple[str, tuple[Container, ...]], ...]:
    if not pod_set.init_containers:
        return (("containers", pod_set.containers),)
    return ("containers", pod_set.containers), ("initContainers", pod_set.init_containers)


LINTS = (
    Lint("TRC301", "warning", literal_token),
    Lint("TRC302", "warning", mutable_tag),
)
