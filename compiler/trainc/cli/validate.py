"""``trainc validate``: admission of files, and nothing printed but problems."""

from typing import Any

import click

from trainc.cli.compiling import Request, compiling, environment
from trainc.cli.flags import WHOLE_PROJECT
from trainc.cli.options import reporting
from trainc.cli.rendered import Memory, Rendered, rendered
from trainc.cli.report import Report

_HELP = """
Says what is wrong with TrainJobs and runtimes, and prints no manifests.

What a cluster would refuse is refused here, each problem at its place: schemas, CEL rules,
webhooks, and the compiled JobSets and pods. In a project every environment is looked at, or the
one of --env.

\b
Examples:
  trainc validate                 the project, or the current folder
  trainc validate jobs/mnist.yaml
  trainc validate --problems json jobs/

\b
Exit status:
  0  nothing is wrong, perhaps with warnings
  1  there are errors
  2  wrong usage
"""


@click.command(help=_HELP, short_help="Say what is wrong with files, print nothing else.")
@compiling
@environment
@WHOLE_PROJECT
@reporting
@click.pass_context
def validate(ctx: click.Context, /, inputs: tuple[str, ...], **flags: Any) -> int:
    """Compiles every environment for its problems; returns the exit status."""
    report: Report = ctx.obj

    def compiled(request: Request, env: str | None, memory: Memory) -> Rendered:
        _look(report, request, env, memory)
        return Rendered(env)

    rendered(ctx, inputs, flags, compiled)
    return 1 if report.failed else 0


def _look(report: Report, request: Request, env: str | None, memory: Memory) -> None:
    """Adds to the report what is wrong with one environment."""
    options = request.options(env)._replace(lint="validate")
    report.add(memory.compiled(request.paths, options, texts=False).plan.problems)
