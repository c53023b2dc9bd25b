"""Pod templates: the Pod's own fields, and its containers and volumes as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from trainc.kube.validation import forms
from trainc.kube.validation.containers import Around, containers
from trainc.kube.validation.metadata import labels, pod_metadata
from trainc.kube.validation.problem import Node, Path, PodProblem, Problems, one_of, shown
from trainc.kube.validation.resources import overhead, pod_resources
from trainc.kube.validation.scheduling import (
    affinity,
    scheduling_gates,
    tolerations,
    topology_spread,
)
from trainc.kube.validation.security import pod_security
from trainc.kube.validation.volumes import volumes

_CHECK: Final = "pod"
_MAX_INT32: Final = 2**31 - 1
_ENUMS: Final[Mapping[str, tuple[str, ...]]] = {
    "dnsPolicy": ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None", ""),
    "preemptionPolicy": ("PreemptLowerPriority", "Never"),
}
_NAMES: Final[Mapping[str, Callable[[str], str]]] = {
    "hostname": forms.dns_label,
    "nodeName": forms.dns_subdomain,
    "priorityClassName": forms.dns_subdomain,
    "runtimeClassName": forms.dns_subdomain,
    "serviceAccountName": forms.dns_subdomain,
}


def pod_template(template: Node, claim_names: Sequence[str], at: Path) -> Problems:
    """Checks a Pod template.

    Args:
        template: The template as it stands in the Job.
        claim_names: The names of the JobSet's volumeClaimPolicies templates, which become volumes.
        at: The place of the template.
    """
    if template.get("metadata"):
        yield from pod_metadata(template["metadata"], (*at, "metadata"))
    spec = template.get("spec") or {}
    at = (*at, "spec")
    given = spec.get("volumes") or ()
    if given:
        yield from volumes(given, (*at, "volumes"))
    yield from containers(spec, _around(spec, given, claim_names), at)
    for key, value in spec.items():
        check = _FIELDS.get(key)
        if check is not None:
            yield from check(value, spec, (*at, key))
        elif key in _NAMES:
            # An empty name is as good as none, save where Go has a pointer.
            if (value or key == "runtimeClassName") and (wrong := _NAMES[key](value)):
                yield PodProblem((*at, key), f"{wrong}, got {shown(value)}", check="name")
        elif key in _ENUMS and value not in _ENUMS[key]:
            yield PodProblem((*at, key), one_of(value, _ENUMS[key]), check=_CHECK)
    yield from _together(spec, at)


def _around(spec: Node, given: Sequence[Node], claim_names: Sequence[str]) -> Around:
    named = {volume.get("name", ""): volume for volume in given}
    for name in claim_names:
        named.setdefault(name, {"persistentVolumeClaim": {}})
    return Around(
        volumes=named,
        claims={claim.get("name", "") for claim in spec.get("resourceClaims") or ()},
        grace=spec.get("terminationGracePeriodSeconds", 30),
        restart=spec.get("restartPolicy") or "OnFailure",
        host_users=spec.get("hostUsers", True),
        host_network=spec.get("hostNetwork", False),
    )


def _together(spec: Node, at: Path) -> Problems:
    if spec.get("dnsPolicy") == "None" and not (spec.get("dnsConfig") or {}).get("nameservers"):
        message = "must name at least one server where dnsPolicy is None"
        yield PodProblem((*at, "dnsConfig", "nameservers"), message, check=_CHECK)
    if spec.get("hostUsers") is False:
        for key in ("hostPID", "hostIPC"):
            if spec.get(key):
                message = "must not be true where hostUsers is false"
                yield PodProblem((*at, key), message, check="security")
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        where = (*at, "shareProcessNamespace")
        yield PodProblem(where, "must not be true beside hostPID: true", check="security")
    if spec.get("nodeName") and spec.get("schedulingGates"):
        message = "must not be set while there are schedulingGates"
        yield PodProblem((*at, "nodeName"), message, check="scheduling")


def _node_selector(given: Node, spec: Node, at: Path) -> Problems:
    for wrong in labels(given, at):
        yield wrong._replace(check="scheduling")


def _resource_claims(given: Sequence[Node], spec: Node, at: Path) -> Problems:
    seen: set[str] = set()
    for i, claim in enumerate(given):
        name = claim.get("name", "")
        wrong = forms.dns_label(name) or ("is there twice" if name in seen else "")
        if wrong:
            yield PodProblem((*at, i, "name"), f"{shown(name)} {wrong}", check="resources")
        seen.add(name)
        sources = [k for k in ("resourceClaimName", "resourceClaimTemplateName") if k in claim]
        if len(sources) != 1:
            message = "must have exactly one of resourceClaimName and resourceClaimTemplateName"
            yield PodProblem((*at, i), message, check="resources")
        for key in sources:
            if wrong := forms.dns_subdomain(claim[key]):
                where = (*at, i, key)
                yield PodProblem(where, f"{wrong}, got {shown(claim[key])}", check="resources")


def _deadline(given: int, spec: Node, at: Path) -> Problems:
    if not 1 <= given <= _MAX_INT32:
        message = f"must be between 1 and {_MAX_INT32}, got {given}"
        yield PodProblem(at, message, check=_CHECK)


def _dns_config(given: Node, spec: Node, at: Path) -> Problems:
    servers, searches = given.get("nameservers") or (), given.get("searches") or ()
    if len(servers) > 3:
        yield PodProblem((*at, "nameservers"), "must be at most 3", check=_CHECK)
    for i, server in enumerate(servers):
        if wrong := forms.ip(server):
            where = (*at, "nameservers", i)
            yield PodProblem(where, f"{wrong}, got {shown(server)}", check=_CHECK)
    if len(searches) > 32 or len(" ".join(searches)) > 2048:
        message = "must be at most 32 domains and 2048 characters together"
        yield PodProblem((*at, "searches"), message, check=_CHECK)
    for i, search in enumerate(searches):
        if wrong := forms.search_domain(search):
            where = (*at, "searches", i)
            yield PodProblem(where, f"{wrong}, got {shown(search)}", check=_CHECK)
    for i, option in enumerate(given.get("options") or ()):
        if not option.get("name"):
            yield PodProblem((*at, "options", i, "name"), "must be set", check=_CHECK)


def _host_aliases(given: Sequence[Node], spec: Node, at: Path) -> Problems:
    for i, alias in enumerate(given):
        if wrong := forms.ip(alias.get("ip", "")):
            where = (*at, i, "ip")
            yield PodProblem(where, f"{wrong}, got {shown(alias.get('ip', ''))}", check=_CHECK)
        for j, hostname in enumerate(alias.get("hostnames") or ()):
            if wrong := forms.dns_subdomain(hostname):
                where = (*at, i, "hostnames", j)
                yield PodProblem(where, f"{wrong}, got {shown(hostname)}", check=_CHECK)


def _readiness_gates(given: Sequence[Node], spec: Node, at: Path) -> Problems:
    for i, gate in enumerate(given):
        name = gate.get("conditionType", "")
        if wrong := forms.qualified_name(name):
            where = (*at, i, "conditionType")
            yield PodProblem(where, f"{shown(name)} {wrong}", check=_CHECK)


def _os(given: Node, spec: Node, at: Path) -> Problems:
    name = given.get("name", "")
    if name not in ("linux", "windows"):
        yield PodProblem((*at, "name"), one_of(name, ("linux", "windows")), check=_CHECK)


_FIELDS: Final[Mapping[str, Callable[[Any, Node, Path], Problems]]] = {
    "activeDeadlineSeconds": _deadline,
    "affinity": lambda given, spec, at: affinity(given, at),
    "dnsConfig": _dns_config,
    "hostAliases": _host_aliases,
    "nodeSelector": _node_selector,
    "os": _os,
    "overhead": lambda given, spec, at: overhead(given, at),
    "readinessGates": _readiness_gates,
    "resourceClaims": _resource_claims,
    "resources": lambda given, spec, at: pod_resources(given, at),
    "schedulingGates": lambda given, spec, at: scheduling_gates(given, at),
    "securityContext": pod_security,
    "tolerations": lambda given, spec, at: tolerations(given, at),
    "topologySpreadConstraints": lambda given, spec, at: topology_spread(given, at),
}
