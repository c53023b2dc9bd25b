"""Findings about the user's files: where (``Mark``), what (``Problem``), and the one exception."""

from collections.abc import Iterable
from typing import Any, Final, Literal, NamedTuple

Severity = Literal["error", "warning", "note"]


class Mark(NamedTuple):
    """A place in a file; line and column count from 1, 0 where only the file is known."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """The place as compilers print it."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class Problem(NamedTuple):
    """One finding.

    Attributes:
        message: What is wrong, in lower case, without the place.
        code: What ``trainc help`` explains: of ``trainc.codes``, of a lint, a check or a quirk, or
            the name of a team's rule.
        mark: Where, or None where no file has to do with it.
        object: ``Kind/name`` of the object it concerns, empty where there is none.
        field: The API server's path of the field (``spec.trainer.env[1]``).
        severity: ``error`` stops the build; ``warning`` and ``note`` do not.
        hint: How to fix it, empty where there is no one way.
        jobs: The TrainJobs it concerns, ``namespace/name`` where the file says a namespace.
        environments: The environments it concerns, empty where the project has none.
    """

    message: str
    code: str
    mark: Mark | None = None
    object: str = ""
    field: str = ""
    severity: Severity = "error"
    hint: str = ""
    jobs: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The finding as one line of text, with its remedy on a line of its own."""
        place = f"{self.mark}: " if self.mark else ""
        field = f"{self.field}: " if self.field else ""
        hint = f"\n    hint: {self.hint}" if self.hint else ""
        return f"{place}{self.severity}: {field}{self.message} [{self.code}]{self.scope()}{hint}"

    def scope(self) -> str:
        """Jobs and environments as text, in parentheses; empty where the place says it all.

        A finding in one job's own document is at the job: only findings in what is shared, or of
        several jobs, list theirs.
        """
        own = len(self.jobs) == 1 and self.object == f"TrainJob/{self.jobs[0].rpartition('/')[2]}"
        listed = (
            "" if own else _listed("job", self.jobs),
            _listed("environment", self.environments),
        )
        text = "; ".join(part for part in listed if part)
        return f" ({text})" if text else ""

    def as_dict(self) -> dict[str, Any]:
        """The finding as the JSON report holds it; empty parts are left out."""
        out: dict[str, Any] = {
            "object": self.object,
            "field": self.field,
            "severity": self.severity,
            "message": self.message,
            "code": self.code,
            "file": self.mark.file if self.mark else "",
            "line": self.mark.line if self.mark else 0,
            "column": self.mark.column if self.mark else 0,
        }
        if self.hint:
            out["hint"] = self.hint
        if self.jobs:
            out["jobs"] = [*self.jobs]
        if self.environments:
            out["environments"] = [*self.environments]
        return out


_MOST_LISTED: Final = 3


def _listed(word: str, names: tuple[str, ...]) -> str:
    """``job a``, ``jobs a, b``, ``jobs a, b and 13 more``; empty for no names."""
    if not names:
        return ""
    plural = word if len(names) == 1 else f"{word}s"
    if len(names) <= _MOST_LISTED:
        return f"{plural} {', '.join(names)}"
    return f"{plural} {', '.join(names[:2])} and {len(names) - 2} more"


def merged(problems: Iterable[Problem]) -> list[Problem]:
    """Each finding once, in the order of its first appearance.

    Findings of the same place, field, code and text are one, with the jobs and environments of
    all of them: what is wrong in a shared runtime, rule or overlay is wrong once. Texts are cut to
    4,000 characters.
    """
    out: dict[Problem, Problem] = {}
    for problem in map(_bounded, problems):
        shared = bool(problem.jobs and problem.mark and problem.mark.line)
        key = problem._replace(jobs=(), environments=(), object="" if shared else problem.object)
        first = out.get(key)
        out[key] = problem if first is None else _joined(first, problem)
    return [*out.values()]


_LONGEST: Final = 4000
"""Characters of a message or hint; one that quotes a file may be as long as the file."""


def _bounded(problem: Problem) -> Problem:
    """The problem with texts a person can read."""
    if len(problem.message) <= _LONGEST >= len(problem.hint) and len(problem.field) <= _LONGEST:
        return problem
    message, hint, field = map(_cut, (problem.message, problem.hint, problem.field))
    return problem._replace(message=message, hint=hint, field=field)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."


def _joined(first: Problem, other: Problem) -> Problem:
    """The first finding with the jobs and environments of the other too."""
    if first == other:
        return first
    return first._replace(
        jobs=tuple(dict.fromkeys((*first.jobs, *other.jobs))),
        environments=tuple(dict.fromkeys((*first.environments, *other.environments))),
    )


def field_path(path: Iterable[str | int]) -> str:
    """A path as the API server prints it: indexes in brackets, map keys behind a dot, unquoted.

    Example:
        >>> field_path(("spec", "trainer", "env", 1, "name"))
        'spec.trainer.env[1].name'
        >>> field_path(("spec", "trainer", "resourcesPerNode", "limits", "nvidia.com/gpu"))
        'spec.trainer.resourcesPerNode.limits.nvidia.com/gpu'
    """
    out = ""
    for part in path:
        out += f"[{part}]" if isinstance(part, int) else f".{part}" if out else part
    return out


class TraincError(Exception):
    """The user's files or flags cannot be used; carries every problem found."""

    def __init__(self, problems: list[Problem]) -> None:
        """Keeps the problems in the order given."""
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
