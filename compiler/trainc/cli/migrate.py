"""``trainc migrate``: files of older APIs, written anew in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from trainc import codes
from trainc.cli.options import reporting
from trainc.cli.output import write_out
from trainc.cli.report import Report
from trainc.errors import Mark, Problem, TraincError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trainc.edit.migration.work import Options
    from trainc.edit.text import Text

_HELP = """
Writes objects of older APIs anew, in place; comments come along, the rest of the file stays.

\b
  PyTorchJob, MPIJob, JAXJob, XGBoostJob      a TrainJob and a TrainingRuntime
  (kubeflow.org/v1; MPIJob v2beta1 too)
  podTemplateOverrides, podSpecOverrides,     runtimePatches
  spec.labels, spec.annotations of a TrainJob
  numProcPerNode: auto, cpu or gpu            left out, or the number
  mlPolicy.torch.numProcPerNode               left out; a number goes to the TrainJobs

A migrated job behaves as it did: it starts again as often, its containers have the same variables,
and its pods find each other. What has no counterpart is listed, each at its place, and the file is
left as it was; so is a file whose job would have the name of another object in the same run.
FILE - is standard input; the text goes to standard output.

\b
Examples:
  trainc migrate jobs/*.yaml
  trainc migrate --dry-run old.yaml
  trainc migrate --manager acme.com/vision jobs/mnist.yaml
  trainc migrate --fixed-nodes elastic.yaml

\b
Exit status:
  0  migrated, or nothing to migrate
  1  something has no counterpart, or a file cannot be read or written
  2  wrong usage
"""


def _manager(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """A name that the admission of TrainJobs takes."""
    from trainc.spec.webhook import is_manager

    if not is_manager(value):
        raise click.BadParameter(f"{value!r} is no domain, a slash and a path: acme.com/vision")
    return value


@click.command(help=_HELP, short_help="Write objects of older APIs anew.")
@click.argument("paths", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--manager",
    default="trainc.dev/migrated",
    show_default=True,
    metavar="DOMAIN/PATH",
    callback=_manager,
    help="Whom runtimePatches are by.",
)
@click.option(
    "--fixed-nodes",
    is_flag=True,
    help="Take elasticPolicy: as many nodes as there are replicas, and no autoscaler.",
)
@click.option("--dry-run", is_flag=True, help="Print a diff and write nothing.")
@reporting
@click.pass_context
def migrate(
    ctx: click.Context,
    /,
    paths: tuple[str, ...],
    manager: str,
    fixed_nodes: bool,
    dry_run: bool,
) -> int:
    """Migrates files, whose names must not clash; returns the exit status."""
    from trainc.edit.migration import clashes
    from trainc.edit.migration.work import Options

    report: Report = ctx.obj
    texts = _opened(report, paths)
    options = Options(manager, fixed_nodes)
    for text, problems in zip(
        texts, clashes.between([each.documents for each in texts]), strict=True
    ):
        report.add(problems)
        try:
            write_out(_migrated(report, text, options, bool(problems), dry_run))
        except TraincError as error:
            report.add(error.problems)
    return 1 if report.failed else 0


def _opened(report: Report, paths: Iterable[str]) -> list[Text]:
    """The files that can be read, each once."""
    from trainc.edit.text import opened
    from trainc.source.files import File
    from trainc.source.walk import printable

    texts = []
    for path in dict.fromkeys(paths):
        try:
            texts.append(opened(File(path, printable(path), True)))
        except TraincError as error:
            report.add(error.problems)
    return texts


def _migrated(
    report: Report, text: Text, options: Options, clash: bool, dry_run: bool
) -> list[str]:
    """Migrates one file; what there is to print about it."""
    from trainc.edit.difference import difference
    from trainc.edit.migration.rewrite import migrated
    from trainc.edit.text import written
    from trainc.source.files import STDIN

    done = migrated(text, options)
    report.add(done.problems)
    if clash or any(problem.severity == "error" for problem in done.problems):
        return []
    if dry_run:
        return [difference(text.file.name, text.text, done.text)]
    is_stdin = text.file.path == STDIN
    if is_stdin or done.objects:
        written(text, done.text)
    if not done.objects:
        report.add(
            [Problem("nothing to migrate", codes.MIGRATION, Mark(text.file.name), severity="note")]
        )
    return [] if is_stdin else [f"{text.file.name}: {label}\n" for label in done.objects]
