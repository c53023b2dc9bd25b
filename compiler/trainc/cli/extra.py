"""Optional parts: what is missing, and how to get it."""

from __future__ import annotations

import importlib.util

import click


def require(extra: str, *modules: str) -> None:
    """Goes on only where the modules of an extra are installed.

    Raises:
        click.UsageError: names the extra to install (exit status 2).
    """
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        raise click.UsageError(
            f"this needs {', '.join(missing)}: install trainc[{extra}]"
            f" (pip install 'trainc[{extra}]')"
        )
