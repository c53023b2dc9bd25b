"""Which documents are for trainc.

In comes a document as it was parsed, out go the objects in it that a build reads, and what there
is to say about the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from trainc import codes, names
from trainc.errors import Problem, Severity
from trainc.source.document import Document
from trainc.source.others import Others, is_configuration
from trainc.source.others import refusal as other_refusal

PRIORITY_CLASS: Final = "PriorityClass"
PRIORITY_GROUP: Final = "scheduling.k8s.io"
CLAIM: Final = "PersistentVolumeClaim"
CLUSTER_KINDS: Final = frozenset((names.CLUSTER_TRAINING_RUNTIME, PRIORITY_CLASS))
"""The kinds without a namespace."""

OLD_GROUP: Final = "kubeflow.org"
OLD_KINDS: Final = ("PyTorchJob", "MPIJob", "JAXJob", "XGBoostJob")
"""Kinds of the Training Operator and the MPI Operator that ``trainc migrate`` reads."""

KINDS: Final = (names.TRAIN_JOB, *names.RUNTIME_KINDS)
"""The kinds that are compiled."""
_VERSION: Final = names.API_VERSION.partition("/")[2]
_READ: Final = f"{', '.join(KINDS)}, {PRIORITY_CLASS} and {CLAIM}"


def objects(
    document: Document, *, named: bool, problems: list[Problem], others: Others = "note"
) -> Iterator[Document]:
    """Yields the objects of a document that a build reads.

    A list (``kind: List``, ``TrainJobList``) yields its items, as kubectl takes them.

    Args:
        document: What was parsed.
        named: Whether the user gave the file by its own name: then what is no Kubernetes object
            is an error. Found in a folder it is none of our business, and noted.
        problems: Takes what there is to say.
        others: What becomes of documents that are not compiled: ``keep`` yields them too.
    """
    if document.api_version == names.API_VERSION and document.kind in KINDS:
        yield document
        return
    waiting = [document]
    while waiting:
        document = waiting.pop()
        if isinstance(document.root, dict) and _is_list(document):
            waiting += reversed(list(_items(document, problems)))
            continue
        problem = _refusal(document, named, others)
        if problem is None:
            yield document
        else:
            problems.append(problem)


def _is_list(document: Document) -> bool:
    return document.kind.endswith("List") and "items" in document.root


def _items(document: Document, problems: list[Problem]) -> Iterator[Document]:
    """The items of a list, each a document at its own place in the file."""
    items = document.root["items"]
    if not isinstance(items, list | None):
        mark = document.mark(("items",))
        problems.append(
            Problem("must be a list", codes.NOT_COMPILED, mark, document.label, "items")
        )
        return
    places = document.marks.get(id(items)) or [document.place] * len(items or ())
    for item, place in zip(items or (), places, strict=False):
        _inherit(document, item)
        yield document.part(item, place)


def _inherit(document: Document, item: Any) -> None:
    """Gives an item of a typed list its kind and version, where it has none, as kubectl does."""
    kind = document.kind.removesuffix("List")
    if isinstance(item, dict) and kind and "kind" not in item and "apiVersion" not in item:
        item["apiVersion"], item["kind"] = document.api_version, kind


def _refusal(document: Document, named: bool, others: Others) -> Problem | None:
    """Why an object is not read, None where it is; an error where it was surely meant for us."""
    if not document.api_version or not document.kind:
        return _no_object(document, named)
    group, _, version = document.api_version.partition("/")
    if group == names.GROUP:
        return _unknown(document, version)
    if others != "note" and not is_configuration(document):
        return other_refusal(document, others)
    if group == PRIORITY_GROUP and document.kind == PRIORITY_CLASS:
        return None
    if document.api_version == "v1" and document.kind == CLAIM:
        return None
    if document.kind in KINDS:
        hint = f"write apiVersion: {names.API_VERSION} if ours is meant"
        return _problem(document, "of another group, passed over", "apiVersion", "warning", hint)
    hint = f"trainc reads {_READ}; others: keep in trainc.yaml prints it too"
    if group == OLD_GROUP and document.kind in OLD_KINDS:
        hint = f"`trainc migrate {document.file}` makes a TrainJob and its runtime of it"
    return _problem(document, "passed over", "", "note", hint)


def _unknown(document: Document, version: str) -> Problem | None:
    """What is wrong with the version or the kind of an object of our group."""
    if version != _VERSION:
        message = f"unknown version {document.api_version!r}"
        hint = f"write {names.API_VERSION}"
        return _problem(document, message, "apiVersion", "error", hint)
    if document.kind not in KINDS:
        message = f"{names.API_VERSION} has no kind {document.kind!r}"
        return _problem(document, message, "apiVersion", "error", f"its kinds: {', '.join(KINDS)}")
    return None


def _no_object(document: Document, named: bool) -> Problem:
    """What lacks a kind or a version: an error where one of the two says that it is ours."""
    ours = document.kind in KINDS or document.api_version.startswith(f"{names.GROUP}/")
    severity: Severity = "error" if named or ours else "note"
    if not isinstance(document.root, dict):
        what = "a list" if isinstance(document.root, list) else "a scalar"
        return _problem(document, f"no Kubernetes object but {what}", "", severity)
    missing = [key for key in ("apiVersion", "kind") if not document.text_at(key)]
    message = f"no Kubernetes object: {' and '.join(missing)} missing"
    return _problem(document, message, missing[0], severity)


def _problem(
    document: Document, message: str, field: str, severity: Severity, hint: str = ""
) -> Problem:
    place = document.mark((field,) if field else ())
    label = document.label if document.kind else ""
    return Problem(message, codes.NOT_COMPILED, place, label, field, severity, hint)
