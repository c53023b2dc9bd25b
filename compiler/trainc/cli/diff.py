"""``trainc diff``: what a change does to a cluster, before it is merged.

In: paths and the options of a build, and what to compare with: a git revision or a cluster. Out:
the changes on stdout, those that end running jobs first.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from trainc.cli.compiling import Request, compiling, environment, requested
from trainc.cli.options import reporting
from trainc.cli.output import write_out
from trainc.cli.report import Report
from trainc.errors import Problem, TraincError

if TYPE_CHECKING:
    from trainc.diff.change import Comparison, Identity
    from trainc.diff.revision import Checkout
    from trainc.plan.plan import Object

    _Built = dict[str | None, tuple[Object, ...]]

_HELP = """
Says of every object what a change does to it: created, changed in place, NEEDS REPLACEMENT
(the API server refuses the change, and a running job would be killed) or pruned.

Both sides are compiled with the same options, so neither out/ nor a cluster is needed for --base.
What replaces an object is decided by the rules of TrainJob, JobSet and the helpers, and each is
told with the fields that differ. Values of Secrets are never shown.

\b
Examples:
  trainc diff --base main                 the files here against those of main
  trainc diff --base origin/main...       ... of where this branch left main
  trainc diff --base HEAD~1 --env prod -o markdown > comment.md
  trainc diff --cluster --context prod --env prod
      against what runs there; needs trainc[controller]

\b
Exit status, as of diff:
  0  no differences
  1  there are differences; or the files have errors, and nothing is printed
  2  wrong usage, or trainc[controller] is not installed
