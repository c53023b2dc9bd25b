"""Files in, a Plan out: the calls of a build in order."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from trainc.compile import Inputs, compile_documents
from trainc.errors import Problem
from trainc.library import stock
from trainc.plan.plan import Emit, Output, Plan, Secrets
from trainc.source.document import Document
from trainc.source.source import Source, load
from trainc.source.walk import project_root
from trainc.spec.compat import Compat
from trainc.spec.spec import Settings

RUNTIMES = "runtimes"


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


def compile_sources(paths: Sequence[str], options: Options) -> Plan:
    """Builds what the files say.

    Args:
        paths: Files, folders, and ``-`` for standard input.
        options: What the build was told.

    Returns:
        All objects and all problems, in file order. Where a problem is an error the objects are
        those of the jobs without one, and must not be used.
    """
    root = _root(paths)
    source = _load(paths, root, options)
    own = _libraries(root, options)
    problems = [*source.problems, *(p for library in own for p in library.problems)]
    libraries = [_unseen(library, source) for library in own]
    if options.compat is None:
        others = [document for library in libraries for document in library]
        found, wrong = stock(source.documents, others, options.image_prefix)
        libraries.append(found)
        problems += wrong
    settings = Settings(
        Compat(options.compat),
        frozenset(name for name, on in options.features.items() if on),
        options.namespace,
    )
    output = Output(options.secrets, options.emit, options.status_ca)
    plan = compile_documents(Inputs(source.documents, tuple(libraries)), settings, output)
    ordered = tuple(_in_order([*problems, *plan.problems], source))
    digests = {name: digest for read in (*own, source) for name, digest in read.digests.items()}
    return plan._replace(problems=ordered, sources=digests)


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
        stdin=sys.stdin.buffer,
        namespace=options.namespace,
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
