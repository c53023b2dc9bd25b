"""Options of the commands that talk to a cluster."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


# What a TrainJob, a JobSet or a namespace may be called; anything else could name another path.
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


def named(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Refuses what no object can be called."""
    if value and not _NAME.fullmatch(value):
        raise click.BadParameter(f"nothing in a cluster can be called {value!r}")
    return value


def all_named(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    """Refuses what no object can be called, of an option that may be repeated."""
    for value in values:
        named(context, parameter, value)
    return values


def cluster_options(command: F) -> F:
    """Adds ``--kubeconfig``, ``--context`` and ``-n``."""
    for option in (
        click.option(
            "-n", "--namespace", metavar="NS", callback=named, help="Default: the context's."
        ),
        click.option("--context", metavar="NAME", help="Context of the kubeconfig."),
        click.option("--kubeconfig", type=click.Path(), help="Default: as kubectl's."),
    ):
        command = option(command)
    return command
