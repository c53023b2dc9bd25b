"""``trainc check``: is the rendered output what the sources say?

In: paths and the options of a build. Out: a unified diff on stdout, exit status 1 where it is not.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trainc import codes
from trainc.cli.compiling import Request, compiling, environment
from trainc.cli.flags import WHOLE_PROJECT
from trainc.cli.options import reporting
from trainc.cli.output import write_out
from trainc.cli.rendered import Memory, Rendered, rendered
from trainc.cli.report import Report
from trainc.errors import Mark, Problem
from trainc.manifest.folder import refuse_links

if TYPE_CHECKING:
    from trainc.manifest.scope import Scope

_HELP = """
Compares the rendered output with what a build would write, and writes nothing.

The gate for pre-commit and CI: a unified diff goes to stdout where an object differs, is missing
or should not be there. Comments and the order of keys do not count. Give it the options of the
build; in a project both take them from trainc.yaml.

\b
Examples:
  trainc check                    every environment of the project against out/
  trainc check --env prod         one of them
  trainc check --out-dir k8s jobs/

\b
Exit status:
  0  fresh
  1  stale: run trainc build --out-dir with the same options; or the files have errors
  2  wrong usage
"""


@click.command(help=_HELP, short_help="Is the rendered output what the sources say?")
@compiling
@environment
@click.option(
    "--out-dir",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=str),
    help="Folder of the rendered output. Default: output of trainc.yaml, else out.",
)
@WHOLE_PROJECT
@reporting
@click.pass_context
def check(ctx: click.Context, /, inputs: tuple[str, ...], **flags: Any) -> int:
    """Compares every environment with its folder; returns the exit status."""
    report: Report = ctx.obj

    def compiled(request: Request, env: str | None, memory: Memory) -> Rendered:
        options = request.options(env)._replace(out_dir=request.output(flags["out_dir"]))
        return memory.rendered(request.paths, options)

    found = rendered(ctx, inputs, flags, compiled)
    if report.failed:
        return 1
    for request, made in found:
        folder = Path(request.output(flags["out_dir"]))
        refuse_links(folder)
        _judged(report, request, folder, made)
    return 1 if report.failed else 0


def _judged(report: Report, request: Request, folder: Path, made: list[Rendered]) -> None:
    """Prints how the output of one project differs; that it does is an error."""
    diffs: list[str] = []
    for each in made:
        place = folder if each.env is None else folder / each.env
        diffs += _compared(report, place, each, request.scope())
    for name in request.gone(folder):
        diffs += _compared(report, folder / name, Rendered(name), request.scope())
    write_out(diffs)
    if diffs:
        path = f" {request.inputs[0]}" if request.among_others else ""
        hint = f"trainc build --out-dir {folder}{path} with the same options makes it fresh"
        number = len(diffs)
        message = f"{number} file{'s' * (number > 1)} of the output differ{'s' * (number == 1)}"
        report.add([Problem(message, codes.DRIFT, Mark(str(folder)), hint=hint)])


def _compared(report: Report, folder: Path, made: Rendered, scope: "Scope") -> tuple[str, ...]:
    from trainc.cli.writing import unknown_sources
    from trainc.manifest.drift import drift
    from trainc.version import __version__

    found = drift(folder, made.texts, made.origins, scope)
    if found.compiler and not found.diffs:
        message = f"written by trainc {found.compiler}, this is {__version__}; the objects agree"
        report.add([Problem(message, codes.DRIFT, Mark(str(folder)), severity="note")])
    report.add(unknown_sources(folder, found.unknown))
    return found.diffs
