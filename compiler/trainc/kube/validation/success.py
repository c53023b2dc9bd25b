"""A Job's successPolicy: which indexes, and how many of them."""

from __future__ import annotations

from typing import Final

from trainc.kube.validation.problem import Node, Path, PodProblem, Problems, shown

_CHECK: Final = "job"


def success_policy(spec: Node, at: Path) -> Problems:
    """Checks the successPolicy of an Indexed Job's spec; ``at`` is the policy's place."""
    rules = spec["successPolicy"].get("rules") or ()
    total = spec.get("completions", 1)
    if not 1 <= len(rules) <= 20:
        message = f"must be 1 to 20 rules, are {len(rules)}"
        yield PodProblem((*at, "rules"), message, check=_CHECK)
    for i, rule in enumerate(rules):
        yield from _rule(rule, total, (*at, "rules", i))


def _rule(rule: Node, total: int, at: Path) -> Problems:
    indexes, count = rule.get("succeededIndexes"), rule.get("succeededCount")
    if indexes is None and count is None:
        message = "must have succeededCount, succeededIndexes or both"
        yield PodProblem(at, message, check=_CHECK)
    chosen = total if indexes is None else _chosen(indexes, total)
    if chosen is None:
        message = f"must be ascending indexes below {total} (0,2,4-7), got {shown(indexes)}"
        yield PodProblem((*at, "succeededIndexes"), message, check=_CHECK)
    elif count is not None and not 0 <= count <= min(chosen, total):
        message = f"must be between 0 and {min(chosen, total)}, got {count}"
        yield PodProblem((*at, "succeededCount"), message, check=_CHECK)


def _chosen(text: str, total: int) -> int | None:
    """How many indexes ``0,2,4-7`` names; None where it is not of that form."""
    count, last = 0, -1
    for part in text.split(",") if text else ():
        first, dash, end = part.partition("-")
        if not _is_index(first) or (dash and not _is_index(end)):
            return None
        low, high = int(first), int(end if dash else first)
        if low <= last or high >= total or (dash and high <= low):
            return None
        count, last = count + high - low + 1, high
    return count


def _is_index(text: str) -> bool:
    digits = text.removeprefix("+")
    return digits.isascii() and digits.isdigit() and len(digits) < 12
