"""What changed since a git revision: both sides compiled, jobs whose file was moved found again.

In: what ``trainc diff`` was asked, and what the files here compile to. Out: one comparison an
environment.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from trainc.cli.compiling import Request
from trainc.errors import Problem, TraincError

if TYPE_CHECKING:
    import click

    from trainc.diff.change import Comparison, Identity
    from trainc.diff.revision import Checkout
    from trainc.plan.plan import Object

    Built = dict[str | None, tuple[Object, ...]]


class Asked(NamedTuple):
    """A command line of ``trainc diff``.

    Attributes:
        ctx: Click's context.
        request: What the files here are compiled as.
        inputs: The paths as given.
        flags: The options by name.
    """

    ctx: click.Context
    request: Request
    inputs: tuple[str, ...]
    flags: dict[str, Any]

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths, with the one that holds where none is given."""
        return self.inputs or (".",)


def since(asked: Asked, built: Built) -> list[Comparison]:
    """The changes since the revision, environment by environment.

    Raises:
        TraincError: There is no such revision, or it has errors.
    """
    from trainc.diff.change import Comparison
    from trainc.diff.compare import compared
    from trainc.diff.revision import checkout

    start, places = _places(asked)
    project = asked.request.project
    with checkout(asked.flags["base"], start, places, project and project.root) as base:
        before = _base(asked, base, built)
        built = _now(asked, base, built, before)
    found = []
    for env in [*built, *(env for env in before if env not in built)]:
        old, new = before.get(env, ()), built.get(env, ())
        changes = compared(
            [each.manifest for each in old],
            [each.manifest for each in new],
            origins((*old, *new)),
            renames=asked.request.setting("on_change", "keep") == "rename",
        )
        found.append(Comparison(env, changes))
    return found


def origins(objects: Iterable[Object]) -> dict[Identity, str]:
    """Where each object comes from; of one in both halves, where the latter does."""
    from trainc.diff.change import identity_of

    return {identity_of(each.manifest): each.origin for each in objects}


def _places(asked: Asked) -> tuple[str, list[str]]:
    """A folder of the repository, and every file and folder that a build of it may read."""
    flags, project = asked.flags, asked.request.project
    first = project.root if project else asked.paths[0]
    start = first if os.path.isdir(first) else os.path.dirname(first) or "."
    while not os.path.isdir(start):
        start = os.path.dirname(start) or "."
    places = [*asked.paths, *flags["runtimes"], *flags["values"]]
    places.append(project.root if project else start)  # its runtimes/ and .traincignore
    return start, [*places, *([flags["status_ca"]] if flags["status_ca"] else [])]


def _base(asked: Asked, base: Checkout, built: Built) -> Built:
    """What the revision compiles to: below the paths, and what is now made below them.

    The latter is of jobs whose file was moved since: they are no new ones.
    """
    there = _there(base, asked.paths)
    with _told_of(asked.flags["base"], base.folder):
        found = _compiled(asked, base, there)
    project = asked.request.project
    wide = (*there, *map(base.at, base.gone)) if base.gone else ()
    if project is not None:
        wide = _there(base, (project.root,)) if asked.request.paths else ()
    if not wide or not _lost(built, found):
        return found
    try:
        every = _compiled(asked, base, wide)
    except TraincError:
        return found  # what is wrong elsewhere is not asked for
    return {env: _together(found.get(env, ()), every[env], built.get(env, ())) for env in every}


def _now(asked: Asked, base: Checkout, built: Built, before: Built) -> Built:
    """What is built, and what stood below the paths before and was moved out of them."""
    if not _lost(before, built):
        return built
    if asked.request.project is None:
        new = base.new()
        wide = (*asked.paths, *new) if new else ()
    else:
        wide = (asked.request.project.root,) if asked.request.paths else ()
    if not wide:
        return built
    request = Request(asked.ctx, wide, asked.flags)
    try:
        every = {env: _objects(request, env) for env in built}
    except TraincError:
        return built
    return {env: _together(built[env], every[env], before.get(env, ())) for env in built}


def _lost(these: Built, those: Built) -> bool:
    """Whether some object of these is not among those."""
    return any({*origins(these[env])} - {*origins(those.get(env, ()))} for env in these)


def _together(
    below: Iterable[Object], every: Iterable[Object], others: Iterable[Object]
) -> tuple[Object, ...]:
    """The objects below the paths, and of all those that the other side has below them."""
    from trainc.manifest.order import in_order

    below = tuple(below)
    missing = {*origins(others)} - {*origins(below)}
    return in_order([*below, *(each for each in every if {*origins([each])} <= missing)])


def _compiled(asked: Asked, base: Checkout, paths: tuple[str, ...]) -> Built:
    """What paths of the revision's folder compile to; nothing without any."""
    if not paths:
        return {}
    flags = asked.flags
    own = {**flags, **{name: _there(base, flags[name]) for name in ("runtimes", "values")}}
    if flags["status_ca"]:
        own["status_ca"] = base.place(flags["status_ca"])
    request = Request(asked.ctx, paths, own)
    if request.project is None and flags["env"] is not None:
        return {}  # the project is younger than the revision
    return {env: _objects(request, env) for env in _known(request, flags)}


def _known(request: Request, flags: Mapping[str, Any]) -> tuple[str | None, ...]:
    """The environments to compile of the revision: none where it lacks the one asked for."""
    if request.project is not None and flags["env"] not in (None, "all"):
        from trainc.project.environment import environments

        if flags["env"] not in environments(request.project):
            return ()
    return request.environments(several=True)


def _there(base: Checkout, paths: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(path for path in map(base.place, paths) if os.path.exists(path))


def _objects(request: Request, env: str | None) -> tuple[Object, ...]:
    """The objects in the order of a build; of problems only what makes them useless is told."""
    from trainc.manifest.order import in_order
    from trainc.pipeline import compile_sources

    plan = compile_sources(request.paths, request.options(env)._replace(lint="off"))
    wrong = [problem for problem in plan.problems if problem.severity == "error"]
    if wrong:
        raise TraincError(wrong)
    return in_order(plan.objects)


@contextmanager
def _told_of(revision: str, folder: str) -> Iterator[None]:
    """Says of problems that it is the revision that has them."""
    try:
        yield
    except TraincError as error:
        raise TraincError([_of(revision, folder, each) for each in error.problems]) from error


def _of(revision: str, folder: str, problem: Problem) -> Problem:
    mark = problem.mark
    if mark is None:
        return problem._replace(message=f"in {revision}: {problem.message}")
    file = mark.file
    if os.path.isabs(file):
        file = os.path.relpath(file, folder)
    return problem._replace(mark=mark._replace(file=f"{revision}:{file}"))
