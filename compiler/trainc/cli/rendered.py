"""Every environment, remembered or compiled, for ``build --out-dir``, ``check`` and ``validate``.

In: a command's options, and what it asks of one environment. Out: the texts of all of them. What
was compiled is remembered for the next run that asks the same: of the same files there is nothing
to do, of others only the jobs are compiled whose files changed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from trainc.cli.compiling import Request, requested
from trainc.cli.report import Report
from trainc.errors import Problem

if TYPE_CHECKING:
    from trainc.incremental.asked import Asked
    from trainc.incremental.jobs import Jobs
    from trainc.incremental.memory import Answer
    from trainc.incremental.store import Store
    from trainc.incremental.watch import Watch
    from trainc.pipeline import Options, Read
    from trainc.plan.plan import Plan


class Rendered(NamedTuple):
    """The output of one environment.

    Attributes:
        env: Its name, None where there are none.
        texts: File below its folder -> text.
        sources: SHA-256 of each source file.
        origins: File below its folder -> real paths of the sources it was made from.
    """

    env: str | None
    texts: Mapping[str, str] = {}
    sources: Mapping[str, str] = {}
    origins: Mapping[str, Sequence[str]] = {}


def rendered(
    ctx: click.Context,
    inputs: tuple[str, ...],
    flags: dict[str, Any],
    compiled: Callable[[Request, str | None, Memory], Rendered],
) -> tuple[Request, list[Rendered]]:
    """What is asked for, and the files of each environment.

    Args:
        ctx: Of the command.
        inputs: Its paths.
        flags: Its options.
        compiled: Compiles one environment with the memory's help, and adds what it found to the
            report.
    """
    report: Report = ctx.obj
    known = _remembered(report)
    if known is not None:
        return requested(ctx, inputs, flags), known
    memory = Memory(report, flags.get("out_dir"))
    with memory.watching():
        request = requested(ctx, inputs, flags)
        found = [compiled(request, env, memory) for env in request.environments(several=True)]
    if any(each.texts for each in found) or "out_dir" not in flags:
        memory.keep(request, found)
    return request, found


def _remembered(report: Report) -> list[Rendered] | None:
    """What a former run compiled, with its problems told again; None where it is not known."""
    store = _store()
    if report.answer is None or store is None:
        return None
    from trainc.incremental.memory import problems, texts_of

    texts = texts_of(store, report.answer.texts)
    if texts is None:
        return None
    report.add(problems(report.answer))
    names = [env for env, _ in report.answer.environments]
    return [Rendered(env, *each) for env, each in zip(names, texts, strict=True)]


class Compiled(NamedTuple):
    """One environment, compiled as far as it had to be.

    Attributes:
        plan: Problems of all jobs; objects of those that were compiled.
        known: File below the output folder -> text, of the jobs that were not.
        origins: The same files -> printed names of their sources.
    """

    plan: Plan
    known: Mapping[str, str]
    origins: Mapping[str, tuple[str, ...]]


class Memory:
    """Remembers one run, where its command line allows it; does nothing at all elsewhere."""

    def __init__(self, report: Report, out_dir: str | None) -> None:
        """Takes the report whose problems belong to the answer, and the value of --out-dir."""
        from trainc.incremental.asked import asked

        self._report, self._start = report, len(report.problems)
        self._store: Store | None = _store()
        found = asked(report.args) if self._store else None
        # Both have read the command line; only where they agree one may speak for the other.
        self._asked: Asked | None = found if found and found.out_dir == out_dir else None
        self._watch: Watch | None = None
        self._jobs: list[Jobs | None] = []

    def watching(self) -> AbstractContextManager[Any]:
        """A context in which everything the run looks at is noted."""
        if self._asked is None:
            return nullcontext()
        from trainc.incremental.watch import Watch

        self._watch = Watch()
        return self._watch

    def rendered(
        self, paths: Sequence[str], options: Options, *, comments: bool = True
    ) -> Rendered:
        """The files of one environment; the report takes what was found, an error leaves none.

        Args:
            paths: Of the command.
            options: What the pipeline is told.
            comments: Whether the files say what they were made from.
        """
        from trainc.manifest.order import in_order
        from trainc.manifest.path import path
        from trainc.manifest.stream import texts

        plan, known, origins = self.compiled(paths, options, texts=True)
        self._report.add(plan.problems)
        if self._report.has_errors:
            return Rendered(options.env, sources=plan.sources)
        made = texts(in_order(plan.objects), comments)
        origins = {**origins, **{path(each): each.files for each in plan.objects}}
        real = {name: tuple(_paths(plan, files)) for name, files in origins.items()}
        return Rendered(options.env, {**known, **made}, plan.sources, real)

    def compiled(self, paths: Sequence[str], options: Options, *, texts: bool) -> Compiled:
        """Compiles one environment but for the jobs that a former run compiled from the same bytes.

        Args:
            paths: Of the command.
            options: What the pipeline is told.
            texts: Whether the output files are wanted.
        """
        from trainc.manifest.path import path
        from trainc.pipeline import compile_read, read_sources

        options = options._replace(digests=True)
        read = read_sources(paths, options)
        jobs = self._jobs_of(options, read)
        plan = compile_read(read, paths, options._replace(before=jobs))
        known = self._texts(jobs, texts)
        if known is None or not known.keys().isdisjoint(map(path, plan.objects)):
            # Lost meanwhile, or two jobs make one object: only all of them together can tell.
            jobs, known = None, {}
            plan = compile_read(read, paths, options)
        self._jobs.append(jobs)
        return Compiled(plan, known, jobs.origins() if jobs is not None else {})

    def _jobs_of(self, options: Options, read: Read) -> Jobs | None:
        """What a former run knows of the jobs; None where nothing is remembered."""
        if self._watch is None or self._asked is None or self._store is None:
            return None
        from trainc.incremental.jobs import jobs

        with self._watch.apart():
            return jobs(self._store, self._asked, options, read)

    def _texts(self, jobs: Jobs | None, wanted: bool) -> Mapping[str, str] | None:
        """The files of the jobs that were not compiled, empty texts where none are wanted."""
        if jobs is None or self._watch is None or self._store is None:
            return {}
        if not wanted:
            return dict.fromkeys(jobs.files(), "")
        with self._watch.apart():
            return jobs.texts(self._store)

    def keep(self, request: Request, found: list[Rendered]) -> None:
        """Remembers what was found, unless there is an error in it."""
        mine = self._report.problems[self._start :]
        if self._report.has_errors:
            return
        if self._watch is None or self._asked is None or self._store is None:
            return
        given = self._asked.out_dir
        folder, default = request.output(given), request.output(None)
        same = os.path.realpath(folder) == os.path.realpath(default)
        trace = self._watch.trace(os.path.realpath(folder))
        if trace is None:
            return
        seen = trace.digest()
        if not self._watch.holds():  # somebody writes while we read
            return
        answer = _answer(self._store, request, folder, mine, found)
        for number, jobs in enumerate(self._jobs):
            if jobs is not None:
                jobs.keep(self._store, answer.texts, number)
        from trainc.incremental.memory import keep

        folders = dict.fromkeys([given, None, default] if same else [given])
        keep(self._store, self._asked, [*folders], trace, seen, answer)


def _paths(plan: Plan, files: Sequence[str]) -> Iterator[str]:
    """The real paths of files by their printed names."""
    for file in files:
        yield from plan.paths.get(file, ())


def _answer(
    store: Store, request: Request, folder: str, mine: list[Problem], found: list[Rendered]
) -> Answer:
    from trainc.incremental.memory import Answer, keep_texts, plain

    indexes = [(each.env, _index(request, folder, each)) for each in found]
    texts = (
        keep_texts(store, [(each.texts, each.sources, each.origins) for each in found])
        if found
        else ""
    )
    return Answer(indexes, request.known(), plain(mine), folder, texts)


def _index(request: Request, folder: str, found: Rendered) -> str:
    """Digest of the index that a build leaves in a folder; empty where it has more to say."""
    from hashlib import sha256
    from pathlib import Path

    from trainc.errors import TraincError
    from trainc.manifest.files import merged_index

    place = Path(folder) if found.env is None else Path(folder, found.env)
    try:
        merged = merged_index(place, found.texts, found.sources, found.origins, request.scope())
    except TraincError:  # who writes, or compares, says so
        return ""
    return "" if merged.unknown else sha256(merged.new.dump()).hexdigest()


def _store() -> Store | None:
    from trainc.incremental.store import Store, location

    folder = location(os.environ)
    return None if folder is None else Store(folder)
