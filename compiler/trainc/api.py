"""The compiler for Python programs: ``from trainc import build``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from trainc import codes
from trainc.compile import Inputs
from trainc.errors import Mark, Problem, TraincError
from trainc.given import Given, of_project, project_root, with_given
from trainc.library import stock
from trainc.manifest.order import in_order
from trainc.manifest.stream import texts
from trainc.pipeline import OnChange, Options, Profile, compile_inputs
from trainc.plan.plan import Plan
from trainc.source.alias import MAX_DEPTH
from trainc.source.document import Document
from trainc.source.files import File
from trainc.source.kinds import objects
from trainc.source.source import Source, duplicates, from_bytes, load
from trainc.spec.compat import VERSIONS

SourceLike = str | Path | Mapping[str, Any]
"""A path, YAML text (a string with a line break in it), or an object as a mapping."""


class Build(NamedTuple):
    """What came of a build.

    Attributes:
        objects: Kubernetes objects as plain data, in the order a cluster can take them; empty
            where a problem is an error. They are the caller's: no part is shared.
        problems: Everything that was found, in the order of the sources.
        files: The text of each object by the file that ``trainc build --out-dir`` would write,
            relative to the folder of the environment. Nothing is written.
    """

    objects: tuple[dict[str, Any], ...]
    problems: tuple[Problem, ...]
    files: Mapping[str, str] = {}

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
    env: str | None = None,
    namespace: str | None = None,
    values: Mapping[str, Any] | None = None,
    profile: Profile | None = None,
    emit: Literal["jobset", "both"] | None = None,
    on_change: OnChange | None = None,
) -> Build:
    """Compiles TrainJobs. Reads the paths it is given and package data, nothing else.

    Args:
        sources: TrainJobs, runtimes, PriorityClasses and claims, in any order; or one folder with a
            ``trainc.yaml``, which is built as the project it is.
        runtimes: Runtimes to fall back on where the sources lack one; the stock library comes last.
        compat: Reproduces this release of Kubeflow Trainer, defects included.
        secrets: ``inline`` returns freshly made Secrets too.
        features: Names of feature gates that are on, such as ``TrainJobStatus``.
        env: Environment of the project; by default its ``default_env``, or its only one.
        namespace: Of objects that name none; by default the project's, else ``default``.
        values: For the project's templates, over those of its files.
        profile: The tool that syncs the output; by default the project's, else ``none``.
        emit: ``both`` returns TrainJobs too; by default the project's, else ``jobset``.
        on_change: What a changed job becomes; by default the project's, else ``keep``.

    Raises:
        TypeError: A source is neither path nor text nor mapping.
        ValueError: ``compat`` names a release that is not known, ``env`` or ``values`` are given
            without a project, or two settings exclude each other.

    Example:
        >>> import trainc
        >>> trainc.build("jobs/").problems
        ()
    """
    if compat is not None and compat not in VERSIONS:
        raise ValueError(f"compat must be one of {', '.join(VERSIONS)}, got {compat!r}")
    options = Options(compat=compat, secrets=secrets, features=dict.fromkeys(features, True))
    given = Given(env, namespace, values, profile, emit, on_change)
    root = project_root(sources)
    try:
        if root is not None:
            return _made(of_project(root, _paths(runtimes), options, given))
        return _made(_of_sources(_each(sources), _each(runtimes), with_given(options, given)))
    except TraincError as error:
        return Build((), tuple(error.problems))


def _of_sources(sources: list[SourceLike], runtimes: list[SourceLike], options: Options) -> Plan:
    """The plan of paths, texts and mappings that are no project."""
    inputs, problems = _inputs(sources, runtimes, sound=options.compat is None)
    return compile_inputs(inputs, problems, options)


def _made(plan: Plan) -> Build:
    if any(problem.severity == "error" for problem in plan.problems):
        return Build((), plan.problems)
    ordered = in_order(plan.objects)
    objects = tuple(_plain(item.manifest) for item in ordered)
    return Build(objects, plan.problems, texts(ordered))


def _paths(runtimes: SourceLike | Iterable[SourceLike]) -> tuple[str, ...]:
    """The folders of runtimes of a project.

    Raises:
        TypeError: One is no path.
    """
    found = _each(runtimes)
    for each in found:
        if not isinstance(each, str | Path) or "\n" in str(each):
            raise TypeError(f"beside a project runtimes are paths, got {each!r}")
    return tuple(str(each) for each in found)


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
