"""The JobSet's own rules: those of its webhook and CRD, names made of its name included."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from trainc.kube.validation import forms
from trainc.kube.validation.claims import claim_spec
from trainc.kube.validation.job import completions
from trainc.kube.validation.metadata import metadata
from trainc.kube.validation.problem import Node, Path, PodProblem, Problems, one_of, shown

SHORTEN: Final = "shorten the TrainJob's name"
"""How the remedy begins where a name made of the TrainJob's is too long."""

_CHECK: Final = "jobset"
_RULE_NAME: Final = r"[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?"
_REASONS: Final = (
    "BackoffLimitExceeded",
    "DeadlineExceeded",
    "FailedIndexes",
    "MaxFailedIndexesExceeded",
    "PodFailurePolicy",
)
# The Job controller adds five characters of its own to each Pod's name.
_POD_SUFFIX: Final = "-abcde"
_MOST_RESTARTED: Final = 1024
_MAX_INT32: Final = 2**31 - 1


def jobset_rules(jobset: Node, name: str) -> Problems:
    """Checks everything of a JobSet that is not a single replicated job's Job."""
    spec = jobset.get("spec") or {}
    rjobs = spec.get("replicatedJobs") or ()
    names = {rjob.get("name", "") for rjob in rjobs}
    yield from metadata(jobset.get("metadata") or {}, ("metadata",))
    if wrong := forms.dns_subdomain(name):
        yield PodProblem(("metadata", "name"), f"{wrong}, got {shown(name)}", check="name")
    if "network" in spec:
        yield from _network(spec["network"] or {})
    manager = spec.get("managedBy")
    if manager is not None and (forms.domain_path(manager) or len(manager) > 63):
        message = f"must be a domain and a path of at most 63 characters, got {shown(manager)}"
        yield PodProblem(("spec", "managedBy"), message, check=_CHECK)
    yield from _depends_on(spec, rjobs)
    yield from _targets(spec.get("successPolicy") or {}, names, ("spec", "successPolicy"))
    if spec.get("failurePolicy"):
        yield from _failure_policy(spec["failurePolicy"], rjobs, names)
    if "coordinator" in spec:
        yield from _coordinator(spec, name, rjobs)
    if spec.get("volumeClaimPolicies"):
        yield from _claims(spec["volumeClaimPolicies"], name, rjobs)


def replicated_job(rjob: Node, jobset_name: str, at: Path) -> Problems:
    """Checks one replicated job's names: of its group, its Jobs and their Pods."""
    name, replicas = rjob.get("name", ""), rjob.get("replicas", 1)
    spec = (rjob.get("template") or {}).get("spec") or {}
    if wrong := forms.dns_1035_label(rjob.get("groupName", "default")):
        yield PodProblem((*at, "groupName"), wrong, check="name")
    if spec.get("parallelism", 1) * replicas > _MAX_INT32:
        message = f"replicas times parallelism must be at most {_MAX_INT32}"
        yield PodProblem((*at, "replicas"), message, check=_CHECK)
    job = job_name(jobset_name, rjob)
    if wrong := forms.dns_1035_label(job):
        message = f"the Job's name {shown(job)} {wrong}"
        yield PodProblem((*at, "name"), message, _shorten(job), "name")
        return
    count = completions(spec)
    if count is None or spec.get("completionMode", "Indexed") != "Indexed" or not name:
        return
    pod = pod_name(jobset_name, rjob)
    if wrong := forms.dns_1035_label(pod):
        message = f"the longest Pod name {shown(pod)} {wrong}"
        yield PodProblem((*at, "name"), message, _shorten(pod), "name")


def job_name(jobset_name: str, rjob: Node) -> str:
    """The name of a replicated job's Job with the highest, so the longest, index."""
    return f"{jobset_name}-{rjob.get('name', '')}-{rjob.get('replicas', 1) - 1}"


