"""The Job of a replicated job: counts, limits, failure and success policies, selector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from trainc.kube.validation.forms import domain_path, qualified_name
from trainc.kube.validation.problem import Node, Path, PodProblem, Problems, one_of, shown
from trainc.kube.validation.selectors import label_selector
from trainc.kube.validation.success import success_policy

_CHECK: Final = "job"
_COUNTS: Final = (
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
)
_MODES: Final = ("NonIndexed", "Indexed")
MAX_INDEXED: Final = 100_000
"""Pods of an Indexed Job (``maxParallelismForIndexedJob`` of Kubernetes)."""
_MANY: Final = 10_000
_RESTART: Final = ("OnFailure", "Never")
_REPLACE: Final = ("TerminatingOrFailed", "Failed")
_ACTIONS: Final = ("Count", "FailIndex", "FailJob", "Ignore")
_OPERATORS: Final = ("In", "NotIn")
_STATUSES: Final = ("True", "False", "Unknown")
# Set by the Job controller; a template that brings its own values cannot match.
_GENERATED: Final = (
    "controller-uid",
    "batch.kubernetes.io/controller-uid",
    "job-name",
    "batch.kubernetes.io/job-name",
)


def job_spec(spec: Node, at: Path) -> Problems:
    """Checks a Job's spec without its selector and its Pod template's own rules.

    Args:
        spec: The Job's spec as it stands in the replicated job.
        at: The place of the spec.
    """
    for key in _COUNTS:
        if key in spec and spec[key] < 0:
            message = f"must not be negative, got {spec[key]}"
            yield PodProblem((*at, key), message, check=_CHECK)
    mode = spec.get("completionMode", "Indexed")
    if mode not in _MODES:
        yield PodProblem((*at, "completionMode"), one_of(mode, _MODES), check=_CHECK)
    yield from _indexed(spec, at) if mode == "Indexed" else _not_indexed(spec, at)
    manager = spec.get("managedBy")
    if manager is not None and (domain_path(manager) or len(manager) > 63):
        message = f"must be a domain and a path of at most 63 characters, got {shown(manager)}"
        yield PodProblem((*at, "managedBy"), message, check=_CHECK)
    if "podFailurePolicy" in spec:
        yield from _failure_policy(spec, (*at, "podFailurePolicy", "rules"))
    if "successPolicy" in spec and mode == "Indexed":
        yield from success_policy(spec, (*at, "successPolicy"))
    yield from _replacement(spec, at)
    yield from _restart_policy(spec, at)


def completions(spec: Node) -> int | None:
    """How many completions the API server will read: None where there is no number."""
    count: int | None = spec.get("completions", None if "parallelism" in spec else 1)
    return count


def _indexed(spec: Node, at: Path) -> Problems:
    count, most = completions(spec), spec.get("maxFailedIndexes")
    parallelism = spec.get("parallelism", 1)
    if count is None:
        message = "must be set where completionMode is Indexed and parallelism is set"
        yield PodProblem((*at, "completions"), message, check=_CHECK)
    if parallelism > MAX_INDEXED:
        message = f"must be at most {MAX_INDEXED} where completionMode is Indexed"
        yield PodProblem((*at, "parallelism"), message, check=_CHECK)
    if most is not None and most > min(MAX_INDEXED, MAX_INDEXED if count is None else count):
        where = (*at, "maxFailedIndexes")
        yield PodProblem(where, f"must be at most completions and {MAX_INDEXED}", check=_CHECK)
    if most is not None and "backoffLimitPerIndex" not in spec:
        yield PodProblem((*at, "maxFailedIndexes"), "needs backoffLimitPerIndex", check=_CHECK)
    if count is None or count <= MAX_INDEXED or "backoffLimitPerIndex" not in spec:
        return
    limits = f"where completions are above {MAX_INDEXED} and backoffLimitPerIndex is set"
    if most is None or most > _MANY:
        where = (*at, "maxFailedIndexes")
        yield PodProblem(where, f"must be set, to at most {_MANY}, {limits}", check=_CHECK)
    if parallelism > _MANY:
        where = (*at, "parallelism")
        yield PodProblem(where, f"must be at most {_MANY} {limits}", check=_CHECK)


def _not_indexed(spec: Node, at: Path) -> Problems:
    for key in ("backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"):
        if key in spec:
            yield PodProblem((*at, key), "needs completionMode: Indexed", check=_CHECK)


def _restart_policy(spec: Node, at: Path) -> Problems:
    pod = (spec.get("template") or {}).get("spec") or {}
    policy = pod.get("restartPolicy") or "OnFailure"
    where = (*at, "template", "spec", "restartPolicy")
    if policy not in _RESTART:
        yield PodProblem(where, one_of(policy, _RESTART), check="restart")
    elif policy != "Never" and "podFailurePolicy" in spec:
        hint = "write restartPolicy: Never in the Pod template"
        yield PodProblem(where, "must be Never beside a podFailurePolicy", hint, "restart")


def _replacement(spec: Node, at: Path) -> Problems:
    policy = spec.get("podReplacementPolicy")
    known = _REPLACE[1:] if "podFailurePolicy" in spec else _REPLACE
    if policy is not None and policy not in known:
        yield PodProblem((*at, "podReplacementPolicy"), one_of(policy, known), check=_CHECK)


def _failure_policy(spec: Node, at: Path) -> Problems:
    rules = spec["podFailurePolicy"].get("rules") or ()
    if len(rules) > 20:
        yield PodProblem(at, f"must be at most 20, are {len(rules)}", check=_CHECK)
    pod = (spec.get("template") or {}).get("spec") or {}
    both = (*(pod.get("containers") or ()), *(pod.get("initContainers") or ()))
    names = {container.get("name", "") for container in both}
    for i, rule in enumerate(rules):
        yield from _rule(rule, spec, names, (*at, i))


def _rule(rule: Node, spec: Node, names: set[str], at: Path) -> Problems:
    action, codes = rule.get("action", ""), rule.get("onExitCodes")
    conditions = rule.get("onPodConditions") or ()
    if action not in _ACTIONS:
        yield PodProblem((*at, "action"), one_of(action, _ACTIONS), check=_CHECK)
    elif action == "FailIndex" and "backoffLimitPerIndex" not in spec:
        yield PodProblem((*at, "action"), "FailIndex needs backoffLimitPerIndex", check=_CHECK)
    if (codes is None) == (not conditions):
        message = "must have exactly one of onExitCodes and onPodConditions"
        yield PodProblem(at, message, check=_CHECK)
    if codes is not None:
        yield from _exit_codes(codes, names, (*at, "onExitCodes"))
    if len(conditions) > 20:
        yield PodProblem((*at, "onPodConditions"), "must be at most 20", check=_CHECK)
    for i, condition in enumerate(conditions):
        where = (*at, "onPodConditions", i)
        if wrong := qualified_name(condition.get("type", "")):
            yield PodProblem((*where, "type"), wrong, check=_CHECK)
        status = condition.get("status") or "True"
        if status not in _STATUSES:
            yield PodProblem((*where, "status"), one_of(status, _STATUSES), check=_CHECK)


def _exit_codes(codes: Node, names: set[str], at: Path) -> Problems:
    operator, name = codes.get("operator", ""), codes.get("containerName")
    if operator not in _OPERATORS:
        yield PodProblem((*at, "operator"), one_of(operator, _OPERATORS), check=_CHECK)
    if name is not None and name not in names:
        where = (*at, "containerName")
        yield PodProblem(where, f"{shown(name)} is not a container of the Pod", check=_CHECK)
    if wrong := _code_values(codes.get("values") or (), operator):
        yield PodProblem((*at, "values"), wrong, check=_CHECK)


def _code_values(values: Sequence[int], operator: str) -> str:
    if not 1 <= len(values) <= 255:
        return f"must be 1 to 255 exit codes, are {len(values)}"
    if list(values) != sorted(set(values)):
        return "must be in ascending order, each once"
    return "must not hold 0 with operator In" if operator == "In" and 0 in values else ""


def names_itself(spec: Node) -> bool:
    """Whether the Pods' labels hold what the Job controller sets, which depends on their names."""
    meta = (spec.get("template") or {}).get("metadata") or {}
    return any(key in (meta.get("labels") or ()) for key in _GENERATED)


def job_selector(spec: Node, job_name: str, at: Path) -> Problems:
    """Checks a Job's selector, and the labels that the Job controller sets by itself.

    Args:
        spec: The Job's spec as it stands in the replicated job.
        job_name: The name of the job with the highest index.
        at: The place of the spec.
    """
    meta = (spec.get("template") or {}).get("metadata") or {}
    selector, labels = spec.get("selector"), meta.get("labels") or {}
    if spec.get("manualSelector") and selector is None:
        where = (*at, "selector")
        yield PodProblem(where, "must be set where manualSelector is true", check=_CHECK)
    if selector:
        for wrong in label_selector(selector, (*at, "selector")):
            yield wrong._replace(check=_CHECK)
    if spec.get("manualSelector"):
        return
    for key in (selector or {}).get("matchLabels") or ():
        if key not in _GENERATED:
            message = "must not select by labels of its own unless manualSelector is true"
            yield PodProblem((*at, "selector", "matchLabels", key), message, check=_CHECK)
    for key in _GENERATED:
        if key in labels and not (key.endswith("job-name") and labels[key] == job_name):
            where = (*at, "template", "metadata", "labels", key)
            yield PodProblem(where, "must not be set: the Job controller sets it", check=_CHECK)
