"""What a project says on lint: levels of stock codes, and rules of its own.

In: ``rules:`` of ``trainc.yaml`` and the files of ``rules/``. Out: one function that inspects a
compiled job, and what is wrong with the rules themselves.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, get_args

from trainc import codes
from trainc.budget import Budget
from trainc.errors import Mark, Problem
from trainc.info.info import Info
from trainc.lint.explanation import FIXED, UNSPARED
from trainc.lint.lint import Asked, Inspect, Level, discover, inspector
from trainc.plan.plan import Object
from trainc.source.document import Document
from trainc.source.files import File, read
from trainc.source.parse import parse
from trainc.source.reader import RefusedError
from trainc.source.walk import forbidden, printable

if TYPE_CHECKING:
    from pathlib import Path

    from trainc.project.file import Project

# What a comment that takes a finding away can name.
_NAME: Final = re.compile(r"[\w./-]+")
FOLDER: Final = "rules"
_LEVELS: Final = get_args(Level)
_KEYS: Final = frozenset({"name", "expression", "message", "severity", "field"})


class Rule(NamedTuple):
    """A team's own rule.

    Attributes:
        name: What findings carry as their code.
        expression: CEL over the names of ``cel.py``; true where all is well.
        message: What a finding says.
        severity: How loud it is.
        field: Path of the TrainJob's field to point at, empty for its name.
        mark: Where the expression stands.
    """

    name: str
    expression: str
    message: str
    severity: Level
    field: str
    mark: Mark


class Inspection(NamedTuple):
    """What a build asks of lint: the function to call for each job, and the rules' own problems."""

    inspect: Inspect
    problems: tuple[Problem, ...] = ()


def inspection(
    project: "Project | None",
    *,
    profile: str,
    allow_ttl: bool,
    strict: bool,
    env: str = "",
    values: Mapping[str, Any] | None = None,
    on_change: str = "keep",
    budget: Budget | None = None,
) -> Inspection:
    """Reads the project's rules; CEL is loaded only where there are any.

    Args:
        project: The project, or None.
        profile: The GitOps profile of the build.
        allow_ttl: Whether a TTL is allowed under it.
        strict: Whether notes are given, and errors as errors.
        env: The environment's name, for rules; empty for none.
        values: What templates see as ``values``, for rules.
        on_change: What a changed job becomes.
        budget: What is left of the build, which rules are paid from.
    """
    levels: dict[str, Level] = {}
    rules: list[Rule] = []
    problems: list[Problem] = []
    for document, path, written in _written(project, problems):
        _take(document, path, written, levels, rules, problems)
    stock = inspector(Asked(strict, levels, profile, allow_ttl, strict, on_change))
    rules = [rule for rule in rules if rule.severity != "off"]
    if not rules:
        return Inspection(stock, tuple(problems))
    from trainc.lint.cel import team_rules

    team, broken = team_rules(rules, env, values, budget)

    def inspect(info: Info, objects: tuple[Object, ...]) -> Iterator[Problem]:
        yield from stock(info, objects)
        yield from team(info, objects)

    return Inspection(inspect, (*problems, *broken))


_Place = tuple[str | int, ...]


def rule_files(project: "Project | None") -> "Sequence[Path]":
    """The files of rules that a project has besides its ``trainc.yaml``."""
    if project is None:
        return ()
    from pathlib import Path  # only projects have rules, and it costs every start 3 ms

    if _stray(project) is not None:
        return ()
    found = Path(project.root, FOLDER).glob("*.y*ml")
    return sorted(path for path in found if not path.name.startswith("."))


def _stray(project: "Project") -> Problem | None:
    """Why the folder of rules may not be read."""
    reader = project.reader
    try:
        reader.check(os.path.join(project.root, FOLDER), reader.boundary(project.root))
    except RefusedError as error:
        return forbidden(error, FOLDER)
    return None


