"""Whom a patch is for: kind, name, namespace and labels of an object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from trainc.errors import Problem
from trainc.source.document import Document

_KEYS = ("kind", "name", "namespace", "labelSelector")


class Target(NamedTuple):
    """The objects a patch is for; what is empty holds for all.

    Attributes:
        kind: TrainJob, TrainingRuntime or ClusterTrainingRuntime.
        name: The whole name.
        namespace: The namespace as it is written in the object.
        labels: Labels the object must have: name and value, or None where any value will do.
    """

    kind: str = ""
    name: str = ""
    namespace: str = ""
    labels: tuple[tuple[str, str | None], ...] = ()

    def matches(self, document: Document) -> bool:
        """Whether a document is meant."""
        if self.kind not in ("", document.kind) or self.name not in ("", document.name):
            return False
        if self.namespace not in ("", document.namespace):
            return False
        metadata = document.root.get("metadata")
        labels = metadata.get("labels") if isinstance(metadata, dict) else None
        have = labels if isinstance(labels, Mapping) else {}
        return all(
            key in have if value is None else have.get(key) == value for key, value in self.labels
        )

    def __str__(self) -> str:
        """The target as a person would call it."""
        parts = [self.kind or "object"]
        parts += [repr(self.name)] if self.name else []
        parts += [f"in namespace {self.namespace}"] if self.namespace else []
        labels = [key if value is None else f"{key}={value}" for key, value in self.labels]
        parts += [f"with labels {','.join(labels)}"] if labels else []
        return " ".join(parts)


def target_of(document: Document) -> Target | Problem:
    """Reads ``target:`` of a patch; a selector is written ``a=b,c`` as in kubectl, or as a map."""
    root: Mapping[str, Any] = document.root
    written = root.get("target")
    extra = [key for key in root if key not in ("target", "patch")]
    if extra:
        hint = "a patch has target: and patch:"
        return Problem(f"unknown key {extra[0]!r}", document.mark((extra[0],)), hint=hint)
    if not isinstance(written, dict) or not written:
        hint = f"write target: with one or more of {', '.join(_KEYS)}"
        return Problem("a patch needs a target", document.mark(("target",)), hint=hint)
    for key, value in written.items():
        good = isinstance(value, str) or (key == "labelSelector" and isinstance(value, dict))
        if key not in _KEYS or not good:
            hint = f"a target has {', '.join(_KEYS)}"
            message = f"{key!r} cannot be read" if key in _KEYS else f"unknown key {key!r}"
            return Problem(message, document.mark(("target", key)), field="target", hint=hint)
    labels = _labels(written.get("labelSelector") or {})
    return Target(
        written.get("kind", ""), written.get("name", ""), written.get("namespace", ""), labels
    )


def _labels(written: str | Mapping[str, Any]) -> tuple[tuple[str, str | None], ...]:
    if isinstance(written, Mapping):
        labels = written.get("matchLabels", written)
        return tuple((key, str(value)) for key, value in labels.items())
    found: list[tuple[str, str | None]] = []
    for part in filter(None, (part.strip() for part in written.split(","))):
        key, equals, value = part.replace("==", "=").partition("=")
        found.append((key.strip(), value.strip() if equals else None))
    return tuple(found)
