"""Other objects of a file that refer to pods of a migrated job: Services, policies, scripts.

In: the documents of a file and the jobs that are migrated in it. Out: an error for each label of an
old operator and each host name of an old pod, at its place: nothing has them any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from trainc import codes, names
from trainc.edit.migration.hosts import Group, Hosts
from trainc.edit.migration.labels import HINT, PREFIX
from trainc.edit.migration.part import Path
from trainc.edit.migration.place import Place
from trainc.errors import Problem, field_path
from trainc.source.document import Document

_JOB_NAME = f"{PREFIX}job-name"
_NODE = Group(names.NODE, 0, 1)


def references(documents: Sequence[Document], jobs: Sequence[Place]) -> Iterator[Problem]:
    """The places where other objects refer to pods of migrated jobs.

    Args:
        documents: All documents of a file.
        jobs: The jobs in it that are migrated.
    """
    if not jobs:
        return
    hosts = [_hosts(job) for job in jobs]
    taken = {(id(job.document), job.path) for job in jobs}
    for document in documents:
        waiting: list[tuple[Any, Path]] = [(document.root, ())]
        while waiting:
            node, path = waiting.pop()
            if (id(document), path) in taken:
                continue
            if isinstance(node, dict):
                yield from _labels(document, node, path, hosts)
                waiting += [(value, (*path, key)) for key, value in reversed(node.items())]
            elif isinstance(node, list):
                waiting += [(item, (*path, n)) for n, item in reversed(list(enumerate(node)))]
            elif isinstance(node, str):
                yield from _names(document, node, path, hosts)


def _hosts(job: Place) -> Hosts:
    metadata = job.root.get("metadata")
    name = str(metadata.get("name")) if isinstance(metadata, dict) else ""
    if job.kind == "MPIJob":
        return Hosts(name, {"worker": _NODE, "launcher": Group(names.LAUNCHER, 0, 1)}, mpi=True)
    return Hosts(name, {"master": _NODE, "worker": _NODE})


def _labels(
    document: Document, node: dict[str, Any], path: Path, hosts: Sequence[Hosts]
) -> Iterator[Problem]:
    """Labels of the old operators in a map, unless it is about another job."""
    if node.get(_JOB_NAME, hosts[0].name) not in [each.name for each in hosts]:
        return
    for key in node:
        if isinstance(key, str) and key.startswith(PREFIX):
            message = "no pod of the migrated job has this label of the old operator"
            yield _problem(document, (*path, key), message, HINT)


def _names(document: Document, text: str, path: Path, hosts: Sequence[Hosts]) -> Iterator[Problem]:
    for each in hosts:
        if each.names(text):
            message = f"names a pod of {each.name} as the old operator called it"
            yield _problem(document, path, message, f"pods answer as {each.pattern()}")
            return
    if text.startswith(PREFIX):
        message = "no pod of the migrated job has this label of the old operator"
        yield _problem(document, path, message, HINT)


def _problem(document: Document, path: Path, message: str, hint: str) -> Problem:
    return Problem(
        message, codes.MIGRATION, document.mark(path), document.label, field_path(path), hint=hint
    )
