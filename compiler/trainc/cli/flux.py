"""``trainc flux``: what Flux needs to know of compiled objects, ready for a Kustomization.

In: flags. Out: YAML on stdout.
"""

from typing import Any

import click

from trainc.cli.argocd import UNTIL
from trainc.cli.compiling import compiling, environment, requested
from trainc.cli.options import reporting
from trainc.cli.output import write_out

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
Prints the ignore rule for queued JobSets: Kueue alone suspends and resumes them.

The rule names a kind and no object, so it is printed once, whatever PATH... compiles to.

\b
Example:
  trainc flux ignore
      Paste it below spec: of the Kustomization.
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


@flux.command(help=_IGNORE, short_help="Print the ignore rule for queued JobSets.")
@compiling
@environment
@reporting
@click.pass_context
def ignore(ctx: click.Context, /, inputs: tuple[str, ...], **flags: Any) -> None:
    """Prints the drift rule of a Kustomization."""
    from trainc.gitops.drift import flux_ignore
    from trainc.manifest.emit import emit

    requested(ctx, inputs, flags).environments(several=False)
    write_out([emit(flux_ignore())])
