"""``trainc init``: a project to begin with. In: a folder. Out: files, and what to do next."""

import os

import click

from trainc.cli.options import reporting
from trainc.cli.output import write_out
from trainc.cli.report import Report
from trainc.errors import Mark, Problem

_HELP = """
Begins a project in DIR (default: the current folder, made where it is missing).

Written are trainc.yaml, with every key and its default in comments, a TrainJob and two
environments, dev and prod. No file that is there is changed: where trainc.yaml is there, nothing
is written; where overlays/ or jobs/mnist.yaml is, trainc.yaml alone is. TrainJobs and runtimes
that stand in DIR already become sources of the project.

\b
Examples:
  trainc init
  trainc init training && cd training
  trainc build --out-dir out    writes every environment
  trainc check                  says whether out/ is fresh

\b
Exit status:
  0  begun, or a project already
  1  the folder cannot be written; nothing is left behind
  2  wrong usage
"""


@click.command(help=_HELP, short_help="Begin a project: trainc.yaml and a working example.")
@click.argument("folder", required=False, default=".", metavar="[DIR]")
@click.option("--bare", is_flag=True, help="Write trainc.yaml only.")
@reporting
@click.pass_context
def init(ctx: click.Context, /, folder: str, bare: bool) -> int:
    """Writes what is missing and prints it."""
    from trainc.project.start import start

    report: Report = ctx.obj
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise click.UsageError(f"{folder!r} is no folder")
    started = start(folder, bare=bare)
    write_out(f"{os.path.normpath(os.path.join(folder, name))}\n" for name in started.written)
    report.add(Problem(left, Mark(folder), severity="note") for left in started.left)
    return 1 if report.failed else 0
