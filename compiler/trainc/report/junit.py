"""JUnit XML, which every CI server shows: one case a problem."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from trainc.errors import Problem


def junit(problems: Sequence[Problem]) -> str:
    """A suite whose failures are the errors; warnings and notes pass and are told in the output."""
    cases = [_case(problem) for problem in problems]
    if not cases:
        cases = ['    <testcase classname="trainc" name="no problems"/>\n']
    failures = sum(problem.severity == "error" for problem in problems)
    counts = f'tests="{len(cases)}" failures="{failures}" errors="0"'
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites {counts}>\n  <testsuite name="trainc" {counts}>\n'
        f"{''.join(cases)}  </testsuite>\n</testsuites>\n"
    )


def _case(problem: Problem) -> str:
    name = f"{problem.code + ' ' if problem.code else ''}{problem.field or problem.message}"
    place = f"{problem.mark}: " if problem.mark else ""
    text = _clean(f"{place}{problem.severity}: {problem.message}{problem.scope()}")
    file = problem.mark.file if problem.mark else "trainc"
    head = f"    <testcase classname={quoteattr(_clean(file))} name={quoteattr(_clean(name))}>\n"
    if problem.severity == "error":
        hint = escape(_clean(problem.hint))
        body = f"      <failure message={quoteattr(text)}>{hint}</failure>\n"
    else:
        body = f"      <system-out>{escape(text)}</system-out>\n"
    return f"{head}{body}    </testcase>\n"


def _clean(text: str) -> str:
    """The text without what XML cannot hold."""
    return "".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in text)
