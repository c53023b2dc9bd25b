"""Findings about the user's files: where (``Mark``), what (``Problem``), and the one exception."""

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

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
        mark: Where, or None where no file has to do with it.
        object: ``Kind/name`` of the object it concerns, empty where there is none.
        field: The API server's path of the field (``spec.trainer.env[1]``).
        severity: ``error`` stops the build; ``warning`` and ``note`` do not.
        hint: How to mend it, empty where there is no one way.
        code: A stable code (``TRC101``) where the finding has one.
    """

    message: str
    mark: Mark | None = None
    object: str = ""
    field: str = ""
    severity: Severity = "error"
    hint: str = ""
    code: str = ""

    def __str__(self) -> str:
        """The finding as one line of text, with its remedy on a line of its own."""
        place = f"{self.mark}: " if self.mark else ""
        field = f"{self.field}: " if self.field else ""
        code = f" [{self.code}]" if self.code else ""
        hint = f"\n    hint: {self.hint}" if self.hint else ""
        return f"{place}{self.severity}: {field}{self.message}{code}{hint}"

    def as_dict(self) -> dict[str, Any]:
        """The finding as the JSON report holds it; empty parts are left out."""
        out: dict[str, Any] = {
            "object": self.object,
            "field": self.field,
            "severity": self.severity,
            "message": self.message,
            "file": self.mark.file if self.mark else "",
            "line": self.mark.line if self.mark else 0,
            "column": self.mark.column if self.mark else 0,
        }
        if self.hint:
            out["hint"] = self.hint
        if self.code:
            out["code"] = self.code
        return out


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
