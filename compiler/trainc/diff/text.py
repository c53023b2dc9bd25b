"""Changes as text for a terminal, and the pieces that every form shares."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from difflib import unified_diff
from typing import Any, Final

from trainc.diff.change import ABSENT, Change, Comparison, Field, Verdict
from trainc.diff.compare import RECREATED
from trainc.diff.fields import Redacted
from trainc.errors import field_path

WORDS: Final = {
    Verdict.REPLACE: "NEEDS REPLACEMENT",
    Verdict.PRUNE: "pruned",
    Verdict.CREATE: "created",
    Verdict.CHANGE: "changed in place",
}
REMEDY: Final = (
    "A cluster refuses the replacements until the objects are deleted; --on-change rename makes"
    " new jobs of changed ones, --on-change replace lets the GitOps tool recreate them."
)
_LONG: Final = 72  # characters of a list that still reads well on one line
_AROUND: Final = 3  # lines around a difference


def text(comparisons: Sequence[Comparison]) -> Iterator[str]:
    """Yields the changes object by object, then one line of counts."""
    for comparison in comparisons:
        for change in comparison.changes:
            yield _block(change, comparison.environment)
    yield f"{counts(comparisons)}\n"
    if is_refused(comparisons):
        yield f"{REMEDY}\n"


def stopped(comparisons: Iterable[Comparison]) -> int:
    """How many jobs would lose pods that may be running."""
    return len(
        {
            (comparison.environment, each.identity.namespace, each.identity.name)
            for comparison in comparisons
            for each in comparison.changes
            if each.kills
        }
    )


def counts(comparisons: Sequence[Comparison]) -> str:
    """``1 to replace, 2 to change in place; 1 running job would be stopped``."""
    changes = [each for comparison in comparisons for each in comparison.changes]
    if not changes:
        return "no differences"
    number = Counter(change.verdict for change in changes)
    said = [
        f"{number[verdict]} to {word}"
        for verdict, word in (
            (Verdict.REPLACE, "replace"),
            (Verdict.PRUNE, "prune"),
            (Verdict.CREATE, "create"),
            (Verdict.CHANGE, "change in place"),
        )
        if number[verdict]
    ]
    killed = stopped(comparisons)
    jobs = "running job" if killed == 1 else "running jobs"
    return ", ".join(said) + (f"; {killed} {jobs} would be stopped" if killed else "")


def is_refused(comparisons: Sequence[Comparison]) -> bool:
    """Whether an object needs replacement and no tool is told to replace it."""
    every = (each for comparison in comparisons for each in comparison.changes)
    return any(c.verdict is Verdict.REPLACE and RECREATED not in c.effects for c in every)


def headline(change: Change) -> str:
    """What happens to the object, in one line without its name."""
    words = [WORDS[change.verdict], *change.effects]
    if change.partner is not None:
        word = "replaced by" if change.verdict is Verdict.PRUNE else "in place of"
        words.append(f"{word} {change.partner.name}")
    return ", ".join(words)


def _block(change: Change, environment: str | None) -> str:
    where = f"{environment}: " if environment else ""
    lines = [f"{where}{change.identity.label}: {headline(change)}"]
    if change.origin:
        lines.append(f"  from {change.origin}")
    lines += [f"  {reason(each.path, each.message, each.rule)}" for each in change.refusals]
    for field in change.fields:
        lines += [f"    {line}" for line in rendered(field)]
    return harmless("\n".join(lines)) + "\n\n"


def reason(path: tuple[str | int, ...], message: str, rule: str) -> str:
    """Why an object cannot be changed in place."""
    where = f"{field_path(path)}: " if path else ""
    return f"{where}{message} ({rule})"


def rendered(field: Field) -> list[str]:
    """A difference in one line, or as a unified diff where it has several."""
    path = field_path(field.path)
    item = f"  ({field.item})" if field.item else ""
    old, new = (_lines(value) for value in (field.old, field.new))
    if old is None and new is None:
        return [f"{path}: {shown(field.old)} -> {shown(field.new)}{item}"]
    before, after = old or _flat(field.old), new or _flat(field.new)
    diff = list(unified_diff(before, after, n=_AROUND, lineterm=""))[2:]
    return [f"{path}:{item}", *(f"  {line}" for line in diff if not line.startswith("@@"))]


def shown(value: Any) -> str:
    """A value as JSON; what is not there as ``(none)``."""
    if value is ABSENT:
        return repr(value)
    return str(value) if isinstance(value, Redacted) else json.dumps(value, ensure_ascii=False)


def harmless(said: str) -> str:
    """The text without what a file under review could use to steer the reader's terminal."""
    if all(line.isprintable() for line in said.split("\n")):
        return said
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in said)


def _lines(value: Any) -> list[str] | None:
    """The lines of a text of several lines, or of a long list; None for what fits on one."""
    if isinstance(value, str) and "\n" in value and not isinstance(value, Redacted):
        return value.splitlines()
    if isinstance(value, list) and len(shown(value)) > _LONG:
        return [shown(item) for item in value]
    return None


def _flat(value: Any) -> list[str]:
    if value is ABSENT:
        return []
    if isinstance(value, list):
        return [shown(item) for item in value]
    return [str(value) if isinstance(value, str) else shown(value)]
