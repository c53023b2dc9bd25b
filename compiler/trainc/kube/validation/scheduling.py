"""Where a Pod may run: affinity, tolerations, topology spread, gates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from trainc.kube.validation.forms import dns_label, label_value, qualified_name
from trainc.kube.validation.problem import Node, Path, PodProblem, Problems, one_of, shown
from trainc.kube.validation.selectors import label_selector, node_selector_term

_CHECK: Final = "scheduling"
_REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"
_EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_UNSATISFIABLE: Final = ("DoNotSchedule", "ScheduleAnyway")
_INCLUSION: Final = ("Honor", "Ignore")


def affinity(given: Node, at: Path) -> Problems:
    """Checks node affinity, Pod affinity and Pod anti-affinity."""
    if given.get("nodeAffinity"):
        yield from _node_affinity(given["nodeAffinity"], (*at, "nodeAffinity"))
    for kind in ("podAffinity", "podAntiAffinity"):
        if given.get(kind):
            yield from _pod_affinity(given[kind], (*at, kind))


def tolerations(given: Sequence[Node], at: Path) -> Problems:
    """Checks keys, operators, values and effects."""
    for i, toleration in enumerate(given):
        yield from _toleration(toleration, (*at, i))


def topology_spread(given: Sequence[Node], at: Path) -> Problems:
    """Checks topologySpreadConstraints, each alone and that none comes twice."""
    seen: set[tuple[str, str]] = set()
    for i, constraint in enumerate(given):
        key, action = constraint.get("topologyKey", ""), constraint.get("whenUnsatisfiable", "")
        if constraint.get("maxSkew", 0) < 1:
            yield PodProblem((*at, i, "maxSkew"), "must be at least 1", check=_CHECK)
        if not key:
            yield PodProblem((*at, i, "topologyKey"), "must be set", check=_CHECK)
        if action not in _UNSATISFIABLE:
            where = (*at, i, "whenUnsatisfiable")
            yield PodProblem(where, one_of(action, _UNSATISFIABLE), check=_CHECK)
        if (key, action) in seen:
            message = "topologyKey and whenUnsatisfiable are those of an earlier constraint"
            yield PodProblem((*at, i), message, check=_CHECK)
        seen.add((key, action))
        yield from _spread_settings(constraint, (*at, i))


def scheduling_gates(given: Sequence[Node], at: Path) -> Problems:
    """Checks the names of scheduling gates."""
    seen: set[str] = set()
    for i, gate in enumerate(given):
        name = gate.get("name", "")
        wrong = qualified_name(name) or ("is there twice" if name in seen else "")
        if wrong:
            yield PodProblem((*at, i, "name"), f"{shown(name)} {wrong}", check=_CHECK)
        seen.add(name)


def _toleration(given: Node, at: Path) -> Problems:
    key, operator = given.get("key", ""), given.get("operator") or "Equal"
    value, effect = given.get("value", ""), given.get("effect", "")
    if key and (wrong := qualified_name(key)):
        yield PodProblem((*at, "key"), f"key {shown(key)} {wrong}", check=_CHECK)
    if not key and operator != "Exists":
        yield PodProblem((*at, "operator"), "must be Exists where key is empty", check=_CHECK)
    if "tolerationSeconds" in given and effect != "NoExecute":
        message = "must be NoExecute where tolerationSeconds is set"
        yield PodProblem((*at, "effect"), message, check=_CHECK)
    # Lt and Gt hang on a feature gate.
    if operator not in ("Equal", "Exists", "Lt", "Gt"):
        yield PodProblem((*at, "operator"), one_of(operator, ("Equal", "Exists")), check=_CHECK)
    if operator == "Equal" and (wrong := label_value(value)):
        yield PodProblem((*at, "value"), f"{shown(value)} {wrong}", check=_CHECK)
    if operator == "Exists" and value:
        message = f"must be empty where operator is Exists, got {shown(value)}"
        yield PodProblem((*at, "value"), message, check=_CHECK)
    if effect and effect not in _EFFECTS:
        yield PodProblem((*at, "effect"), one_of(effect, _EFFECTS), check=_CHECK)


def _node_affinity(given: Node, at: Path) -> Problems:
    required = given.get(_REQUIRED)
    if required is not None:
        terms, where = (
            required.get("nodeSelectorTerms") or (),
            (*at, _REQUIRED, "nodeSelectorTerms"),
        )
        if not terms:
            yield PodProblem(where, "must have at least one term", check=_CHECK)
        for i, term in enumerate(terms):
            yield from node_selector_term(term, (*where, i), values_checked=True)
    for i, term in enumerate(given.get(_PREFERRED) or ()):
        where = (*at, _PREFERRED, i)
        yield from _weight(term, where)
        preference = term.get("preference") or {}
        yield from node_selector_term(preference, (*where, "preference"), values_checked=False)


def _pod_affinity(given: Node, at: Path) -> Problems:
    for i, term in enumerate(given.get(_REQUIRED) or ()):
        yield from _pod_term(term, (*at, _REQUIRED, i))
    for i, weighted in enumerate(given.get(_PREFERRED) or ()):
        where = (*at, _PREFERRED, i)
        yield from _weight(weighted, where)
        yield from _pod_term(weighted.get("podAffinityTerm") or {}, (*where, "podAffinityTerm"))


def _weight(term: Node, at: Path) -> Problems:
    if not 1 <= term.get("weight", 0) <= 100:
        message = f"must be between 1 and 100, got {term.get('weight', 0)}"
        yield PodProblem((*at, "weight"), message, check=_CHECK)


def _pod_term(term: Node, at: Path) -> Problems:
    for key in ("labelSelector", "namespaceSelector"):
        if term.get(key):
            yield from label_selector(term[key], (*at, key))
    for i, name in enumerate(term.get("namespaces") or ()):
        if wrong := dns_label(name):
            yield PodProblem((*at, "namespaces", i), f"{shown(name)} {wrong}", check=_CHECK)
    yield from _label_keys(term, at)
    key = term.get("topologyKey", "")
    if wrong := qualified_name(key):
        yield PodProblem((*at, "topologyKey"), f"key {shown(key)} {wrong}", check=_CHECK)


def _label_keys(term: Node, at: Path) -> Problems:
    mismatch = term.get("mismatchLabelKeys") or ()
    for side in ("matchLabelKeys", "mismatchLabelKeys"):
        keys = term.get(side) or ()
        if keys and "labelSelector" not in term:
            yield PodProblem((*at, side), "needs a labelSelector beside it", check=_CHECK)
            continue
        for i, key in enumerate(keys):
            wrong = qualified_name(key)
            if not wrong and side == "matchLabelKeys" and key in mismatch:
                wrong = "is in mismatchLabelKeys too"
            if wrong:
                yield PodProblem((*at, side, i), f"key {shown(key)} {wrong}", check=_CHECK)


def _spread_settings(given: Node, at: Path) -> Problems:
    domains = given.get("minDomains")
    if domains is not None and (domains < 1 or given.get("whenUnsatisfiable") != "DoNotSchedule"):
        message = "must be at least 1, and needs whenUnsatisfiable: DoNotSchedule"
        yield PodProblem((*at, "minDomains"), message, check=_CHECK)
    for policy in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
        if policy in given and given[policy] not in _INCLUSION:
            yield PodProblem((*at, policy), one_of(given[policy], _INCLUSION), check=_CHECK)
    if given.get("labelSelector"):
        yield from label_selector(given["labelSelector"], (*at, "labelSelector"))
    keys = given.get("matchLabelKeys") or ()
    if keys and "labelSelector" not in given:
        yield PodProblem((*at, "matchLabelKeys"), "needs a labelSelector beside it", check=_CHECK)
    for i, key in enumerate(keys):
        if wrong := qualified_name(key):
            yield PodProblem((*at, "matchLabelKeys", i), f"key {shown(key)} {wrong}", check=_CHECK)
