"""Whom a patch is for: kind, name, namespace and labels of an object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from trainc import codes, names
from trainc.errors import Problem
from trainc.source.document import Document
from trainc.source.labels import Requirement, SelectorError, requirements

KINDS = (names.TRAIN_JOB, names.TRAINING_RUNTIME, names.CLUSTER_TRAINING_RUNTIME)
_KEYS = ("kind", "name", "namespace", "labelSelector")
_SELECTOR = "write team=a, tier in (x,y), !spot; or matchLabels: and matchExpressions:"


class Target(NamedTuple):
    """The objects a patch is for; what is empty holds for all.

    Attributes:
        kind: TrainJob, TrainingRuntime or ClusterTrainingRuntime; another one where such objects
            are kept.
        name: The whole name.
        namespace: The namespace as it is written in the object.
        labels: What its labels must be.
    """

    kind: str = ""
    name: str = ""
    namespace: str = ""
    labels: tuple[Requirement, ...] = ()

    def matches(self, document: Document) -> bool:
        """Whether a document is meant."""
        if self.kind not in ("", document.kind) or self.name not in ("", document.name):
            return False
        if self.namespace not in ("", document.namespace):
            return False
        metadata = document.root.get("metadata")
        labels = metadata.get("labels") if isinstance(metadata, dict) else None
        have = labels if isinstance(labels, Mapping) else {}
        return all(requirement.holds(have) for requirement in self.labels)

    def __str__(self) -> str:
        """The target as a person would call it."""
        parts = [self.kind or "object"]
        parts += [repr(self.name)] if self.name else []
        parts += [f"in namespace {self.namespace}"] if self.namespace else []
        parts += [f"with labels {','.join(map(str, self.labels))}"] if self.labels else []
        return " ".join(parts)


def target_of(document: Document, any_kind: bool = False) -> Target | Problem:
    """Reads ``target:`` of a patch; a selector is written ``a=b,c`` as in kubectl, or as a map.

    Args:
        document: The patch.
        any_kind: Whether objects of any kind are patched.
    """
    root: Mapping[str, Any] = document.root
    written = root.get("target")
    extra = [key for key in root if key not in ("target", "patch")]
    if extra:
        hint = "a patch has target: and patch:"
        return Problem(
            f"unknown key {extra[0]!r}", codes.PATCH, document.mark((extra[0],)), hint=hint
        )
    if not isinstance(written, dict) or not written:
        hint = f"write target: with one or more of {', '.join(_KEYS)}"
        return Problem("a patch needs a target", codes.PATCH, document.mark(("target",)), hint=hint)
    for key, value in written.items():
        good = isinstance(value, str) or (key == "labelSelector" and isinstance(value, dict))
        if key not in _KEYS or not good:
            hint = f"a target has {', '.join(_KEYS)}"
            message = f"{key!r} cannot be read" if key in _KEYS else f"unknown key {key!r}"
            return Problem(
                message, codes.PATCH, document.mark(("target", key)), field="target", hint=hint
            )
    if not any_kind and written.get("kind", KINDS[0]) not in KINDS:
        hint = f"a patch is for a {', '.join(KINDS)}; others: keep in trainc.yaml allows any kind"
        message = f"no kind that is patched: {written['kind']}"
        return Problem(
            message, codes.PATCH, document.mark(("target", "kind")), field="target", hint=hint
        )
    try:
        labels = requirements(written.get("labelSelector") or {})
    except SelectorError as error:
        mark = document.mark(("target", "labelSelector", *error.path))
        return Problem(str(error), codes.PATCH, mark, field="target.labelSelector", hint=_SELECTOR)
    return Target(
        written.get("kind", ""), written.get("name", ""), written.get("namespace", ""), labels
    )
