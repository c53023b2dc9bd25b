"""Every environment, remembered or compiled, for ``build --out-dir``, ``check`` and ``validate``.

In: a command's options, and what it asks of one environment. Out: the texts of all of them. What
was compiled is remembered for the next run that asks the same: of the same files there is nothing
to do, of others only the jobs are compiled whose files changed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from trainc.cli.compiling import Request, base_of
from trainc.cli.place import placed
from trainc.cli.projects import requests
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
) -> list[tuple[Request, list[Rendered]]]:
    """What is asked for, project by project, and the files of each environment.

    Args:
        ctx: Of the command.
        inputs: Its paths.
        flags: Its options.
        compiled: Compiles one environment with the memory's help, and adds what it found to the
            report.
    """
    report: Report = ctx.obj
    known = _remembered(report, report.answer)
    if known is not None:
        return [(requests(ctx, inputs, flags)[0], known)]
    memory = Memory(report, flags.get("out_dir"))
    with memory.watching():
        found = requests(ctx, inputs, flags)
        made = _environments(found[0], compiled, memory) if len(found) == 1 else []
    if len(found) > 1:
        return [(each, _one_of_several(report, each, flags, compiled)) for each in found]
    if any(each.texts for each in made) or "out_dir" not in flags:
        memory.keep(found[0], made)
    return [(found[0], made)]


def _environments(
    request: Request, compiled: Callable[[Request, str | None, Memory], Rendered], memory: Memory
) -> list[Rendered]:
    return [compiled(request, env, memory) for env in request.environments(several=True)]


def _one_of_several(
    report: Report,
    request: Request,
    flags: dict[str, Any],
    compiled: Callable[[Request, str | None, Memory], Rendered],
) -> list[Rendered]:
    """The environments of one of several projects, each of which has an answer of its own."""
    memory = Memory(report, flags.get("out_dir"), *request.inputs)
    known = _remembered(report, memory.recalled())
    if known is not None:
        return known
    with memory.watching():
        found = _environments(request, compiled, memory)
    if any(each.texts for each in found) or "out_dir" not in flags:
        memory.keep(request, found)
    return found


def _remembered(report: Report, answer: Answer | None) -> list[Rendered] | None:
    """What a former run compiled, with its problems told again; None where it is not known."""
    store = _store()
    if answer is None or store is None:
        return None
    from trainc.incremental.memory import problems, texts_of

    texts = texts_of(store, answer.texts)
    if texts is None:
        return None
    report.add(problems(answer))
    names = [env for env, _ in answer.environments]
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

    def __init__(self, report: Report, out_dir: str | None, *part: str) -> None:
        """Takes what an answer belongs to.

        Args:
            report: Has the problems of the run, and its command line.
            out_dir: The value of --out-dir.
            part: The paths of one of several projects; empty for a run that is about one.
        """
        from trainc.incremental.asked import asked

        self._report, self._start = report, len(report.problems)
        self._store: Store | None = _store()
        found = asked(report.args) if self._store else None
        # Both have read the command line; only where they agree one may speak for the other.
        self._asked: Asked | None = found if found and found.out_dir == out_dir else None
        if self._asked is not None and part:
            self._asked.words += ["--", *part]
        self._watch: Watch | None = None
        self._jobs: list[Jobs | None] = []

    def recalled(self) -> Answer | None:
        """What a former run said to the same question, None where nobody knows."""
        if self._asked is None or self._store is None:
            return None
        from trainc.incremental.memory import recalled

        return recalled(self._store, self._asked)

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
        real = {
            name: tuple(path for file in files for path in plan.paths.get(file, ()))
            for name, files in origins.items()
        }
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
        placed_problems = placed(plan.problems, base_of(paths, options))
        plan = plan._replace(problems=tuple(_of_environment(placed_problems, options.env)))
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


def _of_environment(problems: list[Problem], env: str | None) -> list[Problem]:
    return problems if env is None else [each._replace(environments=(env,)) for each in problems]


def _store() -> Store | None:
    from trainc.incremental.store import Store, location

    folder = location(os.environ)
    return None if folder is None else Store(folder)
