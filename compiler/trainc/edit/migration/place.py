"""Where a file holds objects: documents, items of lists, and others that hold them.

In: documents as they were loaded. Out: each object that can be migrated, with its path; and what
stands where nothing is migrated: inside other objects, or as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from trainc import codes, names
from trainc.edit.migration.part import Path
from trainc.errors import Mark, Problem, field_path
from trainc.source.document import Document

GROUP = "kubeflow.org"
JOBS = frozenset(
    {
        ("v1", "PyTorchJob"),
        ("v1", "MPIJob"),
        ("v2beta1", "MPIJob"),
        ("v1", "JAXJob"),
        ("v1", "XGBoostJob"),
    }
)
# Jobs of the old operators; the group has other kinds too, such as Notebook and Profile.
_TRAINING = frozenset(
    {"PyTorchJob", "MPIJob", "JAXJob", "XGBoostJob", "TFJob", "PaddleJob", "MXJob"}
)
_READ = "PyTorchJob, MPIJob, JAXJob and XGBoostJob of v1, and MPIJob of v2beta1"
_OVERLAY = {"target", "patch"}
_TEXT = re.compile(rf"apiVersion['\"]?\s*:\s*['\"]?{re.escape(GROUP)}/v\w+")


class Place(NamedTuple):
    """An object in a file.

    Attributes:
        document: The document that holds it.
        path: Where in it; empty for the document itself.
        root: The object; one of a typed list has kind and version of that.
        kind: Its kind.
        job: Whether it is a job of an old operator.
    """

    document: Document
    path: Path
    root: Mapping[str, Any]
    kind: str
    job: bool

    @property
    def label(self) -> str:
        """The object as problems name it."""
        metadata = self.root.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else ""
        return f"{self.kind}/{name if isinstance(name, str) else ''}"

    def mark(self, path: Path) -> Mark:
        """The place of a part of it."""
        return self.document.mark((*self.path, *path))


def places(document: Document) -> list[Place]:
    """The objects of a document that are or may be of an older API, in order."""
    return list(_of_object(document, document.root, (), "", ""))


def _of_object(
    document: Document, root: Any, path: Path, version: str, kind: str
) -> Iterator[Place]:
    """The objects at a path; kind and version are those of the typed list around them."""
    if not isinstance(root, dict):
        return
    if set(root) == _OVERLAY and not path:
        if isinstance(root["patch"], dict):
            target = root["target"] if isinstance(root["target"], dict) else {}
            yield Place(document, ("patch",), root["patch"], str(target.get("kind") or ""), False)
        return
    version = str(root.get("apiVersion") or version)
    kind = str(root.get("kind") or kind)
    if kind.endswith("List") and isinstance(root.get("items"), list):
        inner = kind.removesuffix("List")
        for index, item in enumerate(root["items"]):
            below: Path = (*path, "items", index)
            yield from _of_object(document, item, below, version if inner else "", inner)
        return
    group, _, number = version.partition("/")
    if group == GROUP and (number, kind) in JOBS:
        yield Place(document, path, {"apiVersion": version, "kind": kind, **root}, kind, True)
    elif group == names.GROUP and kind in (names.TRAIN_JOB, *names.RUNTIME_KINDS):
        yield Place(document, path, {"apiVersion": version, "kind": kind, **root}, kind, False)


def others(document: Document, taken: list[Place]) -> Iterator[Problem]:
    """Jobs of old operators that are not migrated, each where it stands.

    Args:
        document: The document.
        taken: Its objects that are migrated.
    """
    inside = {place.path for place in taken if place.job}
    waiting: list[tuple[Any, Path]] = [(document.root, ())]
    while waiting:
        node, path = waiting.pop()
        if path in inside:
            continue
        if isinstance(node, dict):
            problem = _problem(document, node, path)
            if problem is not None:
                yield problem
                continue
            waiting += [(value, (*path, key)) for key, value in reversed(node.items())]
        elif isinstance(node, list):
            waiting += [(item, (*path, n)) for n, item in reversed(list(enumerate(node)))]
        elif isinstance(node, str) and _TEXT.search(node):
            message = "holds an object of kubeflow.org as text, which is not migrated"
            hint = "migrate it in a file of its own"
            at, field = document.mark(path), field_path(path)
            yield Problem(
                message, codes.MIGRATION, at, document.label, field, severity="warning", hint=hint
            )


def _problem(document: Document, node: Mapping[str, Any], path: Path) -> Problem | None:
    version, kind = node.get("apiVersion"), node.get("kind")
    group, _, number = str(version).partition("/")
    if not isinstance(kind, str) or kind.removesuffix("List") not in _TRAINING or group != GROUP:
        return None
    if kind.endswith("List"):
        return None
    place = field_path(path)
    if (number, kind) in JOBS:
        message = f"a {kind} inside another object is not migrated"
        hint = "take it out into a document of its own"
    else:
        message, hint = f"{kind} of {version} cannot be migrated", f"migrated are {_READ}"
        path = (*path, "kind")
    return Problem(message, codes.MIGRATION, document.mark(path), document.label, place, hint=hint)
