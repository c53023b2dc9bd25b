"""A file with objects of older APIs, written anew.

In: a file. Out: its text with the objects of today in their place, comments with them; or what has
no counterpart, and then nothing is written. Other documents stay letter by letter.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any, NamedTuple

from trainc import names
from trainc.edit.formatting import formatted
from trainc.edit.migration.comments import comments_of, settle
from trainc.edit.migration.mpi import from_mpi
from trainc.edit.migration.overrides import OLD, with_patches
from trainc.edit.migration.part import Lost
from trainc.edit.migration.pytorch import from_pytorch
from trainc.edit.outline import Outline, UnreadableError, outlines
from trainc.edit.text import Text, of_bytes
from trainc.edit.verify import refused, verify
from trainc.errors import Problem, field_path
from trainc.source.document import Document
from trainc.source.files import File

_GROUP = "kubeflow.org/"
_KINDS = {("v1", "PyTorchJob"), ("v1", "MPIJob"), ("v2beta1", "MPIJob")}
_KNOWN = "PyTorchJob and MPIJob of v1, MPIJob of v2beta1, and podTemplateOverrides of a TrainJob"
_Change = Callable[[Any, list[Lost]], list[dict[str, Any]]]


class Migrated(NamedTuple):
    """What became of a file.

    Attributes:
        text: The whole text; the old one where there is nothing to do, or a problem.
        objects: The objects that were written anew, ``Kind/name``.
        problems: What has no counterpart, as errors; what to look after, as warnings.
    """

    text: str
    objects: tuple[str, ...]
    problems: tuple[Problem, ...]


def migrated(text: Text, manager: str) -> Migrated:
    """The file in today's API.

    Args:
        text: The file.
        manager: Whom runtimePatches are by, ``domain/path``.

    Raises:
        TraincError: The file is written in a way that cannot be edited.
    """
    changes = {each.index: change for each in text.documents if (change := _change(each, manager))}
    labels = tuple(each.label for each in text.documents if each.index in changes)
    wanted, problems = _wanted(text, changes)
    if not changes or any(problem.severity == "error" for problem in problems):
        return Migrated(text.text, (), tuple(problems))
    try:
        parts = outlines(text.text)
        new = text.text
        for index in sorted(changes, reverse=True):
            new = _rewritten(new, parts[index], changes[index])
    except (UnreadableError, RecursionError) as error:
        raise refused(text) from error
    verify(text, new, wanted)
    return Migrated(new, labels, tuple(problems))


def _change(document: Document, manager: str) -> _Change | None:
    """What has to be done to a document."""
    group, _, version = document.api_version.partition("/")
    spec = document.root.get("spec") if isinstance(document.root, dict) else None
    if group == names.GROUP and document.kind == names.TRAIN_JOB:
        if not isinstance(spec, dict) or OLD not in spec:
            return None
        return lambda root, lost: [with_patches(root, manager, lost)]
    if (version, document.kind) in _KINDS and document.api_version.startswith(_GROUP):
        return from_pytorch if document.kind == "PyTorchJob" else from_mpi
    return None


def _wanted(text: Text, changes: dict[int, _Change]) -> tuple[list[Any], list[Problem]]:
    """What the file should hold afterwards, and what stands against it."""
    wanted: list[Any] = []
    problems: list[Problem] = []
    for document in text.documents:
        change = changes.get(document.index)
        if change is None:
            wanted.append(document.root)
            problems += _unknown(document)
            continue
        lost: list[Lost] = []
        wanted += change(deepcopy(document.root), lost)
        told = [_problem(document, each) for each in lost]
        problems += sorted(told, key=lambda problem: problem.mark or ())
        problems += _noted(document)
    return wanted, problems


def _problem(document: Document, lost: Lost) -> Problem:
    mark, field = document.mark(lost.path), field_path(lost.path)
    return Problem(lost.message, mark, document.label, field, hint=lost.hint)


def _unknown(document: Document) -> Iterator[Problem]:
    """Objects of the old group that nothing here knows."""
    if document.api_version.startswith(_GROUP):
        message = f"{document.kind} of {document.api_version} cannot be migrated"
        yield Problem(message, document.mark(("kind",)), document.label, hint=f"known: {_KNOWN}")


def _noted(document: Document) -> Iterator[Problem]:
    if document.kind == "MPIJob" and document.api_version == "kubeflow.org/v1":
        message = "workers are reached by SSH now: their image needs /usr/sbin/sshd"
        yield Problem(message, document.mark(()), document.label, severity="warning")


def _rewritten(text: str, outline: Outline, change: _Change) -> str:
    """The text with one document written anew, by the round trip of ``ruamel.yaml``."""
    from ruamel.yaml.error import YAMLError

    start = max(text.rfind("\n", 0, outline.root.start), text.rfind("\r", 0, outline.root.start))
    start = max(start + 1, outline.begin)
    body = text[start : outline.end]
    try:
        root = _round_trip().load(re.sub(r"\r\n?", "\n", body))
        foot = settle(root)
        comments = comments_of(root)
        dumped = _in_form("---\n".join(_dumped(each) for each in change(root, [])) + foot)
    except YAMLError as error:
        raise UnreadableError(str(error)) from error
    kept = {line.strip() for line in re.split(r"(?m)^|(?=\s#)", dumped)}
    head = "".join(f"{comment}\n" for comment in comments if comment not in kept)
    end = re.search(r"\r\n|\r|\n", text)
    lines = f"{head}{dumped}".replace("\n", end[0] if end else "\n")
    separator = "" if start != outline.begin or not outline.begin else lines[-1:]
    return f"{text[:start]}{separator}{lines}{text[outline.end :]}"


def _in_form(text: str) -> str:
    """The text in the format of ``trainc fmt``: its comments have columns of the old text."""
    return formatted(of_bytes(text.encode(), File("", "", True)))


def _round_trip() -> Any:
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt")
    yaml.brace_single_entry_mapping_in_flow_sequence = True  # as people write it
    yaml.preserve_quotes = True
    yaml.width = 1 << 20
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _dumped(node: Any) -> str:
    out = io.StringIO()
    _round_trip().dump(node, out)
    text = out.getvalue()
    return text if text.endswith("\n") else f"{text}\n"
