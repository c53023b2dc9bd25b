"""What is to be done in a file: the objects that change, and what stands against it.

In: documents as they were loaded. Out: for each object of an older API a piece of work, the data
that the file should hold afterwards, and problems at their places.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import Any, NamedTuple

from trainc import codes, names
from trainc.edit.migration import clashes, fields, place
from trainc.edit.migration.jax import from_jax
from trainc.edit.migration.mpi import from_mpi
from trainc.edit.migration.neighbours import references
from trainc.edit.migration.part import Lost
from trainc.edit.migration.place import Place
from trainc.edit.migration.proof import unbuildable
from trainc.edit.migration.pytorch import from_pytorch
from trainc.edit.migration.xgboost import from_xgboost
from trainc.errors import Problem, field_path
from trainc.source.document import Document


class Options(NamedTuple):
    """How to migrate.

    Attributes:
        manager: Whom runtimePatches are by, ``domain/path``.
        fixed_nodes: Whether elastic jobs get a fixed number of nodes.
    """

    manager: str
    fixed_nodes: bool = False


class Work(NamedTuple):
    """One object's migration.

    Attributes:
        place: Where the object stands.
        changes: What changes in it; empty for a job that becomes other objects.
        objects: What a job becomes, as plain data.
    """

    place: Place
    changes: tuple[fields.Change, ...] = ()
    objects: tuple[Any, ...] = ()


class Plan(NamedTuple):
    """The work on a file.

    Attributes:
        works: In the order of the text.
        problems: What stands against it, or is to be looked after.
    """

    works: tuple[Work, ...]
    problems: tuple[Problem, ...]


def plan_of(documents: Sequence[Document], options: Options) -> Plan:
    """What is to be done to the documents of one file."""
    each = {id(document): place.places(document) for document in documents}
    near = fields.known(found.root for places in each.values() for found in places)
    works: list[Work] = []
    problems: list[Problem] = []
    for document in documents:
        for found in each[id(document)]:
            lost: list[Lost] = []
            work = _work(found, near, options, lost)
            works += [work] if work else []
            told = [_problem(found, item) for item in lost]
            if work and work.objects and not any(item.severity == "error" for item in lost):
                told += unbuildable(found, work.objects)
            problems += sorted(_once(told), key=lambda problem: problem.mark or ())
        problems += place.others(document, each[id(document)])
    problems += clashes.within([found for places in each.values() for found in places])
    problems += references(documents, [work.place for work in works if work.objects])
    return Plan(tuple(works), tuple(problems))


def converted(root: Any, kind: str, options: Options, lost: list[Lost]) -> list[Any]:
    """The objects that a job of an old operator becomes; round-trip data keep their comments."""
    if kind == "PyTorchJob":
        return from_pytorch(root, lost, fixed_nodes=options.fixed_nodes)
    convert = {"MPIJob": from_mpi, "JAXJob": from_jax, "XGBoostJob": from_xgboost}
    return convert[kind](root, lost)


def wanted(document: Document, works: Iterable[Work], options: Options) -> list[Any]:
    """What a document's place should hold after its works."""
    root = deepcopy(document.root)
    for work in reversed(list(works)):
        path = work.place.path
        if work.objects and not path:
            return list(work.objects)
        if work.objects:
            parent = _at(root, path[:-1])
            parent[path[-1] : path[-1] + 1] = work.objects
            _generalise(_at(root, path[:-2]))
        else:
            fields.changed(_at(root, path), work.changes, options.manager, [])
    return [root]


def _work(found: Place, near: fields.Known, options: Options, lost: list[Lost]) -> Work | None:
    if found.job:
        objects = converted(deepcopy(dict(found.root)), found.kind, options, lost)
        return Work(found, objects=tuple(objects) or (None,))
    changes: list[fields.Change] = []
    if found.kind in (names.TRAIN_JOB, ""):
        changes += fields.job_changes(found.root, near, lost)
        fields.changed(deepcopy(dict(found.root)), changes, options.manager, lost)
    if found.kind != names.TRAIN_JOB:
        fixed = options.fixed_nodes
        changes += fields.runtime_changes(found.root, near, lost, fixed_nodes=fixed)
    return Work(found, tuple(changes)) if changes else None


def _once(problems: Iterable[Problem]) -> list[Problem]:
    """Problems, each place's once: an alias brings a template to several replicas."""
    return list({(each.mark, each.message): each for each in reversed(list(problems))}.values())


def _generalise(root: Any) -> None:
    """A typed list whose items are of several kinds is ``kind: List``."""
    if root.get("kind") != "List":
        root["apiVersion"], root["kind"] = "v1", "List"


def _problem(found: Place, lost: Lost) -> Problem:
    path = (*found.path, *lost.path)
    return Problem(
        lost.message,
        codes.MIGRATION,
        found.document.mark(path),
        found.label,
        field_path(path),
        lost.severity,
        lost.hint,
    )


def _at(root: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        root = root[step]
    return root