def pod_name(jobset_name: str, rjob: Node) -> str:
    """The name of a replicated job's Pod with the highest, so the longest, indexes."""
    count = completions((rjob.get("template") or {}).get("spec") or {}) or 1
    return f"{job_name(jobset_name, rjob)}-{count - 1}{_POD_SUFFIX}"


def claim_names(spec: Node) -> list[str]:
    """The names of a JobSet's claim templates: each becomes a volume of the Pods that mount it."""
    return [template for _, template, _ in _templates(spec.get("volumeClaimPolicies") or ())]


def _shorten(text: str) -> str:
    return f"{SHORTEN} by {len(text) - 63}" if len(text) > 63 else ""


def _network(network: Node) -> Problems:
    subdomain = network.get("subdomain")
    if subdomain and (wrong := forms.dns_1035_label(subdomain)):
        where = ("spec", "network", "subdomain")
        yield PodProblem(where, f"{wrong}, got {shown(subdomain)}", check="name")


def _depends_on(spec: Node, rjobs: Sequence[Node]) -> Problems:
    in_order = (spec.get("startupPolicy") or {}).get("startupPolicyOrder") == "InOrder"
    seen: set[str] = set()
    for i, rjob in enumerate(rjobs):
        at: Path = ("spec", "replicatedJobs", i)
        name, depends = rjob.get("name", ""), rjob.get("dependsOn")
        if name in seen:
            message = f"{shown(name)} is the name of another replicated job too"
            yield PodProblem((*at, "name"), message, check="name")
        seen.add(name)
        if depends is None:
            continue
        if i == 0:
            message = "must not be set on the first replicated job: nothing starts before it"
            yield PodProblem((*at, "dependsOn"), message, check=_CHECK)
        if in_order:
            message = "must not be set beside startupPolicyOrder: InOrder"
            yield PodProblem((*at, "dependsOn"), message, check=_CHECK)
        for j, other in enumerate(depends):
            if other.get("name", "") not in seen:
                hint = "list the replicated job that is waited for above this one"
                message = f"{shown(other.get('name', ''))} is not a replicated job above this one"
                yield PodProblem((*at, "dependsOn", j, "name"), message, hint, _CHECK)


def _targets(policy: Node, names: set[str], at: Path) -> Problems:
    for i, target in enumerate(policy.get("targetReplicatedJobs") or ()):
        if target not in names:
            where = (*at, "targetReplicatedJobs", i)
            known = ", ".join(sorted(names))
            message = f"{shown(target)} is not a replicated job; there are {known}"
            yield PodProblem(where, message, check=_CHECK)


def _failure_policy(policy: Node, rjobs: Sequence[Node], names: set[str]) -> Problems:
    at: Path = ("spec", "failurePolicy", "rules")
    rules = policy.get("rules") or ()
    seen: set[str] = set()
    for i, rule in enumerate(rules):
        name = rule.get("name") or f"failurePolicyRule{i}"
        wrong = "" if re.fullmatch(_RULE_NAME, name) and len(name) <= 128 else _RULE_FORM
        wrong = wrong or ("is the name of another rule too" if name in seen else "")
        if wrong:
            yield PodProblem((*at, i, "name"), f"{shown(name)} {wrong}", check=_CHECK)
        seen.add(name)
        yield from _targets(rule, names, (*at, i))
        for j, reason in enumerate(rule.get("onJobFailureReasons") or ()):
            if reason not in _REASONS:
                where = (*at, i, "onJobFailureReasons", j)
                yield PodProblem(where, one_of(reason, _REASONS), check=_CHECK)
    restarts = any(rule.get("action", "").startswith("RestartJobAnd") for rule in rules)
    restarts = restarts or any(rule.get("action") == "RestartJob" for rule in rules)
    if restarts and any(rjob.get("replicas", 1) > _MOST_RESTARTED for rjob in rjobs):
        message = f"RestartJob needs at most {_MOST_RESTARTED} replicas in each replicated job"
        yield PodProblem(at, message, check=_CHECK)


_RULE_FORM: Final = (
    'must be at most 128 letters, digits and "_,:", begin with a letter and end with none of ",:"'
)


