"""``trainc init``: a project to begin with. In: a folder. Out: files, and what to do next."""

import os
import shlex
from collections.abc import Sequence

import click

from trainc import codes
from trainc.cli.options import reporting
from trainc.cli.output import write_out
from trainc.cli.report import Report
from trainc.errors import Mark, Problem
from trainc.source.walk import printable

_HELP = """
Begins a project in DIR (default: the current folder, made where it is missing).

Written are trainc.yaml, with every key and its default in comments, a TrainJob, two environments,
dev (the default) and prod, and .gitignore. No file that is there is changed: where trainc.yaml is
there, only what --ci names is written; where overlays/ or jobs/mnist.yaml is, no example is.
TrainJobs and runtimes that stand in DIR already become sources of the project.

--ci writes a workflow for every change: format, problems as a report, fresh output, and a comment
that says which running jobs the change ends. It installs this version of trainc.

\b
Examples:
  trainc init
  trainc init training && cd training
  trainc init --profile argocd --ci github
  trainc build > manifests.yaml    prints dev
  trainc build --out-dir out       writes every environment

\b
Exit status:
  0  begun, or a project already
  1  the folder cannot be written; nothing is left behind
  2  wrong usage
"""


@click.command(help=_HELP, short_help="Begin a project: trainc.yaml and a working example.")
@click.argument("folder", required=False, default=".", metavar="[DIR]")
@click.option("--bare", is_flag=True, help="Write trainc.yaml only.")
@click.option(
    "--profile",
    type=click.Choice(["argocd", "flux"]),
    help="The tool that will sync the output; sets on_change: rename too.",
)
@click.option("--ci", type=click.Choice(["github", "gitlab"]), help="Write the workflow, too.")
@reporting
@click.pass_context
def init(
    ctx: click.Context, /, folder: str, bare: bool, profile: str | None, ci: str | None
) -> int:
    """Writes what is missing, prints it, and says what to do next."""
    from trainc.project.start import start

    report: Report = ctx.obj
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise click.UsageError(f"{folder!r} is no folder")
    started = start(folder, bare=bare, profile=profile or "", ci=ci or "")
    write_out(f"{os.path.normpath(os.path.join(folder, name))}\n" for name in started.written)
    report.add(Problem(left, codes.KEPT, Mark(folder), severity="note") for left in started.left)
    if started.sources and report.verbosity >= 0 and not report.json:
        click.echo(_next_steps(folder, started.written), err=True)
    return 1 if report.failed else 0


def _next_steps(folder: str, written: Sequence[str]) -> str:
    """The commands to try, each with what it does."""
    example = "overlays/dev/mnist.yaml" in written
    steps = [
        ("trainc build > manifests.yaml", "prints dev" if example else "prints the objects"),
        ("trainc build --out-dir out", "writes every environment, to be committed"),
        ("trainc check", "fails where out/ is not what the sources say"),
    ]
    if os.path.normpath(folder) != os.curdir:
        steps.insert(0, (f"cd {shlex.quote(printable(folder))}", ""))
    lines = (f"  {command:<31}{effect}".rstrip() for command, effect in steps)
    return "\n".join(("next:", *lines))
