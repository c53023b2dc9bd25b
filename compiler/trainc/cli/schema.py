"""``trainc schema``: JSON Schemas of inputs and outputs; the comment that leads editors to them.

In: flags and files. Out: a schema on stdout, a folder of all, or files with their modeline.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from trainc import codes
from trainc.cli.options import reporting
from trainc.cli.output import write_out
from trainc.cli.report import Report
from trainc.errors import Mark, Problem, TraincError

if TYPE_CHECKING:
    from pathlib import Path

    from trainc.edit.text import Text

_HELP = """
Prints the JSON Schema of a kind, or writes all of them into a folder.

There are schemas of TrainJob, TrainingRuntime and ClusterTrainingRuntime, with the policies that
are installed; of JobSet, LeaderWorkerSet and PodGroup (Volcano's is
PodGroup.scheduling.volcano.sh), which are printed; and of trainc.yaml. They say less than
'trainc validate', which knows CEL rules and webhooks too.

\b
Examples:
  trainc schema --kind TrainJob > trainjob.json
  trainc schema --out-dir schemas
  trainc schema modeline --write jobs/*.yaml
      Lets editors complete and check these files by schemas/.
  trainc schema --layout kubeconform --out-dir schemas
  kubeconform -schema-location default -schema-location \\
    'schemas/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json' out
"""

_MODELINE = """
Prints the comment by which an editor finds the schema of each FILE, or puts it in.

With --write it becomes the first line, or takes the place of the one that is there; everything
else stays byte for byte.

\b
Examples:
  trainc schema modeline --write jobs/*.yaml runtimes/*.yaml trainc.yaml
  trainc schema modeline --schemas https://example.com/schemas jobs/mnist.yaml
"""


@click.group(
    invoke_without_command=True,
    help=_HELP,
    short_help="Export JSON Schemas; modelines for editors.",
)
@click.option("--kind", metavar="KIND", help="Print the schema of this kind, or of trainc.yaml.")
@click.option(
    "--out-dir", metavar="DIR", type=click.Path(file_okay=False), help="Write all schemas here."
)
@click.option(
    "--layout",
    type=click.Choice(["plain", "kubeconform"]),
    default="plain",
    show_default=True,
    help="Names of the files: trainjob.json, or trainer.kubeflow.org/trainjob_v1alpha1.json.",
)
@reporting
@click.pass_context
def schema(ctx: click.Context, kind: str | None, out_dir: str | None, layout: Any) -> int:
    """Exports schemas; returns the exit status."""
    if ctx.invoked_subcommand is not None:
        return 0
    if (kind is None) == (out_dir is None):
        raise click.UsageError("say what is wanted: --kind KIND to print, or --out-dir DIR")
    if kind is not None:
        write_out([_text(_of_kind(kind))])
        return 0
    from pathlib import Path

    from trainc.gitops.schemas import exported

    for name, each in exported(layout).items():
        _replace(Path(str(out_dir)) / name, _text(each))
    return 0


@schema.command(help=_MODELINE, short_help="Lead editors to the schemas.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path())
@click.option("--write", "writes", is_flag=True, help="Put the comment into the files.")
@click.option(
    "--schemas",
    default="schemas",
    show_default=True,
    metavar="DIR|URL",
    help="Where 'trainc schema --out-dir' put them.",
)
@reporting
@click.pass_obj
def modeline(report: Report, /, files: tuple[str, ...], writes: bool, schemas: str) -> int:
    """Prints or writes modelines; each file by itself."""
    from trainc.edit.modeline import modeline as line
    from trainc.edit.modeline import with_modeline
    from trainc.edit.text import opened, written
    from trainc.source.files import File

    for path in files:
        try:
            text = opened(File(path, path, True))
            place = _schema_of(text, schemas)
            if not writes:
                write_out([f"{path}: {line(place)}\n"])
            elif (new := with_modeline(text.text, place)) != text.text:
                written(text, new)
        except TraincError as error:
            report.add(error.problems)
    return 1 if report.failed else 0


def _of_kind(kind: str) -> dict[str, Any]:
    from trainc.gitops.schemas import VERSIONS, of_kind, of_project

    if kind == "trainc.yaml":
        return of_project()
    named = next((known for known in VERSIONS if known.lower() == kind.lower()), None)
    if named is None:
        known = ", ".join((*VERSIONS, "trainc.yaml"))
        raise click.UsageError(f"there is no schema of {kind!r}; there are: {known}")
    return of_kind(named)


def _schema_of(text: Text, schemas: str) -> str:
    """Where the schema of a file is, told from the file.

    Raises:
        TraincError: No schema fits, or it is not there.
    """
    from trainc.gitops.schemas import VERSIONS, kind_of, name_for

    path = text.file.path
    is_json = path.endswith(".json")
    roots = [document.root for document in text.documents]
    kinds = {kind_of(root) if isinstance(root, dict) else "" for root in roots}
    name = None if is_json else name_for(kinds, os.path.basename(path) == "trainc.yaml")
    if name is None:
        message = "JSON takes no comments" if is_json else "no schema fits what it holds"
        hint = f"there are schemas of {', '.join(VERSIONS)} and trainc.yaml"
        raise TraincError([Problem(message, codes.OUTPUT, Mark(path), hint=hint)])
    if "://" in schemas:
        return f"{schemas.rstrip('/')}/{name}"
    place = os.path.join(schemas, name)
    if not os.path.isfile(place):
        hint = f"trainc schema --out-dir {schemas} writes it"
        raise TraincError(
            [Problem("there is no such schema", codes.OUTPUT, Mark(place), hint=hint)]
        )
    return os.path.relpath(place, os.path.dirname(path) or ".").replace(os.sep, "/")


def _text(schema: dict[str, Any]) -> str:
    import json

    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _replace(place: Path, text: str) -> None:
    from trainc.manifest.writing import write_inside

    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        write_inside(str(place), text.encode())
    except OSError as error:
        message = f"cannot write: {error.strerror or error}"
        raise TraincError([Problem(message, codes.OUTPUT, Mark(str(place)))]) from error
