"""Names that two objects would have after a migration, in one file or in the files of one run.

In: where objects stand. Out: an error at each job whose TrainJob or runtime would have the name of
another object. Jobs of different kinds may have one name; the TrainJobs that they become may not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from trainc import codes, names
from trainc.edit.migration import place
from trainc.edit.migration.place import Place
from trainc.errors import Problem
from trainc.source.document import Document


def within(places: Iterable[Place]) -> list[Problem]:
    """The clashes of one file."""
    problems: list[Problem] = []
    by_name: dict[tuple[str, str], Place] = {}
    for candidate in _jobs_last(places):
        other = by_name.setdefault(_name(candidate), candidate)
        if candidate.job and other is not candidate:
            problems.append(
                _problem(candidate, f"{other.label} of this file", "rename one of the two")
            )
    return problems


def between(files: Sequence[Sequence[Document]]) -> list[list[Problem]]:
    """The clashes of a file with those before it, for each file of a run.

    Objects of one kind with one name are no clash: they are variants, for a cluster each.

    Args:
        files: The documents of each file.
    """
    problems: list[list[Problem]] = [[] for _ in files]
    by_name: dict[tuple[str, str], dict[str, tuple[int, Place]]] = {}
    everything = [
        candidate for documents in files for each in documents for candidate in place.places(each)
    ]
    number_of = {id(each): n for n, documents in enumerate(files) for each in documents}
    for candidate in _jobs_last(everything):
        number, kinds = number_of[id(candidate.document)], by_name.setdefault(_name(candidate), {})
        others = [at for kind, at in kinds.items() if kind != candidate.kind and at[0] != number]
        kinds.setdefault(candidate.kind, (number, candidate))
        if candidate.job and others:
            other = others[0][1]
            message = f"{other.label} of {other.mark(('metadata', 'name'))}"
            hint = "rename one of the two; if they are for two clusters, migrate each file alone"
            problems[number].append(_problem(candidate, message, hint))
    return problems


def _jobs_last(places: Iterable[Place]) -> Iterator[Place]:
    """Objects whose names can clash with those of a job, what is migrated already first."""
    namespaced = [each for each in places if each.kind != names.CLUSTER_TRAINING_RUNTIME]
    yield from sorted(namespaced, key=lambda each: each.job)


def _name(candidate: Place) -> tuple[str, str]:
    metadata = candidate.root.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    return str(metadata.get("namespace")), str(metadata.get("name"))


def _problem(candidate: Place, other: str, hint: str) -> Problem:
    message = f"{other} has the name that the TrainJob would have"
    mark = candidate.mark(("metadata", "name"))
    return Problem(message, codes.MIGRATION, mark, candidate.label, "metadata.name", hint=hint)
