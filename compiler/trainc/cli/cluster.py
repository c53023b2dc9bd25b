"""Options of the commands that talk to a cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def cluster_options(command: F) -> F:
    """Adds ``--kubeconfig``, ``--context`` and ``-n``."""
    for option in (
        click.option("-n", "--namespace", metavar="NS", help="Default: the context's."),
        click.option("--context", metavar="NAME", help="Context of the kubeconfig."),
        click.option("--kubeconfig", type=click.Path(), help="Default: as kubectl's."),
    ):
        command = option(command)
    return command
