"""Lints on containers: secrets in plain sight, images that change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from trainc.info.podset import Container, PodSet
from trainc.lint.lint import Finding, Lint, Path, of_pods

_TELLING: Final = ("TOKEN", "SECRET", "PASSWORD", "PASSWD", "API_KEY", "APIKEY", "ACCESS_KEY")
# Names that end in one of these hold a place or a name of a secret, not the secret.
_HARMLESS: Final = ("_FILE", "_PATH", "_NAME", "_URL", "_ID", "_LENGTH")
_MOUNTED: Final = "/var/run/secrets/"  # where the kubelet puts tokens: a place, not the secret
_TOKEN: Final = (
    r"hf_[A-Za-z0-9]{20,}|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30,}|sk-[A-Za-z0-9]{20,}"
)


@of_pods
def literal_token(pod_set: PodSet) -> Iterator[Finding]:
    """An env variable that holds a secret as text."""
    for path, container in _containers(pod_set):
        for index, item in enumerate(container.env):
            value = item.get("value")
            if value and len(value) > 7 and _is_secret(item["name"], value):
                yield (
                    (*path, "env", index),
                    f"{item['name']} holds a secret in plain text, for all who read Git",
                    "use valueFrom.secretKeyRef",
                )


def _is_secret(name: str, value: str) -> bool:
    if len(value) > 15 and re.search(_TOKEN, value):
        return True
    if "$(" in value or value.startswith(_MOUNTED):
        return False
    upper = name.upper()
    return any(word in upper for word in _TELLING) and not upper.endswith(_HARMLESS)


@of_pods
def mutable_tag(pod_set: PodSet) -> Iterator[Finding]:
    """An image whose tag names another image tomorrow."""
    for path, container in _containers(pod_set):
        image = container.image or ""
        if not image or "@" in image:
            continue
        tag = image.rpartition("/")[2].partition(":")[2]
        if tag in ("", "latest"):
            what = "has no tag" if not tag else "is tagged latest"
            yield (
                (*path, "image"),
                f"{image} {what}: nodes may run different images",
                "name a version, or a digest",
            )


def _containers(pod_set: PodSet) -> Iterator[tuple[Path, Container]]:
    """The containers of the pods, with their places below the pod's spec."""
    for number, container in enumerate(pod_set.containers):
        yield ("containers", number), container
    for number, container in enumerate(pod_set.init_containers):
        yield ("initContainers", number), container


LINTS = (
    Lint("TRC301", "warning", literal_token),
    Lint("TRC302", "warning", mutable_tag),
)
