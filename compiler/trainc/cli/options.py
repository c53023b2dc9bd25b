"""Options that several commands share, so that they read and behave alike."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from trainc.cli.report import Report

F = TypeVar("F", bound=Callable[..., Any])


def _listen(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    ctx.params[param.name or ""] = value
    report: Report = ctx.ensure_object(Report) if ctx.obj is None else ctx.obj
    report.listen(ctx.params.get("verbose", 0), ctx.params.get("quiet", False))
    return value


def reporting(command: F) -> F:
    """Adds ``--problems``, ``-v`` and ``-q``; the report of the run has them, not the command."""
    for option in (
        click.option(
            "-q", "--quiet", is_flag=True, expose_value=False, callback=_listen,
            help="Print errors only: no warnings, notes or progress.",
        ),
        click.option(
            "-v", "--verbose", count=True, expose_value=False, callback=_listen,
            help="Say on stderr what is done; twice: with details, and tracebacks of bugs.",
        ),
        click.option(
            "--problems", type=click.Choice(["text", "json"]), default="text", expose_value=False,
            help="Form of the problems on stderr; json: exactly one document, whatever happens.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command
