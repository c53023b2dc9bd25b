"""``trainc list``: the jobs of a project, a line each.

In: the paths of a build. Out: a table, JSON or CSV on stdout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from trainc.cli.compiling import base_of, compiling, environment
from trainc.cli.options import reporting
from trainc.cli.output import write_out
from trainc.cli.place import placed

if TYPE_CHECKING:
    from trainc.cli.compiling import Request
    from trainc.cli.report import Report
    from trainc.review.jobs import JobLine

_HELP = """
Lists the jobs, a line each: where they run, on how many nodes and devices, in which queue, and for
how long at most.

In a project the jobs of every environment are listed, or those of --env.

\b
Examples:
  trainc list
  trainc list --env prod -o wide
  trainc list jobs/vision -o csv > jobs.csv

\b
Exit status:
  0  listed
  1  there are errors; the jobs without one are listed
  2  wrong usage
"""


@click.command("list", help=_HELP, short_help="List the jobs and what each takes.")
@compiling
@environment
@click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(["table", "wide", "json", "csv"]),
    default="table",
    show_default=True,
    help="Form of the output; wide adds the image, the data and the file.",
)
@reporting
@click.pass_context
def list_(ctx: click.Context, /, inputs: tuple[str, ...], **flags: Any) -> int:
    """Compiles every environment and lists its jobs; returns the exit status."""
    from trainc.cli.listing import listed
    from trainc.cli.projects import requests

    report: Report = ctx.obj
    lines = [
        line
        for request in requests(ctx, inputs, flags)
        for env in request.environments(several=True)
        for line in _lines(report, request, env)
    ]
    write_out([listed(lines, flags["form"])])
    return 1 if report.failed else 0


def _lines(report: Report, request: Request, env: str | None) -> list[JobLine]:
    """The jobs of one environment; the report takes what is wrong with others."""
    from trainc.pipeline import compile_sources
    from trainc.review.jobs import line_of

    found: list[JobLine] = []

    def note(info: Any, objects: object) -> tuple[()]:
        found.append(line_of(info, env or ""))
        return ()

    options = request.options(env)._replace(lint="off", inspect=note)
    plan = compile_sources(request.paths, options)
    errors = [each for each in plan.problems if each.severity == "error"]
    report.add(placed(errors, base_of(request.paths, options)))
    return found
