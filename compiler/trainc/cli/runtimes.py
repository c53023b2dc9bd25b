"""``trainc runtimes``: the stock runtimes that come with trainc, to look at and to copy.

In: a name. Out: text on stdout, or a file below the folder of runtimes.
"""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from itertools import takewhile

import click

from trainc.cli.options import reporting
from trainc.cli.output import write_out

_COPY = """
Copies a stock runtime into a folder, to change it: a runtime of the project goes before a stock one
of the same name.

What is there already is never overwritten.

\b
Examples:
  trainc runtimes copy torch-distributed
      Writes runtimes/torch-distributed.yaml.
  trainc runtimes copy torch-distributed platform/runtimes
"""


@click.group(short_help="List, show and copy the stock runtimes.")
def runtimes() -> None:
    """The runtimes that come with trainc: a TrainJob names one without bringing it."""


@runtimes.command("list", short_help="List the names, with what each is for.")
@reporting
def list_() -> None:
    """Lists the stock runtimes, each with the first line of its description."""
    from trainc.library import stock_names, stock_text

    names = stock_names()
    width = max(map(len, names))
    write_out(f"{name.ljust(width)}   {_purpose(stock_text(name))}\n" for name in names)


@runtimes.command(short_help="Print the file of one.")
@click.argument("name")
@reporting
def show(name: str) -> None:
    """Prints the file of a stock runtime, comments and all."""
    write_out([_text(name)])


@runtimes.command(help=_COPY, short_help="Copy one into the project.")
@click.argument("name")
@click.argument("folder", required=False, default="runtimes", metavar="[DIR]")
@reporting
def copy(name: str, folder: str) -> None:
    """Writes the file of a stock runtime into a folder; prints its path."""
    from trainc import codes
    from trainc.errors import Mark, Problem, TraincError
    from trainc.manifest.writing import write_inside

    text = _text(name)
    path = os.path.join(folder, f"{name}.yaml")
    place = Mark(path.replace(os.sep, "/"))
    if os.path.lexists(path):
        hint = "remove it first, or name another folder"
        raise TraincError([Problem("is there already", codes.UNWRITABLE, place, hint=hint)])
    try:
        os.makedirs(folder, exist_ok=True)
        write_inside(path, text.encode())
    except OSError as error:
        message = f"cannot write: {error.strerror or error}"
        raise TraincError([Problem(message, codes.UNWRITABLE, place)]) from error
    write_out([f"{path}\n"])


def _text(name: str) -> str:
    """The file of a stock runtime.

    Raises:
        click.UsageError: There is none of that name.
    """
    from trainc.library import stock_names, stock_text

    try:
        return stock_text(name)
    except KeyError:
        near = get_close_matches(name, stock_names(), 1)
        meant = f"did you mean {near[0]}?" if near else "'trainc runtimes list' lists them"
        raise click.UsageError(f"no stock runtime is called {name!r}: {meant}") from None


def _purpose(text: str) -> str:
    """The first sentence of the comment on top, up to a colon or semicolon."""
    lines = takewhile(lambda line: line.startswith("# "), text.splitlines())
    paragraph = " ".join(line[2:].strip() for line in lines)
    return re.split(r"[.:;](?: |$)", paragraph)[0]
