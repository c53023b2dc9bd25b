"""The sources of one environment: files read, templates rendered, overlays applied.

In: a project, an environment, values from flags. Out: the documents as if somebody had written
them for this environment alone, each entry with the place a person would change it at.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from hashlib import sha256
from typing import Final, NamedTuple

from trainc import codes, names
from trainc.budget import Budget
from trainc.errors import Mark, Problem
from trainc.library import named, stock, stock_names
from trainc.project.environment import Layer, layers
from trainc.project.file import TEMPLATES, Project
from trainc.project.rendering import SUFFIXES, Rendering
from trainc.source.document import Document
from trainc.source.files import STDIN, File, find, read
from trainc.source.kinds import CLAIM
from trainc.source.overlay import overlaid
from trainc.source.projects import is_project
from trainc.source.source import Source, duplicates, note, note_path, written
from trainc.source.values import Values, merged
from trainc.source.walk import printable

RULES: Final = "rules"
_ALWAYS_OUT: Final = (f"/{RULES}/",)


class Asked(NamedTuple):
    """What the command line adds to a project.

    Attributes:
        paths: TrainJobs outside these are not built; empty for all. They see the whole project.
        env: The environment; None for a project without any.
        values: From ``--values``, ``--set`` and ``--set-string``, merged.
        runtimes: Further places to look runtimes up in, before the project's.
        exclude: Further patterns of what is not read.
        out_dir: Where the build writes.
        image_prefix: Where trainc's own images come from.
        compat: Whether a release is reproduced: then there is no stock library.
    """

    paths: tuple[str, ...] = ()
    env: str | None = None
    values: Values = Values()
    runtimes: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    out_dir: str | None = None
    image_prefix: str | None = None
    compat: bool = False


class Assembled(NamedTuple):
    """What is to be compiled.

    Attributes:
        source: The documents to build, with the problems of all files and patches.
        libraries: Runtimes to fall back on, strongest first.
        rendering: The templates behind them: says where a value came from.
    """

    source: Source
    libraries: tuple[tuple[Document, ...], ...]
    rendering: Rendering


def assemble(project: Project, asked: Asked, budget: Budget) -> Assembled:
    """Reads what an environment is made from, as far as the budget of the build goes.

    Raises:
        TraincError: An overlay or a file of values is wrong.
    """
    parts = layers(project, asked.env) if asked.env is not None else ()
    values = merged([project.values, *(layer.values for layer in parts), asked.values])
    rendering = Rendering(project, values, asked.env or "", budget)
    reader = _Reader(project, asked, rendering, budget)
    documents, wanted = reader.sources()
    libraries = [reader.library(place) for place in reader.places()]
    libraries = _unseen(libraries, documents)
    libraries.append(_stock(documents, libraries, parts, asked, reader.problems))
    # Claims that are not kept are no patch's: they are only looked at.
    looked_at = CLAIM if project.others != "keep" else ""
    claims = [document for document in documents if document.kind == looked_at]
    documents = [document for document in documents if document.kind != looked_at]
    documents, libraries = _overlaid(documents, libraries, parts, reader.problems, budget)
    documents = [*documents, *claims]
    problems = [*reader.problems, *duplicates(documents, project.namespace)]
    kept = [d for d in documents if wanted is None or _is_wanted(d, wanted)]
    digests = {**reader.digests, **{name: d for layer in parts for name, d in layer.digests}}
    if project.digest:
        digests["trainc.yaml"] = project.digest
    source = Source(tuple(kept), tuple(dict.fromkeys(problems)), digests, reader.paths)
    return Assembled(source, tuple(map(tuple, libraries)), rendering)


def _is_wanted(document: Document, wanted: frozenset[str]) -> bool:
    """Whether a document is built; runtimes are there for the jobs that are."""
    return document.kind in names.RUNTIME_KINDS or document.file in wanted


def _unseen(libraries: list[list[Document]], documents: Sequence[Document]) -> list[list[Document]]:
    seen = {document.file for document in documents}
    return [[d for d in library if d.file not in seen] for library in libraries]


def _stock(
    documents: Sequence[Document],
    libraries: list[list[Document]],
    parts: Sequence[Layer],
    asked: Asked,
    problems: list[Problem],
) -> list[Document]:
    """The stock runtimes that jobs or patches name and the project does not bring."""
    if asked.compat:
        return []
    others = [document for library in libraries for document in library]
    found, wrong = stock(documents, others, asked.image_prefix)
    problems += wrong
    known = {d.name for d in (*documents, *others, *found) if d.kind in names.RUNTIME_KINDS}
    meant = {patch.target.name for layer in parts for patch in layer.patches
             if patch.target.kind in ("", names.CLUSTER_TRAINING_RUNTIME)}  # fmt: skip
    more = sorted((meant - known) & set(stock_names()))
    return [*found, *(d for name in more for d in named(name, asked.image_prefix)[0])]


def _overlaid(
    documents: list[Document],
    libraries: list[list[Document]],
    parts: Sequence[Layer],
    problems: list[Problem],
    budget: Budget,
) -> tuple[list[Document], list[list[Document]]]:
    """Everything after the patches; each document stays in the group it was in."""
    patches = [patch for layer in parts for patch in layer.patches]
    if not patches:
        return documents, libraries
    groups = [documents, *libraries]
    group_of = {}
    for number, group in enumerate(groups):
        for document in group:
            group_of[document.file, document.index, document.place] = number
    found = [document for group in groups for document in group]
    whole = all(p.severity != "error" for p in problems)
    every, wrong = overlaid(found, patches, whole=whole, budget=budget)
    problems += wrong
    out: list[list[Document]] = [[] for _ in groups]
    for document in every:
        out[group_of[document.file, document.index, document.place]].append(document)
    return out[0], out[1:]


class _Reader:
    """Reads files and templates; keeps problems and digests."""

    def __init__(
        self, project: Project, asked: Asked, rendering: Rendering, budget: Budget
    ) -> None:
        self._project, self._asked, self._rendering = project, asked, rendering
        self._budget = budget
        self.problems: list[Problem] = []
        self.digests: dict[str, str] = {}
        self.paths: dict[str, tuple[str, ...]] = {}
        own = (f"/{project.overlays.strip('/')}/", *_ALWAYS_OUT)
        self._exclude = (*own, *project.exclude, *asked.exclude)

    def sources(self) -> tuple[list[Document], frozenset[str] | None]:
        """All documents of the project, and the files whose jobs are wanted, None for all."""
        places = [place for place in map(self._below, self._project.sources) if self._is_own(place)]
        paths = [place for place in self._asked.paths if not self._is_no_source(place)]
        given = [place for place in paths if place != STDIN]
        # A template is named as a file and is none of YAML.
        plain = [place for place in paths if not place.endswith(SUFFIXES)]
        files = self._find([*places, *plain])
        documents = [document for file in files for document in self._read(file)]
        templates = self._rendering.files(TEMPLATES, self._exclude)
        documents += [document for file in templates for document in self._render(file)]
        self._tell_stray({file.name for file in templates})
        if not self._asked.paths:
            return documents, None
        inside = [file.name for file in self._find(plain)]
        roots = [os.path.realpath(place) for place in given]
        inside += [file.name for file in templates if _is_below(file.path, roots)]
        return documents, frozenset(inside)

    def _is_own(self, place: str) -> bool:
        """Whether a place is no other project's folder; such a one is built by itself."""
        real = os.path.realpath(place)
        return real == os.path.realpath(self._project.root) or not is_project(real)

    def _is_no_source(self, place: str) -> bool:
        """Whether a path leads to patches or rules, which is told: read as jobs they are wrong."""
        if place == STDIN:
            return False
        for folder, holds in ((self._project.overlays, "patches"), (RULES, "rules")):
            if _is_below(place, [os.path.realpath(self._below(folder))]):
                hint = f"leave the path out: {holds} are read with the jobs they are for"
                name = os.path.relpath(
                    os.path.realpath(place), os.path.realpath(self._project.root)
                )
                message = f"holds {holds}, no sources"
                self.problems.append(
                    Problem(message, codes.UNREADABLE, Mark(printable(name)), hint=hint)
                )
                return True
        return False

    def _tell_stray(self, rendered: set[str]) -> None:
        """Warns of templates that stand where none is rendered: their jobs would be missing."""
        for place in self.places():
            rendered |= {file.name for file in self._rendering.files(place, self._exclude)}
        overlays = f"{self._project.overlays.strip('/')}/"  # there one is an error
        stray = [
            file.name
            for place in self._project.sources
            for file in self._rendering.files(place, self._exclude)
            if file.name not in rendered and not file.name.startswith(overlays)
        ]
        if stray:
            more = f", nor {len(stray) - 1} more" if len(stray) > 1 else ""
            hint = f"move it to {TEMPLATES}/, exclude it, or begin its name with _"
            message = f"a template outside of {TEMPLATES}/ and runtimes/ is not rendered{more}"
            self.problems.append(
                Problem(message, codes.UNREADABLE, Mark(stray[0]), severity="warning", hint=hint)
            )

    def places(self) -> list[str]:
        """Where runtimes are looked up."""
        own = [self._below(place) for place in self._project.runtimes]
        return [*self._asked.runtimes, *(place for place in own if os.path.exists(place))]

    def library(self, place: str) -> list[Document]:
        """The runtimes of one of the places, templates among them."""
        documents = [d for file in self._find([place]) for d in self._read(file)]
        for file in self._rendering.files(place, self._exclude):
            documents += self._render(file)
        return documents

    def _below(self, place: str) -> str:
        return os.path.normpath(os.path.join(self._project.root, place))

    def _find(self, places: Sequence[str]) -> list[File]:
        output = self._asked.out_dir or self._below(self._project.output)
        root = self._project.root
        files, problems = find(
            places,
            root=root,
            exclude=self._exclude,
            output_dir=output,
            projects=[],
            reader=self._project.reader,
        )
        self.problems += problems
        return files

    def _read(self, file: File) -> list[Document]:
        file = file._replace(others=self._project.others)
        stdin = sys.stdin.buffer if file.path == STDIN else None
        data = read(file, stdin, self._project.reader)
        if isinstance(data, Problem):
            self.problems.append(data)
            return []
        return self._kept(file, data, written(data, file, self.problems, self._budget))

    def _render(self, file: File) -> list[Document]:
        data, documents = self._rendering.documents(
            file._replace(others=self._project.others), self.problems
        )
        return self._kept(file, data, documents)

    def _kept(self, file: File, data: bytes, documents: list[Document]) -> list[Document]:
        if documents:
            note(self.digests, file.name, sha256(data).hexdigest())
            note_path(self.paths, file)
        return documents


def _is_below(path: str, roots: Sequence[str]) -> bool:
    real = os.path.realpath(path)
    return any(real == root or real.startswith(root + os.sep) for root in roots)
