"""The files of every environment, remembered or compiled, for ``build --out-dir`` and ``check``.

In: a command's options, and how it compiles one environment. Out: the texts of all of them. What
was compiled is remembered for the next run that asks the same of the same files.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from trainc.cli.compiling import Request, requested
from trainc.cli.report import Report
from trainc.errors import Problem

if TYPE_CHECKING:
    from trainc.incremental.asked import Asked
    from trainc.incremental.memory import Answer
    from trainc.incremental.store import Store
    from trainc.incremental.watch import Watch


class Rendered(NamedTuple):
    """The output of one environment.

    Attributes:
        env: Its name, None where there are none.
        texts: File below its folder -> text.
        sources: SHA-256 of each source file.
    """

    env: str | None
    texts: Mapping[str, str]
    sources: Mapping[str, str]


def rendered(
    ctx: click.Context,
    inputs: tuple[str, ...],
    flags: dict[str, Any],
    compiled: Callable[[Request, str | None], Rendered],
) -> tuple[Request, list[Rendered]]:
    """What is asked for, and the files of each environment.

    Args:
        ctx: Of the command.
        inputs: Its paths.
        flags: Its options.
        compiled: Compiles one environment and adds what it found to the report.
    """
    report: Report = ctx.obj
    known = _remembered(report)
    if known is not None:
        return requested(ctx, inputs, flags), known
    memory = Memory(report, flags.get("out_dir"))
    with memory.watching():
        request = requested(ctx, inputs, flags)
        found = [compiled(request, env) for env in request.environments(several=True)]
    if any(each.texts for each in found) or "out_dir" not in flags:
        memory.keep(request, found)
    return request, found


def _remembered(report: Report) -> list[Rendered] | None:
    """What a former run compiled, with its problems told again; None where it is not known."""
    store = _store()
    if report.answer is None or store is None:
        return None
    from trainc.incremental.memory import problems, texts_of

    texts = texts_of(store, report.answer)
    if texts is None:
        return None
    report.add(problems(report.answer))
    names = [env for env, _ in report.answer.environments]
    return [Rendered(env, *each) for env, each in zip(names, texts, strict=True)]


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

    def watching(self) -> AbstractContextManager[Any]:
        """A context in which everything the run looks at is noted."""
        if self._asked is None:
            return nullcontext()
        from trainc.incremental.watch import Watch

        self._watch = Watch()
        return self._watch

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
        from trainc.incremental.memory import keep

        folders = dict.fromkeys([given, None, default] if same else [given])
        keep(self._store, self._asked, [*folders], trace, seen, answer)


def _answer(
    store: Store, request: Request, folder: str, mine: list[Problem], found: list[Rendered]
) -> Answer:
    from hashlib import sha256

    from trainc.incremental.memory import Answer, keep_texts, plain
    from trainc.manifest.files import index_of

    indexes = [
        (each.env, sha256(index_of(each.texts, each.sources).dump()).hexdigest()) for each in found
    ]
    texts = keep_texts(store, [(each.texts, each.sources) for each in found]) if found else ""
    return Answer(indexes, request.known(), plain(mine), folder, texts)


def _store() -> Store | None:
    from trainc.incremental.store import Store, location

    folder = location(os.environ)
    return None if folder is None else Store(folder)
