"""Files in, a Plan out: the calls of a build in order."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from trainc.budget import Budget
from trainc.compile import Before, Inputs, Inspect, compile_documents
from trainc.errors import Problem
from trainc.library import stock, stock_names
from trainc.plan.plan import Emit, Object, Output, Plan, Secrets
from trainc.plan.replace import replaced
from trainc.source.document import Document
from trainc.source.source import Source, load, note
from trainc.source.walk import project_root
from trainc.spec.compat import Compat
from trainc.spec.spec import Settings

if TYPE_CHECKING:
    from trainc.project.file import Project
    from trainc.source.reader import Reader
    from trainc.source.values import Values

RUNTIMES = "runtimes"
LintLevel = Literal["off", "build", "validate"]
OnChange = Literal["keep", "rename", "replace"]
Profile = Literal["none", "argocd", "flux"]


class Options(NamedTuple):
    """What a build can be told.

    Attributes:
        runtimes: Folders to look runtimes up in after the inputs; empty means ``runtimes/`` of the
            project, where there is one.
        namespace: Namespace of objects that name none.
        compat: The version of the reference to reproduce; None is the sound default.
        secrets: Whether Secrets are left to the cluster or printed.
        features: Feature gates by name.
        emit: Whether the TrainJob is printed beside its JobSet.
        status_ca: PEM of the CA of the status server, for NAME-tls-config.
        image_prefix: Where trainc's own images come from.
        exclude: Patterns of files not to read.
        out_dir: Where the build writes; never read.
        project: The project the paths belong to; None builds the paths alone.
        env: The project's environment; None where it has none.
        values: For templates, from flags.
        on_change: What a changed job becomes: ``keep``, ``rename`` or ``replace``.
        profile: The tool that syncs the output: ``none``, ``argocd`` or ``flux``.
        allow_ttl: Whether such a tool may meet objects that remove themselves.
        shared: Whether data caches are named by content and used by several jobs.
        lint: ``build`` gives warnings, ``validate`` all findings as they are; never under compat.
        inspect: Sees every compiled job, in place of the lints.
        before: Knows jobs that need no second compile.
        digests: Whether the digests of the files are wanted; with ``out_dir`` they always are.
        budget: What is left of the command's work; None for a build of its own.
        reader: Opens the files; None for one that looks for the repository.
    """

    runtimes: tuple[str, ...] = ()
    namespace: str = "default"
    compat: str | None = None
    secrets: Secrets = "refer"
    features: Mapping[str, bool] = {}
    emit: Emit = "jobset"
    status_ca: str | None = None
    image_prefix: str | None = None
    exclude: tuple[str, ...] = ()
    out_dir: str | None = None
    project: "Project | None" = None
    env: str | None = None
    values: "Values | None" = None
    on_change: OnChange = "keep"
    profile: str = "none"
    allow_ttl: bool = False
    shared: bool = False
    lint: LintLevel = "off"
    inspect: Inspect | None = None
    before: Before | None = None
    digests: bool = False
    budget: Budget | None = None
    reader: "Reader | None" = None


class Read(NamedTuple):
    """What a build has read.

    Attributes:
        source: What is to be built.
        libraries: Runtimes to fall back on, strongest first.
        problems: What is wrong with the libraries.
        digests: SHA-256 of each file, by its printed name.
        explained: Says of a problem what more is known of its place.
        values: What templates of a project see as ``values``.
    """

    source: Source
    libraries: tuple[tuple[Document, ...], ...]
    problems: tuple[Problem, ...] = ()
    digests: Mapping[str, str] = {}
    explained: Callable[[Problem], Problem] = lambda problem: problem
    values: Mapping[str, Any] = {}


def compile_sources(paths: Sequence[str], options: Options) -> Plan:
    """Builds what the files say.

    Args:
        paths: Files, folders, and ``-`` for standard input.
        options: What the build was told.

    Returns:
        All objects and all problems, in file order. Where a problem is an error the objects are
        those of the jobs without one, and must not be used.
    """
    return compile_read(read_sources(paths, options), paths, options)


def read_sources(paths: Sequence[str], options: Options) -> Read:
    """Reads what ``compile_sources`` compiles: templates rendered, overlays applied."""
    return _of_paths(paths, options) if options.project is None else _of_project(paths, options)


def compile_read(read: Read, paths: Sequence[str], options: Options) -> Plan:
    """Builds what was read; ``paths`` and ``options`` as they were read with."""
    inputs = Inputs(read.source.documents, read.libraries)
    inspect, wrong = _inspection(options, read.values)
    settings, output = _settings(options), _output(options)
    plan = compile_documents(inputs, settings, output, inspect, options.before)
    _log("compiled %d objects of %d documents", len(plan.objects), len(inputs.documents))
    plan, twice = _with_others(plan, read.source, options)
    found = (*read.source.problems, *read.problems, *wrong, *plan.problems, *twice)
    problems = map(read.explained, found)
    ordered = tuple(
        _in_order(_told(_as_written([*problems], read.source), paths, options), read.source)
    )
    return plan._replace(
        objects=_for_tool(plan, options),
        problems=ordered,
        sources=read.digests,
        paths=read.source.paths,
    )


def _with_others(plan: Plan, source: Source, options: Options) -> tuple[Plan, tuple[Problem, ...]]:
    """The plan with the documents of other kinds, where the project keeps them."""
    if options.project is None or options.project.others != "keep":
        return plan, ()
    from trainc.manifest.others import kept_objects, made_twice, others_of

    others = others_of(source.documents)
    kept = kept_objects(others, options.namespace)
    twice = tuple(made_twice(others, kept, plan.objects))
    return plan._replace(objects=(*plan.objects, *kept)), twice


def compile_inputs(inputs: Inputs, problems: Sequence[Problem], options: Options) -> Plan:
    """Builds documents that are no project's.

    Args:
        inputs: The documents, and libraries behind them.
        problems: What was wrong with them.
        options: What the build was told.
    """
    plan = compile_documents(inputs, _settings(options), _output(options))
    return plan._replace(objects=_for_tool(plan, options), problems=(*problems, *plan.problems))


def _for_tool(plan: Plan, options: Options) -> tuple[Object, ...]:
    """The objects as the tool that syncs them must find them."""
    objects = _profiled(plan, options)
    return replaced(objects, options.profile) if options.on_change == "replace" else objects


def _as_written(problems: list[Problem], source: Source) -> list[Problem]:
    """The problems, hints on scalars with the text of the file; loaded where there is one."""
    if not any(problem.hint.startswith("put it in quotes") for problem in problems):
        return problems
    from trainc.source.written import as_written, lines_of

    return as_written(problems, lines_of(problems, source.paths))


def _log(message: str, *counts: int) -> None:
    """Logs for whoever listens; who does has loaded logging, which costs every start 4 ms."""
    if "logging" in sys.modules:
        import logging

        logging.getLogger(__name__).info(message, *counts)


def _profiled(plan: Plan, options: Options) -> tuple[Object, ...]:
    """The objects as the tool that syncs them must find them; loaded where one is asked for."""
    if options.profile == "none":
        return plan.objects
    from trainc.gitops.profile import Profile, with_profile

    profile = Profile(options.profile, options.allow_ttl, options.on_change)
    return with_profile(plan.objects, profile)


def _inspection(
    options: Options, values: Mapping[str, Any]
) -> tuple[Inspect | None, tuple[Problem, ...]]:
    """The lints and the team's rules, where they were asked for, and what is wrong with rules."""
    if options.inspect is not None:
        return options.inspect, ()
    if options.lint == "off" or options.compat is not None:
        return None, ()
    from trainc.lint.settings import inspection

    return inspection(
        options.project,
        profile=options.profile,
        allow_ttl=options.allow_ttl,
        strict=options.lint == "validate",
        env=options.env or "",
        values=values,
        on_change=options.on_change,
        budget=options.budget,
    )