"""


@click.command(help=_HELP, short_help="Say what a change replaces, creates, changes and prunes.")
@compiling
@environment
@click.option("--base", metavar="REF", help="Compare with this git revision.")
@click.option("--cluster", is_flag=True, help="Compare with a cluster, by dry runs.")
@click.option("--context", metavar="NAME", help="With --cluster: context of the kubeconfig.")
@click.option("--kubeconfig", type=click.Path(), help="With --cluster. Default: as kubectl's.")
@click.option(
    "--field-manager",
    metavar="NAME",
    help="With --cluster: who applies the objects. Default: whoever applied them last.",
)
@click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="Form of the output; markdown is a comment for a pull request.",
)
@reporting
@click.pass_context
def diff(ctx: click.Context, /, inputs: tuple[str, ...], **flags: Any) -> int:
    """Prints the changes; returns the exit status."""
    _refuse_contradictions(inputs, flags)
    report: Report = ctx.obj
    request = requested(ctx, inputs, flags)
    environments = request.environments(several=not flags["cluster"])
    built = {env: _compiled(report, request, env) for env in environments}
    if report.failed:
        return 1
    if flags["cluster"]:
        found = _with_cluster(built, flags)
        other = f"the cluster of context {flags['context']}" if flags["context"] else "the cluster"
    else:
        found = _with_revision(ctx, report, request, inputs, flags, built)
        other = flags["base"]
    if report.failed:
        return 1
    write_out(_rendered(found, flags["form"], other))
    return 1 if any(comparison.changes for comparison in found) else 0


def _refuse_contradictions(inputs: tuple[str, ...], flags: dict[str, Any]) -> None:
    if bool(flags["base"]) == flags["cluster"]:
        raise click.UsageError("say what to compare with: --base REF or --cluster")
    if flags["base"] and "-" in inputs:
        raise click.UsageError("--base compares files: standard input has no revision")
    for name in ("context", "kubeconfig", "field_manager"):
        if flags[name] and not flags["cluster"]:
            raise click.UsageError(f"--{name.replace('_', '-')} goes with --cluster")


def _rendered(found: list[Comparison], form: str, other: str) -> Iterable[str]:
    if form == "json":
        from trainc.diff.report import as_json

        return [as_json(found)]
    if form == "markdown":
        from trainc.diff.report import markdown

        return markdown(found, other)
    from trainc.diff.text import text

    return text(found)


def _compiled(report: Report, request: Request, env: str | None) -> tuple[Object, ...]:
    """The objects of one environment, in the order in which they are printed."""
    from trainc.manifest.order import in_order
    from trainc.pipeline import compile_sources

    plan = compile_sources(request.paths, request.options(env))
    report.add(plan.problems)
    return in_order(plan.objects)


def _with_revision(
    ctx: click.Context,
    report: Report,
    request: Request,
    inputs: tuple[str, ...],
    flags: dict[str, Any],
    built: _Built,
) -> list[Comparison]:
    """The changes since a revision, environment by environment."""
    from trainc.diff.change import Comparison
    from trainc.diff.compare import compared
    from trainc.diff.revision import checkout

    start, places = _places(request, inputs, flags)
    with checkout(flags["base"], start, places) as base:
        before = _base(ctx, base, request, inputs, flags, built)
    found = []
    for env in [*built, *(env for env in before if env not in built)]:
        old, new = before.get(env, ()), built.get(env, ())
        changes = compared(
            [each.manifest for each in old],
            [each.manifest for each in new],
            _origins((*old, *new)),
            renames=request.setting("on_change", "keep") == "rename",
        )
        found.append(Comparison(env, changes))
    return found


def _origins(objects: Iterable[Object]) -> dict[Identity, str]:
    from trainc.diff.change import identity_of

    return {identity_of(each.manifest): each.origin for each in objects}


def _places(
    request: Request, inputs: tuple[str, ...], flags: dict[str, Any]
) -> tuple[str, list[str]]:
    """A folder of the repository, and every file and folder that a build of it may read."""
    first = request.project.root if request.project else (inputs or (".",))[0]
    start = first if os.path.isdir(first) else os.path.dirname(first) or "."
    while not os.path.isdir(start):
        start = os.path.dirname(start) or "."
    places = [*(inputs or (".",)), *flags["runtimes"], *flags["values"]]
    if request.project is not None:
        places.append(request.project.root)
    else:
        places.append(start)  # its runtimes/ and .traincignore
    return start, [*places, *([flags["status_ca"]] if flags["status_ca"] else [])]


def _base(
    ctx: click.Context,
    base: Checkout,
    request: Request,
    inputs: tuple[str, ...],
    flags: dict[str, Any],
    built: _Built,
) -> _Built:
    """What the revision compiles to: below the paths, and what is now made below them.

    The latter is of jobs whose file was moved since: they are no new ones.
    """
    with _told_of(flags["base"], base.folder):
        found = _compiled_paths(ctx, base, inputs or (".",), flags)
    if request.project is None or not request.paths:
        return found
    try:
        every = _compiled_paths(ctx, base, (request.project.root,), flags)
    except TraincError:
        return found  # what is wrong elsewhere is not asked for
    return {env: _together(found.get(env, ()), every[env], built.get(env, ())) for env in every}


def _together(
    below: Iterable[Object], every: Iterable[Object], now: Iterable[Object]
) -> tuple[Object, ...]:
    """Of all objects those below the paths, and those that stand below them now."""
    wanted = {*_origins(below), *_origins(now)}
    return tuple(each for each in every if {*_origins([each])} <= wanted)


def _compiled_paths(
    ctx: click.Context, base: Checkout, paths: tuple[str, ...], flags: dict[str, Any]
) -> _Built:
    """What some paths of the revision compile to; nothing where it has none of them."""
    there = _moved(base, paths)
    if not there:
        return {}
    own = {**flags, **{name: _moved(base, flags[name]) for name in ("runtimes", "values")}}
    if flags["status_ca"]:
        own["status_ca"] = base.place(flags["status_ca"])
    request = Request(ctx, there, own)
    if request.project is None and flags["env"] is not None:
        return {}  # the project is younger than the revision
    return {env: _compiled_base(request, env) for env in _known(request, flags)}


def _known(request: Request, flags: dict[str, Any]) -> tuple[str | None, ...]:
    """The environments to compile of the revision: none where it lacks the one asked for."""
    if request.project is not None and flags["env"] not in (None, "all"):
        from trainc.project.environment import environments

        if flags["env"] not in environments(request.project):
            return ()
    return request.environments(several=True)


def _moved(base: Checkout, paths: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(path for path in map(base.place, paths) if os.path.exists(path))


def _compiled_base(request: Request, env: str | None) -> tuple[Object, ...]:
    """The objects of the revision; of its problems only what makes them useless is told."""
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


def _with_cluster(built: _Built, flags: dict[str, Any]) -> list[Comparison]:
    """What applying the objects would do to a cluster."""
    from trainc.cli.extra import require

    require("controller", "kubernetes")
    from trainc.controller.api import ApiError
    from trainc.controller.console.access import access, refusal
    from trainc.controller.console.target import Target
    from trainc.diff.change import Comparison
    from trainc.diff.live import with_live

    api, _ = access(flags["kubeconfig"], flags["context"])
    found = []
    try:
        for env, objects in built.items():
            manifests = [each.manifest for each in objects]
            changes = with_live(
                Target(api), manifests, flags["field_manager"] or "", _origins(objects)
            )
            found.append(Comparison(env, changes))
    except ApiError as error:
        raise TraincError([refusal(error)]) from error
    return found
