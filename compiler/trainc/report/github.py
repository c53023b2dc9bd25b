"""Workflow commands of GitHub Actions: annotations that need no code scanning licence."""

from __future__ import annotations

from collections.abc import Sequence

from trainc.errors import Problem


def github(problems: Sequence[Problem]) -> str:
    """One ``::error file=...::message`` line a problem; a note is a ``notice``."""
    return "".join(_command(problem) + "\n" for problem in problems)


def _command(problem: Problem) -> str:
    word = "notice" if problem.severity == "note" else problem.severity
    properties = {}
    if problem.mark is not None:
        properties["file"] = problem.mark.file
        if problem.mark.line:
            properties |= {"line": str(problem.mark.line), "col": str(problem.mark.column)}
    if problem.code:
        properties["title"] = problem.code
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    field = f"{problem.field}: " if problem.field else ""
    hint = f"\nhint: {problem.hint}" if problem.hint else ""
    text = f"{field}{problem.message}{problem.scope()}{hint}"
    return f"::{word}{' ' if listed else ''}{listed}::{_data(text)}"


def _data(text: str) -> str:
    """Escaped as the runner unescapes it: the order matters; no control character is left."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() or c in "\r\n" else ascii(c)[1:-1] for c in text)
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
