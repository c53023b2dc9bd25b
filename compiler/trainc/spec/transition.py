"""The rules ``self == oldSelf``: what may not change between two versions of an object.

In: the document as it was and as it is. Out: the immutable fields that differ. As in the API
server a rule is asked only where the value stands in both; items of a list are paired by their key.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from trainc import codes
from trainc.errors import Problem, field_path
from trainc.kube.schema import Table, walk
from trainc.source.document import Document
from trainc.spec.duplicate import identity
from trainc.spec.rules import steps
from trainc.spec.violation import Path

OLD_SELF: Final = "self == oldSelf"


class Transition(NamedTuple):
    """A field that is immutable once set, and what the API server says of it."""

    path: str
    message: str
    cel: str = OLD_SELF


def check_transition(old: Document, new: Document, schema_name: str) -> list[Problem]:
    """Gives the immutable fields that differ between two versions, in the file order of the new.

    Args:
        old: The document before; admitted, with its defaults.
        new: The document after; admitted, with its defaults.
        schema_name: TrainJob, TrainingRuntime or ClusterTrainingRuntime.
    """
    problems = [_problem(new, rule, path) for rule, path in broken(old.root, new.root, schema_name)]
    return sorted(problems, key=lambda problem: problem.mark[1:] if problem.mark else (0, 0))


def broken(old: Any, new: Any, schema_name: str) -> Iterator[tuple[Transition, Path]]:
    """Yields each rule that a change breaks, with the path of the field in the new object.

    Args:
        old: The object before, as the API server keeps it: admitted, with its defaults.
        new: The object after, likewise.
        schema_name: JobSet, TrainJob, TrainingRuntime or ClusterTrainingRuntime.
    """
    table = walk(schema_name).lists
    for rule in TRANSITIONS[schema_name]:
        for pair in pairs(old, new, steps(rule.path), table):
            if not same(pair, table):
                yield rule, pair.path


def pairs(old: Any, new: Any, steps: tuple[str, ...], table: Table) -> Iterator[Pair]:
    """Yields each value that stands in both versions where the steps lead."""
    return _pairs(Pair((), old, new, len(table) - 1), steps, table)


def same(pair: Pair, table: Table) -> bool:
    """Whether a value has not changed."""
    return _equal(pair.old, pair.new, table, pair.number)


class Pair(NamedTuple):
    """A value before and after; ``number`` is its node in the table of keyed lists."""

    path: Path
    old: Any
    new: Any
    number: int | None


def _pairs(pair: Pair, steps: tuple[str, ...], table: Table) -> Iterator[Pair]:
    if not steps:
        yield pair
    elif steps[0] == "[]":
        for item in _items(pair, table):
            yield from _pairs(item, steps[1:], table)
    elif steps[0] in pair.old and steps[0] in pair.new:
        yield from _pairs(_entry(pair, steps[0], table), steps[1:], table)


def _entry(pair: Pair, key: str, table: Table) -> Pair:
    below = None if pair.number is None else table[pair.number][1].get(key)
    return Pair((*pair.path, key), pair.old[key], pair.new[key], below)


def _items(pair: Pair, table: Table) -> Iterator[Pair]:
    keys = None if pair.number is None else table[pair.number][0]
    if not keys:
        return  # items of an atomic list have no identity: the API server skips their rules
    before = {identity(item, keys): item for item in pair.old}
    for index, item in enumerate(pair.new):
        old = before.get(identity(item, keys))
        if old is not None:
            yield Pair((*pair.path, index), old, item, pair.number)


def _equal(old: Any, new: Any, table: Table, number: int | None) -> bool:
    """CEL's equality of typed values: of keyed lists the order does not count."""
    keys, children = (None, {}) if number is None else table[number]
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(
            _equal(value, new[key], table, children.get(key)) for key, value in old.items()
        )
    if isinstance(old, list) and isinstance(new, list):
        if len(old) != len(new):
            return False
        if keys:
            old, new = (sorted(part, key=lambda i: str(identity(i, keys))) for part in (old, new))
        return all(_equal(a, b, table, number) for a, b in zip(old, new, strict=True))
    return type(old) is type(new) and bool(old == new)


def _problem(document: Document, rule: Transition, path: Path) -> Problem:
    return Problem(
        message=f"{rule.message[:1].lower()}{rule.message[1:]}",
        code=codes.API_RULE,
        mark=document.mark(path),
        object=document.label,
        field=field_path(path),
        hint="delete the object first, or give the changed one another name",
    )


_POD: Final = (
    "spec.runtimePatches[].trainingRuntimeSpec.template.spec.replicatedJobs[]"
    ".template.spec.template.spec"
)
_TRAIN_JOB: Final = tuple(
    Transition(path, "field is immutable")
    for path in (
        "spec.activeDeadlineSeconds",
        "spec.initializer",
        "spec.managedBy",
        "spec.runtimePatches[].manager",
        f"{_POD}.containers",
        f"{_POD}.imagePullSecrets",
        f"{_POD}.initContainers",
        f"{_POD}.securityContext",
        f"{_POD}.serviceAccountName",
        f"{_POD}.terminationGracePeriodSeconds",
        f"{_POD}.volumes",
        "spec.runtimeRef",
        "spec.trainer",
    )
)
_TEMPLATE: Final = (
    "failurePolicy",
    "network",
    "replicatedJobs[].dependsOn",
    "startupPolicy",
    "successPolicy",
    "volumeClaimPolicies",
)
_JOB_SET: Final = tuple(Transition(f"spec.{path}", "Value is immutable") for path in _TEMPLATE)
_RUNTIME: Final = tuple(
    Transition(f"spec.template.spec.{path}", "Value is immutable") for path in _TEMPLATE
)
TRANSITIONS: Final = {
    "JobSet": _JOB_SET,
    "TrainJob": _TRAIN_JOB,
    "TrainingRuntime": _RUNTIME,
    "ClusterTrainingRuntime": _RUNTIME,
}
