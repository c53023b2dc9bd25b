"""``trainc diff``: what a change does to a cluster, before it is merged.

In: paths and the options of a build, and what to compare with: a git revision or a cluster. Out:
the changes on stdout, those that end running jobs first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from trainc.cli.compiling import Request, base_of, compiling, environment, requested
from trainc.cli.options import reporting
from trainc.cli.output import write_out
from trainc.cli.place import placed
from trainc.cli.report import Report
from trainc.errors import TraincError

if TYPE_CHECKING:
    from trainc.cli.since import Built
    from trainc.diff.change import Comparison
    from trainc.plan.plan import Object

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
        from trainc.cli.since import Asked, since

        found = since(Asked(ctx, request, inputs, flags), built)
        other = flags["base"]
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

    options = request.options(env)
    plan = compile_sources(request.paths, options)
    report.add(placed(plan.problems, base_of(request.paths, options)))
    return in_order(plan.objects)


def _with_cluster(built: Built, flags: dict[str, Any]) -> list[Comparison]:
    """What applying the objects would do to a cluster."""
    from trainc.cli.extra import require

    require("controller", "kubernetes")
    from trainc.cli.since import origins
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
                Target(api), manifests, flags["field_manager"] or "", origins(objects)
            )
            found.append(Comparison(env, changes))
    except ApiError as error:
        raise TraincError([refusal(error)]) from error
    return found
