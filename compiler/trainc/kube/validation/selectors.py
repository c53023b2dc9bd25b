"""Selectors: of objects by their labels, of nodes by labels and fields."""

from __future__ import annotations

from typing import Final

from trainc.kube.validation.forms import dns_subdomain, label_value, qualified_name
from trainc.kube.validation.metadata import labels
from trainc.kube.validation.problem import Node, Path, PodProblem, Problems, one_of, shown

_OBJECT_OPERATORS: Final = ("In", "NotIn", "Exists", "DoesNotExist")
_NODE_OPERATORS: Final = (*_OBJECT_OPERATORS, "Gt", "Lt")
_CHECK: Final = "scheduling"


def label_selector(given: Node, at: Path) -> Problems:
    """Checks a LabelSelector: matchLabels and matchExpressions."""
    if given.get("matchLabels"):
        for wrong in labels(given["matchLabels"], (*at, "matchLabels")):
            yield wrong._replace(check=_CHECK)
    for i, expression in enumerate(given.get("matchExpressions") or ()):
        where = (*at, "matchExpressions", i)
        yield from _expression(expression, _OBJECT_OPERATORS, where, values_checked=True)


def node_selector_term(term: Node, at: Path, *, values_checked: bool) -> Problems:
    """Checks one term of a node affinity; only required terms have their values checked."""
    for i, expression in enumerate(term.get("matchExpressions") or ()):
        where = (*at, "matchExpressions", i)
        yield from _expression(expression, _NODE_OPERATORS, where, values_checked=values_checked)
    for i, field in enumerate(term.get("matchFields") or ()):
        yield from _field(field, (*at, "matchFields", i))


def _expression(
    given: Node, operators: tuple[str, ...], at: Path, *, values_checked: bool
) -> Problems:
    operator, values = given.get("operator", ""), given.get("values") or ()
    if operator not in operators:
        yield PodProblem((*at, "operator"), one_of(operator, operators), check=_CHECK)
    elif wrong := _count(operator, len(values)):
        yield PodProblem((*at, "values"), wrong, check=_CHECK)
    key = given.get("key", "")
    if wrong := qualified_name(key):
        yield PodProblem((*at, "key"), f"key {shown(key)} {wrong}", check=_CHECK)
    if not values_checked:
        return
    for i, value in enumerate(values):
        if wrong := label_value(value):
            yield PodProblem((*at, "values", i), f"{shown(value)} {wrong}", check=_CHECK)


def _count(operator: str, count: int) -> str:
    if operator in ("In", "NotIn"):
        return "" if count else f"must not be empty with operator {operator}"
    if operator in ("Gt", "Lt"):
        return "" if count == 1 else f"must be one number with operator {operator}"
    return "" if not count else f"must be empty with operator {operator}"


def _field(given: Node, at: Path) -> Problems:
    operator, values = given.get("operator", ""), given.get("values") or ()
    if operator not in ("In", "NotIn"):
        yield PodProblem((*at, "operator"), one_of(operator, ("In", "NotIn")), check=_CHECK)
    elif len(values) != 1:
        yield PodProblem((*at, "values"), "must be one name", check=_CHECK)
    if given.get("key") != "metadata.name":
        yield PodProblem((*at, "key"), one_of(given.get("key"), ("metadata.name",)), check=_CHECK)
        return
    for i, value in enumerate(values):
        if wrong := dns_subdomain(value):
            yield PodProblem((*at, "values", i), f"{shown(value)} {wrong}", check=_CHECK)
