"""Lints on containers: secrets in plain sight, images that change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from trainc.info.podset import Container, PodSet
from trainc.lint.lint import Finding, Lint, Path, of_pods

_TELLING: Final = re.compile(
    r"(?:TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|ACCESS_KEY|PRIVATE_KEY)(?:_|\d|$)"
)
# Tokens of language models; TOKENIZER and MAX_TOKENS do not match above.
_OF_MODELS: Final = re.compile(
    r"(?:^|_)(?:BOS|CLS|EOS|EOT|IMAGE|MASK|NEXT|PAD|PER|SEP|SPECIAL|START|STOP|UNK)_TOKEN"
)
# Names that end in one of these hold a place or a name of a secret, not the secret.
_HARMLESS: Final = (
    "_DIR", "_FILE", "_ID", "_LENGTH", "_NAME", "_PATH", "_PROVIDER", "_REF", "_STORE", "_TYPE",
    "_URL",
)  # fmt: skip
_MOUNTED: Final = "/var/run/secrets/"  # where the kubelet puts tokens: a place, not the secret
_TOKEN: Final = (
    r"hf_[A-Za-z0-9]{20,}|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30,}|sk-[A-Za-z0-9]{20,}"
)
# Tags that name what was built last; a tag that is not there is latest.
_MOVING: Final = ("", "dev", "develop", "edge", "head", "latest", "main", "master", "nightly")


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
    if upper.endswith(_HARMLESS) or _OF_MODELS.search(upper):
        return False
    return _TELLING.search(upper) is not None


@of_pods
def mutable_tag(pod_set: PodSet) -> Iterator[Finding]:
    """An image whose tag names another image tomorrow."""
    for path, container in _containers(pod_set):
        image = container.image or ""
        if not image or "@" in image:
            continue
        tag = image.rpartition("/")[2].partition(":")[2]
        if tag in _MOVING or tag.startswith("latest-"):
            what = f"is tagged {tag}" if tag else "has no tag"
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
