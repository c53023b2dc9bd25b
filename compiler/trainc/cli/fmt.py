"""``trainc fmt``: key order and indentation of trainc's own YAML.

In: paths. Out: the files, edited in place, and their names; or a diff, with ``--check``.
"""

from typing import TYPE_CHECKING

import click

from trainc import codes
from trainc.cli.options import reporting
from trainc.cli.output import write_out
from trainc.cli.report import Report
from trainc.errors import Mark, Problem, TraincError

if TYPE_CHECKING:
    from trainc.source.files import File

_HELP = """
Brings YAML files into one form: keys in the order of the API, two blanks a level.

Comments, anchors, quotes, blank lines and the order of lists stay, and so do flow collections
({a: 1}) and scalars. What a file means never changes: it is read back before it is written.
Formatting twice changes nothing more.

PATH is a file, a folder (read recursively for *.yaml and *.yml) or - for standard input, whose
format goes to standard output; without one, the current folder. Touched are TrainJobs, runtimes,
lists of them, patches of overlays, overlay.yaml and trainc.yaml; other documents, templates
(*.j2) and the output of a build stay as they are.

\b
Examples:
  trainc fmt                    the project; prints the names of changed files
  trainc fmt --check jobs/      a diff of what would change; writes nothing
  trainc fmt - < job.yaml

\b
Exit status:
  0  everything is in form now
  1  with --check: something is not; or a file cannot be read or written
  2  wrong usage
"""


@click.command(help=_HELP, short_help="Bring YAML files into one form.")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--check", "checks", is_flag=True, help="Print a diff and write nothing.")
@reporting
@click.pass_context
def fmt(ctx: click.Context, /, paths: tuple[str, ...], checks: bool) -> int:
    """Formats files; each by itself, so that one that is wrong does not keep the others."""
    from trainc.edit.selection import selected
    from trainc.source.files import STDIN

    report: Report = ctx.obj
    changed: list[str] = []
    for file in selected(paths or (".",)):
        try:
            done = _formatted(file, checks)
        except TraincError as error:
            report.add(error.problems)
            continue
        if done is not None:
            changed.append(file.name)
            write_out([done] if checks or file.path != STDIN else [])
    if checks and changed:
        files = "1 file is" if len(changed) == 1 else f"{len(changed)} files are"
        hint = "trainc fmt brings them into form"
        report.add([Problem(f"{files} not in form", codes.FORM, Mark(changed[0]), hint=hint)])
    return 1 if report.failed else 0


def _formatted(file: "File", checks: bool) -> str | None:
    """Formats a file; what to print about it, None where it is in form."""
    from trainc.edit.difference import difference
    from trainc.edit.formatting import formatted
    from trainc.edit.text import opened, written
    from trainc.source.files import STDIN

    text = opened(file)
    new = formatted(text)
    if not checks and (new != text.text or file.path == STDIN):
        written(text, new)
    if new == text.text:
        return None
    return difference(file.name, text.text, new) if checks else f"{file.name}\n"
