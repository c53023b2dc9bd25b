"""SARIF 2.1.0, which code hosts show beside the lines of a pull request."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from trainc.errors import Problem
from trainc.version import __version__

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(problems: Sequence[Problem]) -> str:
    """A log with one run; ``results`` stands there even where it is empty, as readers expect."""
    codes = sorted({problem.code for problem in problems if problem.code})
    rules = [{"id": code, "shortDescription": {"text": code}} for code in codes]
    driver = {"name": "trainc", "version": __version__, "rules": rules}
    results = [_result(problem, codes) for problem in problems]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _result(problem: Problem, codes: list[str]) -> dict[str, Any]:
    field = f"{problem.field}: " if problem.field else ""
    hint = f" ({problem.hint})" if problem.hint else ""
    out: dict[str, Any] = {
        "level": problem.severity,
        "message": {"text": f"{field}{problem.message}{problem.scope()}{hint}"},
    }
    if problem.code:
        out |= {"ruleId": problem.code, "ruleIndex": codes.index(problem.code)}
    scope = {"jobs": problem.jobs, "environments": problem.environments}
    properties = {key: [*names] for key, names in scope.items() if names}
    if properties:
        out["properties"] = properties
    if problem.mark is not None:
        place: dict[str, Any] = {"artifactLocation": {"uri": quote(problem.mark.file)}}
        if problem.mark.line:
            column = max(problem.mark.column, 1)
            place["region"] = {"startLine": problem.mark.line, "startColumn": column}
        out["locations"] = [{"physicalLocation": place}]
    return out
