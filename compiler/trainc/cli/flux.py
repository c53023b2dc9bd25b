"""``trainc flux``: what Flux needs to know of compiled objects, ready for a Kustomization.

In: flags and, for ``ignore``, sources. Out: YAML on stdout.
"""

from typing import Any

import click

from trainc.cli.argocd import UNTIL
from trainc.cli.compiling import compiling, environment, requested
from trainc.cli.options import reporting
from trainc.cli.output import write_out
from trainc.cli.report import Report

_HEALTH = """
Prints healthCheckExprs for JobSet, TrainJob, LeaderWorkerSet and PodGroup.

Without them Flux takes a training for ready as soon as it is applied. Finished is Current, failed
is Failed, what waits in a Kueue queue is Current.

\b
Examples:
  trainc flux health
      Paste it below spec: of the Kustomization, with wait: true.
  trainc flux health --until started
      For trainings that take longer than the Kustomization's timeout.
"""

_IGNORE = """
Prints the ignore rules of the objects that PATH... compile to.

They name the fields that Kueue writes. Flux knows JSON pointers only, so there is one rule for
each object: print them again when a job is added. Give it the options of the build; with
environments, one Kustomization syncs one of them.

\b
Example:
  trainc flux ignore --env prod
"""


@click.group(short_help="Health checks and drift rules for Flux.")
def flux() -> None:
    """What Flux must know to sync compiled trainings: print it, put it into the Kustomization."""


@flux.command(help=_HEALTH, short_help="Print healthCheckExprs (CEL).")
@UNTIL
@reporting
def health(until: Any) -> None:
    """Prints the health checks of a Kustomization."""
    from trainc.gitops.health import flux_health
    from trainc.manifest.emit import emit

    write_out([emit({"healthCheckExprs": flux_health(until)})])


@flux.command(help=_IGNORE, short_help="Print ignore rules for the objects of a build.")
@compiling
@environment
@reporting
@click.pass_context
def ignore(ctx: click.Context, /, inputs: tuple[str, ...], **flags: Any) -> int:
    """Prints the drift rules of a Kustomization; returns the exit status."""
    from trainc.gitops.drift import flux_ignore
    from trainc.manifest.emit import emit
    from trainc.manifest.order import in_order
    from trainc.pipeline import compile_sources

    report: Report = ctx.obj
    request = requested(ctx, inputs, flags)
    (env,) = request.environments(several=False)
    options = request.options(env)._replace(profile="flux", lint="off")
    plan = compile_sources(request.paths, options)
    report.add(plan.problems)
    if not report.failed:
        write_out([emit(flux_ignore(in_order(plan.objects)))])
    return 1 if report.failed else 0
