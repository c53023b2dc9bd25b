"""Changes for programs (JSON) and for a comment on a pull request (Markdown)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from trainc.diff.change import ABSENT, Change, Comparison, Field, Verdict
from trainc.diff.text import (
    REMEDY,
    WORDS,
    counts,
    harmless,
    headline,
    is_refused,
    reason,
    rendered,
    shown,
    stopped,
)
from trainc.errors import field_path

# A comment on GitHub holds 65,536 characters: shares of its parts, a little left for the rest.
_WARNINGS: Final = 10_000
_TABLE: Final = 20_000
_DETAILS: Final = 30_000
MARKER: Final = "<!-- trainc diff -->"
_BACKTICKS: Final = re.compile("`+")


def as_json(comparisons: Sequence[Comparison]) -> str:
    """One document; a value that is not there has no key."""
    changes = [
        _as_dict(change, comparison.environment)
        for comparison in comparisons
        for change in comparison.changes
    ]
    every = [change for comparison in comparisons for change in comparison.changes]
    summary = {verdict.value: sum(c.verdict is verdict for c in every) for verdict in Verdict}
    document = {"summary": {**summary, "stoppedJobs": stopped(comparisons)}, "changes": changes}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _as_dict(change: Change, environment: str | None) -> dict[str, Any]:
    out: dict[str, Any] = {} if environment is None else {"environment": environment}
    out |= change.identity._asdict()
    out |= {"verdict": change.verdict.value, "stopsRunningJob": change.kills}
    if change.origin:
        out["origin"] = change.origin
    if change.partner is not None:
        out["renamed"] = change.partner.name
    if change.effects:
        out["effects"] = list(change.effects)
    if change.refusals:
        out["refusals"] = [
            {"path": field_path(each.path), "message": each.message, "rule": each.rule}
            for each in change.refusals
        ]
    if change.fields:
        out["fields"] = [_field(field) for field in change.fields]
    return out


def _field(field: Field) -> dict[str, Any]:
    out: dict[str, Any] = {"path": field_path(field.path)}
    if field.item:
        out["item"] = field.item
    if field.old is not ABSENT:
        out["old"] = field.old
    if field.new is not ABSENT:
        out["new"] = field.new
    return out


def markdown(comparisons: Sequence[Comparison], compared_with: str) -> Iterator[str]:
    """Yields a comment for a pull request: what would end running jobs first, details folded.

    Args:
        comparisons: One for each environment.
        compared_with: What the sources were compared with: a revision, or a cluster.
    """
    every = [change for comparison in comparisons for change in comparison.changes]
    yield f"{MARKER}\n### trainc diff against {_code(compared_with)}\n\n{counts(comparisons)}\n"
    killed = [(c.environment, each) for c in comparisons for each in c.changes if each.kills]
    if killed:
        yield "\n> [!CAUTION]\n> Running jobs would be stopped:\n"
        lines = [f"> - {_name(change, env)}: {_cell(headline(change))}\n" for env, change in killed]
        yield from _fitting(lines, _WARNINGS, "> - ... and {} more\n")
    if is_refused(comparisons):
        yield f"\n{REMEDY}\n"
    if every:
        yield "\n| object | what happens | fields |\n|---|---|---|\n"
        rows = [_row(each, c.environment) for c in comparisons for each in c.changes]
        yield from _fitting(rows, _TABLE, "| ... and {} more | | |\n")
    told = [
        _folded(each, comparison.environment)
        for comparison in comparisons
        for each in comparison.changes
        if each.fields or each.refusals
    ]
    yield from _fitting(told, _DETAILS, "\nThe fields of {} more objects do not fit here.\n")


def _fitting(parts: Sequence[str], room: int, rest: str) -> Iterator[str]:
    """The parts that fit, and how many do not; one that is too long does not hide the next."""
    left_out = 0
    for part in parts:
        if len(part) <= room:
            room -= len(part)
            yield part
        else:
            left_out += 1
    if left_out:
        yield rest.format(left_out)


def _row(change: Change, environment: str | None) -> str:
    fields = len(change.fields) or ""
    what = headline(change)
    if change.verdict is Verdict.REPLACE:
        what = what.replace(WORDS[Verdict.REPLACE], f"**{WORDS[Verdict.REPLACE]}**", 1)
    return f"| {_name(change, environment)} | {_cell(what)} | {fields} |\n"


def _folded(change: Change, environment: str | None) -> str:
    lines = [reason(each.path, each.message, each.rule) for each in change.refusals]
    lines = [f"# {line}" for line in lines]
    for field in change.fields:
        lines += _diff_lines(field)
    body = harmless("\n".join(lines))
    longest = max((len(run) for run in _BACKTICKS.findall(body)), default=0)
    fence = "`" * max(3, longest + 1)
    origin = f"from {_code(change.origin)}\n\n" if change.origin else ""
    title = f"<summary>{_html(_plain_name(change, environment))}</summary>"
    return f"\n<details>{title}\n\n{origin}{fence}diff\n{body}\n{fence}\n\n</details>\n"


def _diff_lines(field: Field) -> list[str]:
    """A difference as a diff has it, so that it is coloured."""
    lines = rendered(field)
    if len(lines) > 1:
        return [f"  {lines[0]}", *(line[2:] for line in lines[1:])]
    path = field_path(field.path)
    item = f"  ({field.item})" if field.item else ""
    sides = (("-", field.old), ("+", field.new))
    return [f"{sign} {path}: {shown(v)}{item}" for sign, v in sides if v is not ABSENT]


def _plain_name(change: Change, environment: str | None) -> str:
    return f"{environment}: {change.identity.label}" if environment else change.identity.label


def _name(change: Change, environment: str | None) -> str:
    return _code(_plain_name(change, environment))


def _code(said: str) -> str:
    """Text in a code span, where nothing in it means anything."""
    longest = max((len(run) for run in _BACKTICKS.findall(said)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{fence}{pad}{_cell(harmless(said))}{pad}{fence}"


def _cell(said: str) -> str:
    return said.replace("|", "\\|").replace("\n", " ")


def _html(said: str) -> str:
    return harmless(said).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
