"""Options that several commands share, so that they read and behave alike."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from trainc.cli.report import Report

F = TypeVar("F", bound=Callable[..., Any])

_NAME = "trainc.cli.options."  # of what this module keeps in click's context


def reporting(command: F) -> F:
    """Adds ``--problems`` and its kin, ``-v``, ``-q``: the report has them, not the command."""
    for option in (_QUIET, _VERBOSE, _FAIL_ON, _FILE, _PROBLEMS):
        command = option(command)
    return command


def _listen(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Tells the report of the run how loud to be, whichever of the two options comes first."""
    ctx.meta[f"{_NAME}{param.name}"] = value
    if isinstance(ctx.obj, Report):
        verbose = ctx.meta.get(f"{_NAME}verbose", 0)
        ctx.obj.listen(verbose, ctx.meta.get(f"{_NAME}quiet", False))


_QUIET = click.option(
    "-q",
    "--quiet",
    is_flag=True,
    expose_value=False,
    callback=_listen,
    help="Print errors only: no warnings, notes or progress.",
)
_VERBOSE = click.option(
    "-v",
    "--verbose",
    count=True,
    expose_value=False,
    callback=_listen,
    help="Say on stderr what is done; twice: with details, and tracebacks of bugs.",
)
_PROBLEMS = click.option(
    "--problems",
    type=click.Choice(["text", "json", "sarif", "github", "junit"]),
    default="text",
    expose_value=False,
    help="Form of the problems on stderr; all but text: one document, whatever happens.",
)
_FILE = click.option(
    "--problems-file",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    expose_value=False,
    help="Write the form of --problems into FILE, and text on stderr.",
)
_FAIL_ON = click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "note"]),
    default="error",
    expose_value=False,
    help="How bad a problem must be for exit status 1.",
)