def _told(problems: Sequence[Problem], paths: Sequence[str], options: Options) -> list[Problem]:
    """The problems but those a comment in their file takes away."""
    if options.lint == "off" or not any(problem.code for problem in problems):
        return [*problems]
    from trainc.lint.ignore import told

    folders = [path if os.path.isdir(path) else os.path.dirname(path) or "." for path in paths]
    root = options.project.root if options.project else _root(paths)
    return told(problems, [*([root] if root else ()), *folders, "."])


def _settings(options: Options) -> Settings:
    return Settings(
        Compat(options.compat),
        frozenset(name for name, on in options.features.items() if on),
        options.namespace,
        rename=options.on_change == "rename",
        apply_once=options.profile == "flux",
        shared_caches=options.shared,
        stock=stock_names() if options.compat is None else (),
    )


def _output(options: Options) -> Output:
    return Output(options.secrets, options.emit, options.status_ca)


def _of_paths(paths: Sequence[str], options: Options) -> Read:
    """The paths alone, and the libraries beside them."""
    root = _root(paths)
    source = _load(paths, root, options)
    own = _libraries(root, options)
    problems = [problem for library in own for problem in library.problems]
    libraries = [_unseen(library, source) for library in own]
    if options.compat is None:
        others = [document for library in libraries for document in library]
        found, wrong = stock(source.documents, others, options.image_prefix)
        libraries.append(found)
        problems += wrong
    digests: dict[str, str] = {}
    for read in (*own, source):
        for name, digest in read.digests.items():
            note(digests, name, digest)
    return Read(source, tuple(libraries), tuple(problems), digests)


