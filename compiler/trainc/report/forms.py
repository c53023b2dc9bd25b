"""One text for all problems of a run, in the form that was asked for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from trainc.errors import Problem
from trainc.report.github import github
from trainc.report.junit import junit
from trainc.report.sarif import sarif

FORMS: Final = ("text", "json", "sarif", "github", "junit")


def rendered(form: str, problems: Sequence[Problem]) -> str:
    """The problems as ``json``, ``sarif``, ``github`` or ``junit``, or as plain ``text``."""
    if form == "text":
        return "".join(f"{problem}\n" for problem in problems)
    if form == "json":
        return json.dumps([problem.as_dict() for problem in problems], indent=2) + "\n"
    return {"sarif": sarif, "github": github, "junit": junit}[form](problems)
