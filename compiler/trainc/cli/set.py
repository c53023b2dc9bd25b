"""``trainc set``: one value, set in the files where it is written."""

from typing import TYPE_CHECKING

import click

from trainc.cli.options import reporting
from trainc.cli.output import write_out
from trainc.cli.report import Report

if TYPE_CHECKING:
    from trainc.edit.text import Text
    from trainc.source.files import File

_IMAGE = """
Sets images in TrainJobs, runtimes and overlays, in place; every other letter of the files stays.

NAME is the name of a container, of a job with one container, or JOB/CONTAINER. JOB is a TrainJob,
whose trainer is called node, or a job of a runtime; * is every image there is. The image is set
where one is written; where none is, it is added. A name that fits in none of the files is an
error, and no file is touched. FILE - is standard input; the text goes to standard output.

\b
Examples:
  trainc set image node=registry.example/train:1.2 jobs/*.yaml
  trainc set image mnist=registry.example/mnist:2.0 jobs/mnist.yaml
  trainc set image launcher/node=registry.example/mpi:5 runtimes/mpi.yaml
  trainc set image --dry-run '*=registry.example/all:1' jobs/a.yaml

\b
Exit status:
  0  set; each change is printed
  1  a name fits nothing, or a file cannot be read or written
  2  wrong usage
"""


@click.group("set", short_help="Set a value in the files where it is written.")
def set_() -> None:
    """Sets one value in the files where it is written."""


@set_.command(help=_IMAGE, short_help="Set the image of a container or a job.")
@click.argument("words", nargs=-1, required=True, metavar="NAME=IMAGE... FILE...")
@click.option("--dry-run", is_flag=True, help="Print a diff and write nothing.")
@reporting
@click.pass_context
def image(ctx: click.Context, /, words: tuple[str, ...], dry_run: bool) -> int:
    """Sets images: all of them, or none where one name is wrong."""
    from trainc.edit.image import chosen, slots_of, with_images
    from trainc.edit.text import opened, written
    from trainc.source.files import STDIN

    report: Report = ctx.obj
    wanted, paths = _sorted_out(words)
    texts = [opened(file) for file in _files(paths)]
    found = [slots_of(text) for text in texts]
    changes = chosen([slot for each in found for slot in each], wanted)
    edits: list[tuple[Text, str]] = []
    for text in texts:
        own = [each for each in changes if each.slot.document in text.documents]
        edits.append((text, with_images(text, own) if own else text.text))
    for text, new in edits:
        if dry_run:
            _show(text, new)
        elif new != text.text or text.file.path == STDIN:
            written(text, new)
    if not dry_run and STDIN not in paths:
        write_out(
            f"{slot.mark}: {slot.label} {slot.container}: {slot.image or 'none'} -> {value}\n"
            for slot, value in changes
            if slot.image != value
        )
    return 1 if report.failed else 0


def _sorted_out(words: tuple[str, ...]) -> tuple[dict[str, str], tuple[str, ...]]:
    """The assignments, and the files behind them."""
    count = next((n for n, word in enumerate(words) if "=" not in word), len(words))
    pairs = [word.partition("=") for word in words[:count]]
    if not pairs:
        raise click.UsageError(f"{words[0]!r} is not NAME=IMAGE")
    if not words[count:]:
        raise click.UsageError("in which FILE?")
    names = [name for name, _, _ in pairs]
    doubled = sorted({name for name in names if names.count(name) > 1 or not name})
    if doubled:
        raise click.UsageError(f"{doubled[0]!r} is named twice, or is no name")
    return {name: value for name, _, value in pairs}, words[count:]


def _files(paths: tuple[str, ...]) -> "list[File]":
    """The files; a folder is none."""
    from trainc.source.files import File
    from trainc.source.walk import printable

    return [File(path, printable(path), True) for path in dict.fromkeys(paths)]


def _show(text: "Text", new: str) -> None:
    from trainc.edit.difference import difference

    write_out([difference(text.file.name, text.text, new)])