def _written(
    project: "Project | None", problems: list[Problem]
) -> Iterator[tuple[Document, _Place, Any]]:
    """Each entry, with the document and the place it stands at."""
    if project is None:
        return
    if project.document is not None:
        yield from _entries(project.document, ("rules",), project.rules)
    if (stray := _stray(project)) is not None:
        problems.append(stray)
    boundary = project.reader.boundary(project.root)
    for path in rule_files(project):
        file = File(str(path), printable(f"{FOLDER}/{path.name}"), True, boundary)
        data = read(file, reader=project.reader)
        if isinstance(data, Problem):
            problems.append(data)
            continue
        documents, found = parse(data, file.name)
        problems += found
        for document in documents:
            root = document.root
            nested = isinstance(root, dict) and "rules" in root
            at: _Place = ("rules",) if nested else ()
            written = root["rules"] if nested else root
            if not isinstance(written, Mapping | list):
                message = f"must be a list or a mapping of rules, got {written!r}"
                problems.append(Problem(message, codes.PROJECT, document.mark(at), field="rules"))
                continue
            yield from _entries(document, at, written)


def _entries(
    document: Document, at: _Place, written: Any
) -> Iterator[tuple[Document, _Place, Any]]:
    if isinstance(written, Mapping):
        for key, value in written.items():
            yield document, (*at, key), {"name": key, **_map(value)}
    else:
        for index, item in enumerate(written or ()):
            yield document, (*at, index), item


def _map(value: Any) -> Mapping[str, Any]:
    """``TRC101: error`` is short for ``TRC101: {severity: error}``."""
    return value if isinstance(value, Mapping) else {"severity": value}


def _take(
    document: Document,
    path: _Place,
    written: Any,
    levels: dict[str, Level],
    rules: list[Rule],
    problems: list[Problem],
) -> None:
    """Puts an entry where it belongs: the level of a stock code, or a rule of the team's."""
    written = _normal(written)
    refused = _refusal(written)
    if refused:
        problems.append(Problem(refused, codes.PROJECT, document.mark(path), field="rules"))
    elif "expression" not in written:
        levels[written["name"]] = written["severity"]
    else:
        rules.append(
            Rule(
                written["name"],
                written["expression"],
                written.get("message") or f"breaks the rule {written['name']}",
                written.get("severity", "warning"),
                written.get("field", ""),
                document.mark((*path, "expression")),
            )
        )


def _normal(written: Any) -> Any:
    """The entry with its level as trainc has it: YAML reads ``off`` as false, info is a note."""
    if not isinstance(written, Mapping) or "severity" not in written:
        return written
    level = written["severity"]
    return {**written, "severity": "off" if level is False else _WORDS.get(str(level), level)}


_WORDS: Final = {"info": "note"}


def _refusal(written: Any) -> str:
    """Why an entry cannot be used, empty where it can."""
    if not isinstance(written, Mapping) or not isinstance(written.get("name"), str):
        return "must be a map with a name"
    if not _NAME.fullmatch(written["name"]):
        return f"name {written['name']!r} must be of letters, digits, ., _, - and /"
    unknown = sorted(set(written) - _KEYS)
    if unknown:
        return f"has no key {unknown[0]!r}; keys: {', '.join(sorted(_KEYS))}"
    if written.get("severity", "warning") not in _LEVELS:
        return "severity must be one of error, warning, info, off"
    for key in ("expression", "message", "field"):
        if not isinstance(written.get(key, ""), str):
            return f"{key} must be text"
    return _misnamed(written)


def _misnamed(written: Mapping[str, Any]) -> str:
    """Why the name does not go with the entry: codes have levels, other names expressions."""
    name = written["name"]
    if name in UNSPARED:
        return f"{name} is what a cluster would refuse: it is always an error"
    if name in FIXED:
        return f"{name} has no level: the compiler reports what it does"
    known = name in {lint.code for lint in discover()}
    if "expression" in written:
        return f"{name} is a code of trainc: give the rule a name of its own" if known else ""
    if not known:
        return f"{name} is no code of trainc and has no expression"
    return "" if "severity" in written else "must say a severity"
