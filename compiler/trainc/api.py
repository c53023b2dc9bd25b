"""The compiler for Python programs: ``from trainc import build``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from trainc import codes
from trainc.compile import Inputs, compile_documents
from trainc.errors import Mark, Problem
from trainc.library import stock, stock_names
from trainc.manifest.order import in_order
from trainc.plan.plan import Output
from trainc.source.alias import MAX_DEPTH
from trainc.source.document import Document
from trainc.source.files import File
from trainc.source.kinds import objects
from trainc.source.source import Source, duplicates, from_bytes, load
from trainc.spec.compat import VERSIONS, Compat
from trainc.spec.spec import Settings

SourceLike = str | Path | Mapping[str, Any]
"""A path, YAML text (a string with a line break in it), or an object as a mapping."""


class Build(NamedTuple):
    """What came of a build.

    Attributes:
        objects: Kubernetes objects as plain data, in the order a cluster can take them; empty
            where a problem is an error. They are the caller's: no part is shared.
        problems: Everything that was found, in the order of the sources.
    """

    objects: tuple[dict[str, Any], ...]
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether no problem is an error."""
        return all(problem.severity != "error" for problem in self.problems)


def build(
    sources: SourceLike | Iterable[SourceLike],
    *,
    runtimes: SourceLike | Iterable[SourceLike] = (),
    compat: Literal["v2.3.0"] | None = None,
    secrets: Literal["refer", "inline"] = "refer",
    features: Iterable[str] = (),
) -> Build:
    """Compiles TrainJobs. Reads the paths it is given and package data, nothing else.

    Args:
        sources: TrainJobs, runtimes, PriorityClasses and claims, in any order.
        runtimes: Runtimes to fall back on where the sources lack one; the stock library comes last.
        compat: Reproduces this release of Kubeflow Trainer, defects included.
        secrets: ``inline`` returns freshly made Secrets too.
        features: Names of feature gates that are on, such as ``TrainJobStatus``.

    Raises:
        TypeError: A source is neither path nor text nor mapping.
        ValueError: ``compat`` names a release that is not known.

    Example:
        >>> import trainc
        >>> trainc.build("jobs/").problems
        ()
    """
    if compat is not None and compat not in VERSIONS:
        raise ValueError(f"compat must be one of {', '.join(VERSIONS)}, got {compat!r}")
    inputs, problems = _inputs(_each(sources), _each(runtimes), sound=compat is None)
    known = stock_names() if compat is None else ()
    settings = Settings(Compat(compat), frozenset(features), stock=known)
    plan = compile_documents(inputs, settings, Output(secrets))
    problems += plan.problems
    if any(problem.severity == "error" for problem in problems):
        return Build((), tuple(problems))
    objects = (_plain(item.manifest) for item in in_order(plan.objects))
    return Build(tuple(objects), tuple(problems))


def _inputs(
    sources: list[SourceLike], runtimes: list[SourceLike], *, sound: bool
) -> tuple[Inputs, list[Problem]]:
    """What is to be compiled, the stock library behind it, and what is wrong with either."""
    source, library = _load(sources, "source"), _load(runtimes, "runtime")
    found, wrong = stock(source.documents, library.documents, None) if sound else ((), [])
    inputs = Inputs(source.documents, (library.documents, found))
    return inputs, [*source.problems, *library.problems, *wrong]


def _each(sources: SourceLike | Iterable[SourceLike]) -> list[SourceLike]:
    if isinstance(sources, str | Path | Mapping):
        return [sources]
    return list(sources)


def _load(sources: list[SourceLike], word: str) -> Source:
    """The documents of paths, texts and mappings, in the order given."""
    documents: list[Document] = []
    problems: list[Problem] = []
    for number, source in enumerate(sources):
        name = f"<{word} {number}>"
        if isinstance(source, Mapping):
            documents += _of_mapping(name, source, problems)
        elif isinstance(source, str) and "\n" in source:
            file = File(name, name, named=True)
            documents += from_bytes(source.encode("utf-8", "surrogatepass"), file, problems)
        elif not isinstance(source, str | Path):
            raise TypeError(f"a {word} is a path, text or a mapping, got {source!r}")
        else:
            read = load([str(source)])
            documents += read.documents
            problems += read.problems
    twice = [] if problems else duplicates(documents, "default")
    return Source(tuple(documents), (*problems, *twice))


def _of_mapping(
    name: str, source: Mapping[str, Any], problems: list[Problem]
) -> Iterator[Document]:
    """The objects of a mapping: one, or the items of a List."""
    try:
        document = Document(name, 0, _plain(source), {}, 0)
    except RecursionError:
        problems.append(Problem(f"nested deeper than {MAX_DEPTH} levels", codes.SYNTAX, Mark(name)))
        return
    yield from objects(document, named=True, problems=problems)


def _plain(value: Any, room: int = MAX_DEPTH) -> Any:
    """The same value out of dicts and lists of its own, no part used twice.

    Raises:
        RecursionError: It is nested too deeply, or holds itself.
    """
    if isinstance(value, Mapping | list | tuple):
        if not room:
            raise RecursionError
        if isinstance(value, Mapping):
            return {str(key): _plain(item, room - 1) for key, item in value.items()}
        return [_plain(item, room - 1) for item in value]
    return value