def _coordinator(spec: Node, name: str, rjobs: Sequence[Node]) -> Problems:
    given, at = spec["coordinator"], ("spec", "coordinator")
    target = given.get("replicatedJob", "")
    rjob = next((rjob for rjob in rjobs if rjob.get("name") == target), None)
    if rjob is None:
        where = (*at, "replicatedJob")
        yield PodProblem(where, f"{shown(target)} is not a replicated job", check=_CHECK)
        return
    job = (rjob.get("template") or {}).get("spec") or {}
    indexes = (("jobIndex", rjob.get("replicas", 1)), ("podIndex", job.get("completions")))
    for key, count in indexes:
        if count is None or job.get("completionMode", "Indexed") != "Indexed":
            message = "needs an Indexed job with completions set"
            yield PodProblem((*at, "replicatedJob"), message, check=_CHECK)
        elif not 0 <= given.get(key, 0) < count:
            message = f"must be between 0 and {count - 1}, got {given.get(key, 0)}"
            yield PodProblem((*at, key), message, check=_CHECK)
    subdomain = (spec.get("network") or {}).get("subdomain") or name
    host = f"{name}-{target}-{given.get('jobIndex', 0)}-{given.get('podIndex', 0)}.{subdomain}"
    if wrong := forms.label_value(host):
        message = f"the coordinator's address {shown(host)} becomes a label and {wrong}"
        yield PodProblem(at, message, check="name")


def _templates(policies: Sequence[Node]) -> Iterator[tuple[Path, str, Node]]:
    for i, policy in enumerate(policies):
        for j, template in enumerate(policy.get("templates") or ()):
            at: Path = ("spec", "volumeClaimPolicies", i, "templates", j)
            yield at, (template.get("metadata") or {}).get("name", ""), template


def _claims(policies: Sequence[Node], jobset_name: str, rjobs: Sequence[Node]) -> Problems:
    mounted = {mount for rjob in rjobs for mount in _mounted(rjob)}
    seen: set[str] = set()
    for at, name, template in _templates(policies):
        where = (*at, "metadata", "name")
        if wrong := forms.dns_label(name) if name in mounted else forms.dns_subdomain(name):
            yield PodProblem(where, f"{wrong}, got {shown(name)}", check="name")
        if name in seen:
            message = f"{shown(name)} is the name of another template too"
            yield PodProblem(where, message, check="claim")
        seen.add(name)
        if len(claim := f"{name}-{jobset_name}") > 63:
            message = f"the claim's name {shown(claim)} must be at most 63 characters long"
            yield PodProblem(where, message, _shorten(claim), "name")
        if name not in mounted:
            hint = "mount it in a container, or remove the template"
            yield PodProblem(where, f"no container mounts {shown(name)}", hint, "claim")
        yield from metadata(template.get("metadata") or {}, (*at, "metadata"))
        yield from claim_spec(template.get("spec") or {}, (*at, "spec"))
    yield from _clashes(rjobs, seen)


def _clashes(rjobs: Sequence[Node], names: set[str]) -> Problems:
    for i, rjob in enumerate(rjobs):
        for j, volume in enumerate(_pod(rjob).get("volumes") or ()):
            if volume.get("name") in names:
                at: Path = ("spec", "replicatedJobs", i, "template", "spec", "template", "spec")
                message = f"{shown(volume.get('name'))} is a template of volumeClaimPolicies too"
                yield PodProblem((*at, "volumes", j, "name"), message, check="volume")


def _mounted(rjob: Node) -> Iterator[str]:
    pod = _pod(rjob)
    for key in ("containers", "initContainers"):
        for container in pod.get(key) or ():
            for mount in container.get("volumeMounts") or ():
                yield mount.get("name", "")


def _pod(rjob: Node) -> Node:
    template: Mapping[str, Mapping[str, Node]] = (rjob.get("template") or {}).get("spec") or {}
    return (template.get("template") or {}).get("spec") or {}
