"""Holds a document to the schema of its kind as the API server does, and fills in its defaults.

In: a ``Document``. Out: every problem at once, in file order; the defaults land in the document.
What is right passes in microseconds: one call into the validator, one walk over the keyed lists.
The long way, which names each fault, is gone only when something is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from trainc import codes
from trainc.errors import Problem, field_path
from trainc.kube.schema import Extensions, Table, validator, walk
from trainc.source.document import Document
from trainc.spec.duplicate import duplicates, unique
from trainc.spec.former import former_hint
from trainc.spec.null import absent_nulls
from trainc.spec.unknown import unknown
from trainc.spec.violation import Violation, violation

# What the validator says of fields nobody knows; ``unknown.py`` knows more of them.
_OF_UNKNOWN: Final = ("additionalProperties", "falseSchema")


def check(document: Document, schema_name: str, extensions: Extensions = ()) -> list[Problem]:
    """Gives what the API server's schema refuses in a document, in file order.

    Types, bounds, patterns, required and unknown fields (as strict decoding does), and the keys
    of lists that are maps or sets. A null for a field that takes none is absent, and ``1.0`` is 1;
    where there is such a value, it is put right in the document.

    Args:
        document: Of that kind; with or without its defaults.
        schema_name: TrainJob, TrainingRuntime or ClusterTrainingRuntime; of what a build prints
            JobSet, LeaderWorkerSet or PodGroup.
        extensions: Schemas of the settings of policies that the reference does not have.
    """
    root = document.root
    lists = walk(schema_name).lists
    if _is_valid(root, schema_name, extensions) and unique(root, lists):
        return []
    absent_nulls(document, schema_name, extensions)
    found = [
        *_refused(root, schema_name, extensions),
        *unknown(root, schema_name, extensions),
        *duplicates(root, lists),
    ]
    problems = {_problem(document, violation): None for violation in found}
    return sorted(problems, key=_place)


def default(document: Document, schema_name: str) -> None:
    """Applies the CRD's defaults to a document in place: to fields that are absent or null.

    A default is put at the end of its mapping, so marks stay aligned. What is not of the right
    type is left alone.
    """
    table = walk(schema_name).defaults
    _default(document.root, table, len(table) - 1)


def _is_valid(root: Any, schema_name: str, extensions: Extensions) -> bool:
    schema = validator(schema_name, extensions)
    try:
        return schema.is_valid(root)
    except (ValueError, RecursionError):
        return False


def _refused(root: Any, schema_name: str, extensions: Extensions) -> Iterator[Violation]:
    """Yields what the validator finds; of a value of the wrong type only that."""
    schema = validator(schema_name, extensions)
    try:
        errors = list(schema.iter_errors(root))
    except (ValueError, RecursionError) as refusal:
        # Lone surrogates, numbers without end, nesting without end: nothing a schema can read.
        yield Violation((), f"cannot be read as an object: {refusal}")
        return
    typed = {tuple(error.instance_path) for error in errors if error.kind.name == "type"}
    for error in errors:
        keyword = error.kind.name
        if keyword in _OF_UNKNOWN:
            continue
        if keyword == "type" or tuple(error.instance_path) not in typed:
            yield violation(error)


def _default(value: Any, table: Table, number: int) -> None:
    if type(value) is list:
        for item in value:
            _default(item, table, number)
        return
    if type(value) is not dict:
        return
    values, children = table[number]
    if children:
        for key, child in value.items():
            if key in children:
                _default(child, table, children[key])
    for key, fallback in values.items():
        if value.get(key) is None:
            value[key] = fallback


def _problem(document: Document, violation: Violation) -> Problem:
    return Problem(
        message=violation.message,
        code=codes.SCHEMA,
        mark=document.mark(violation.path),
        object=document.label,
        field=field_path(violation.path),
        hint=former_hint(document, violation.path) or violation.hint,
    )


def _place(problem: Problem) -> tuple[int, int]:
    return (problem.mark.line, problem.mark.column) if problem.mark else (0, 0)
