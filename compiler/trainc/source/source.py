"""The first room: paths in, the documents of a build out.

What a path leads to is read, parsed and sorted out; every problem on the way is kept. Nothing here
knows what a TrainJob means.
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import BinaryIO, NamedTuple

from trainc import codes
from trainc.budget import BYTE, JOB, Budget
from trainc.errors import Mark, Problem, TraincError
from trainc.names import TRAIN_JOB
from trainc.source.document import Document
from trainc.source.files import STDIN, File, find, read
from trainc.source.kinds import CLUSTER_KINDS, KINDS, PRIORITY_CLASS, objects
from trainc.source.parse import parse
from trainc.source.reader import Reader


class Source(NamedTuple):
    """What a build reads.

    Attributes:
        documents: TrainJobs, runtimes, PriorityClasses and PersistentVolumeClaims, in the order of
            files and in them.
        problems: What is wrong with the files, in the same order; first what is wrong with paths.
        digests: SHA-256 of each file that holds a document, by its printed name; only where they
            are asked for.
        paths: Real paths of these files by their printed name; nearly always one.
    """

    documents: tuple[Document, ...]
    problems: tuple[Problem, ...]
    digests: Mapping[str, str] = {}
    paths: Mapping[str, tuple[str, ...]] = {}


def load(
    paths: Iterable[str],
    *,
    root: str | None = None,
    exclude: Sequence[str] = (),
    output_dir: str | None = None,
    digests: bool = False,
    stdin: BinaryIO | None = None,
    projects: list[str] | None = None,
    namespace: str = "default",
    budget: Budget | None = None,
    reader: Reader | None = None,
) -> Source:
    """Returns the documents that the paths lead to.

    Args:
        paths: Files, folders and ``-``.
        root: The project's root (``walk.project_root``); names are printed relative to it.
        exclude: Patterns as in ``.gitignore``, of files and folders to leave out.
        output_dir: Where the build writes; nothing is read from there.
        digests: Whether the digests of the files are wanted.
        stdin: What ``-`` stands for.
        projects: Takes the folders of other projects (``find``).
        namespace: The namespace of objects that name none.
        budget: What is left of the build; by default the paths have one of their own.
        reader: Opens the files; None for one that looks for the repository.

    Raises:
        TraincError: There is more than a build may read.
    """
    budget = budget or Budget()
    files, problems = find(
        paths,
        root=root,
        exclude=exclude,
        output_dir=output_dir,
        projects=projects,
        reader=reader,
    )
    documents: list[Document] = []
    known: dict[str, str] = {}
    places: dict[str, tuple[str, ...]] = {}
    for file in files:
        data = read(file, stdin, reader)
        if isinstance(data, Problem):
            problems.append(data)
            continue
        found = written(data, file, problems, budget)
        documents += found
        if found:
            note_path(places, file)
        if digests and found:
            note(known, file.name, sha256(data).hexdigest())
    problems += duplicates(documents, namespace)
    return Source(tuple(documents), tuple(problems), known, places)


def note(digests: dict[str, str], name: str, digest: str) -> None:
    """Adds the digest of a file; of two files that are printed alike it is one of both.

    ``trainc build jobs job.yaml`` may read two files that it calls ``job.yaml``.
    """
    known = digests.setdefault(name, digest)
    if known != digest:
        digests[name] = sha256(f"{known}{digest}".encode()).hexdigest()


def note_path(places: dict[str, tuple[str, ...]], file: File) -> None:
    """Adds the real path of a file; ``-`` is standard input's. What a search found is real."""
    path = os.path.realpath(file.path) if file.named and file.path != STDIN else file.path
    others = places.get(file.name, ())
    if path not in others:
        places[file.name] = (*others, path)


def from_bytes(
    data: bytes, file: File, problems: list[Problem], budget: Budget | None = None
) -> list[Document]:
    """Returns the documents of one file that a build reads.

    Args:
        data: The file's bytes.
        file: Where they come from.
        problems: Takes what is wrong with them.
        budget: What is left of the build; by default the file has one of its own.

    Raises:
        TraincError: The build does not go on: nothing is left.
    """
    parsed, found = parse(data, file.name, budget)
    if found and _HELM.search(data):
        found = [problem._replace(hint=_RENDER) for problem in found]
    if budget is not None and budget.is_spent:
        raise TraincError([*problems, *found])
    kept = [
        item
        for document in parsed
        for item in objects(document, named=file.named, problems=found, others=file.others)
    ]
    problems += sorted(found, key=_place) if len(found) > 1 else found
    return kept


def written(data: bytes, file: File, problems: list[Problem], budget: Budget) -> list[Document]:
    """The documents of a file that a person has written, for which the build may do more.

    Raises:
        TraincError: The build does not go on: nothing is left.
    """
    budget.earn(BYTE * len(data))
    documents = from_bytes(data, file, problems, budget)
    budget.earn(JOB * sum(document.kind == TRAIN_JOB for document in documents))
    return documents


def duplicates(documents: Iterable[Document], namespace: str) -> list[Problem]:
    """Returns an error for every object that another one of its kind and name goes before.

    Objects of other kinds are not ours to refuse here: claims are only looked at, and what is kept
    is told apart by its API group too (``trainc.manifest.others``).

    Args:
        documents: In file order.
        namespace: The namespace of objects that name none.
    """
    first: dict[tuple[str, str, str], Document] = {}
    problems: list[Problem] = []
    for document in documents:
        kind, name = document.kind, document.name
        if not name or kind not in _OURS:
            continue
        home = "" if kind in CLUSTER_KINDS else document.namespace or namespace
        known = first.setdefault((kind, home, name), document)
        if known is not document:
            where = f" of namespace {home}" if home else ""
            message = f"{kind} {name!r}{where} is defined twice, first at {known.mark(_NAME)}"
            hint = "rename or remove one of the two"
            place = document.mark(_NAME)
            problems.append(
                Problem(message, codes.DUPLICATE, place, document.label, "metadata.name", hint=hint)
            )
    return problems


def _place(problem: Problem) -> Mark:
    return problem.mark or Mark("")


_NAME = ("metadata", "name")
_OURS = frozenset((*KINDS, PRIORITY_CLASS))
# An action of a Go template, which no YAML and no template of trainc's own has.
_HELM = re.compile(
    rb"\{\{-?\s*(?:[.$][\w.$]*|(?:if|else|end|range|with|define|include|template|toYaml|tpl|default"
    rb"|printf|quote|required|block)\b|/\*)"
)
_RENDER = (
    "this is a Helm template: render it first (helm template CHART | trainc build -), "
    "or write it in Jinja2 as templates/*.yaml.j2"
)