def _of_project(paths: Sequence[str], options: Options) -> Read:
    """The project's sources as one environment has them; of its jobs those below the paths."""
    # Here, because a build of plain files has no project and must not pay for one.
    from trainc.project.sources import Asked, assemble
    from trainc.source.values import Values

    assert options.project is not None
    asked = Asked(
        tuple(paths),
        options.env,
        options.values or Values(),
        options.runtimes,
        options.exclude,
        options.out_dir,
        options.image_prefix,
        options.compat is not None,
    )
    project = options.project._replace(namespace=options.namespace)
    source, libraries, rendering = assemble(project, asked, options.budget or Budget())
    return Read(source, libraries, (), source.digests, rendering.explained, rendering.values.tree)


def _root(paths: Sequence[str]) -> str | None:
    """The project's root: at or above the first path that is a file or folder, else from here."""
    start = next((path for path in paths if path != "-"), ".")
    return project_root(start if os.path.isdir(start) else os.path.dirname(start) or ".")


def _load(paths: Sequence[str], root: str | None, options: Options) -> Source:
    return load(
        paths,
        root=root,
        exclude=options.exclude,
        output_dir=options.out_dir,
        digests=options.digests or options.out_dir is not None,
        stdin=sys.stdin.buffer,
        projects=[],  # who builds has found them before, and builds them apart
        namespace=options.namespace,
        budget=options.budget,
        reader=options.reader,
    )


def _libraries(root: str | None, options: Options) -> list[Source]:
    folders = options.runtimes
    if not folders:
        base = root if root is not None else "."
        default = os.path.join(base, RUNTIMES)
        folders = (default,) if os.path.isdir(default) else ()
    return [_load((folder,), root, options) for folder in folders]


def _unseen(library: Source, source: Source) -> tuple[Document, ...]:
    """A library's documents that are not among the inputs already, under the same file."""
    seen = {document.file for document in source.documents}
    return tuple(document for document in library.documents if document.file not in seen)


def _in_order(problems: list[Problem], source: Source) -> list[Problem]:
    """Problems by file, line and column; those of no file first."""
    files = {document.file: place for place, document in enumerate(reversed(source.documents))}

    def position(problem: Problem) -> tuple[int, str, int, int]:
        mark = problem.mark
        if mark is None:
            return (-len(files) - 1, "", 0, 0)
        return (-files.get(mark.file, -1), mark.file, mark.line, mark.column)

    return sorted(problems, key=position)
