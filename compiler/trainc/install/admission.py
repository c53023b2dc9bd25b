"""ValidatingAdmissionPolicies: what the reference's webhooks say of one object and its old version.

In: nothing. Out: policies with their bindings. The API server enforces them itself; there is no
webhook of ours. Rules that need a second object (the runtime a job names, its JobSet) stay with
``trainc build`` and with the controller.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from trainc.install.meta import NAME, NAMESPACE, TLS_SECRET, metadata
from trainc.names import (
    ANCESTORS,
    CACHE_AUTH_SUFFIX,
    CACHE_SHARED_PREFIX,
    CACHE_SUFFIX,
    FLUX_CURVE_SUFFIX,
    GROUP,
    MANAGED_BY_LABEL,
    MPI_SSH_SUFFIX,
    NODE,
    RUNTIME_KINDS,
    SUPPORT,
    TRAINC,
    TRAINER,
    TRAINJOB_LABEL,
)

Json = dict[str, Any]

TRAINJOBS_POLICY: Final = "trainc-trainjobs"
RUNTIMES_POLICY: Final = "trainc-runtimes"

_ADMISSION: Final = "admissionregistration.k8s.io/v1"
_RESERVED: Final = [NODE, *(name for name in ANCESTORS if name != TRAINER)]
_DEPRECATION: Final = (
    "https://trainer.kubeflow.org/en/latest/operator-guides/runtime.html#runtime-deprecation-policy"
)
# apimachinery's IsDomainPrefixedPath: a DNS subdomain, a slash, a path.
_MANAGER: Final = (
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/"
    r"[A-Za-z0-9/._~%!$&'()*+,;=:-]+$"
)
_REFERENCE: Final = "object.spec.runtimeRef"
# What is there already may keep its labels and lose its finalizers, whatever it says.
_CHANGED: Final = {
    "name": "spec-changed",
    "expression": "oldObject == null || object.?spec != oldObject.?spec",
}
_PATCHES: Final = "object.spec.?runtimePatches.orValue([])"
_PATCHED_JOBS: Final = "p.?trainingRuntimeSpec.?template.?spec.?replicatedJobs.orValue([])"
_PATCHED_CONTAINERS: Final = "j.?template.?spec.?template.?spec.?containers.orValue([])"
_JOBS: Final = "object.spec.?template.?spec.?replicatedJobs.orValue([])"
_STEP: Final = (
    "j.template.?metadata.?labels[?'trainer.kubeflow.org/trainjob-ancestor-step'].orValue('')"
)


def admission() -> list[Json]:
    """All policies, each followed by its binding."""
    return [
        each for policy in (_trainjobs(), _runtimes(), _deprecated(), _secrets()) for each in policy
    ]


def _trainjobs() -> list[Json]:
    kinds = _cel(RUNTIME_KINDS)
    unchanged = f"oldObject.spec.?runtimePatches.orValue([]) == {_PATCHES}"
    validations = [
        _validation(
            f"{_REFERENCE}.apiGroup == '{GROUP}' && {_REFERENCE}.kind in {kinds}",
            "spec.runtimeRef: unsupported runtime",
            "'spec.runtimeRef: unsupported runtime: ' + object.spec.runtimeRef.kind + '.' +"
            " object.spec.runtimeRef.apiGroup",
        ),
        _validation(
            f'{_PATCHES}.all(p, size(p.manager.split("/")[0]) <= 253'
            f' && p.manager.matches("{_MANAGER}"))',
            "spec.runtimePatches.manager: must be a domain-prefixed path, such as example.com/name",
        ),
        _validation(
            f"{_PATCHES}.all(p, {_PATCHED_JOBS}.all(j, {_PATCHED_CONTAINERS}.all(c,"
            f" !(c.name in {_cel(_RESERVED)}) || size(c.?env.orValue([])) == 0)))",
            "spec.runtimePatches: must not have env for the containers node,"
            " dataset-initializer and model-initializer",
        ),
        _validation(
            f"oldObject == null || {unchanged} || object.spec.?suspend.orValue(false)"
            " || oldObject.spec.?suspend.orValue(false)",
            "spec.runtimePatches: may change only while the TrainJob is suspended",
        ),
    ]
    resources = ["trainjobs"]
    return _policy(TRAINJOBS_POLICY, _match(resources), validations, conditions=[_CHANGED])


def _runtimes() -> list[Json]:
    known = _cel(ANCESTORS)
    wanted = f"({_STEP} == '{TRAINER}' ? '{NODE}' : {_STEP})"
    containers = "j.template.spec.template.spec.containers"
    validations = [
        _validation(
            f"{_JOBS}.all(j, !({_STEP} in {known}) || j.?replicas.orValue(1) == 1)",
            "spec.template.spec.replicatedJobs[].replicas: must be 1 with an ancestor step",
        ),
        _validation(
            f"{_JOBS}.all(j, !({_STEP} in {known}) || {containers}.exists(c, c.name == {wanted}))",
            "spec.template.spec.replicatedJobs[].template.spec.template.spec.containers: must have"
            " a container node (trainer), or one named for the ancestor step",
        ),
    ]
    match = _match(["trainingruntimes", "clustertrainingruntimes"])
    label = f"{GROUP}/webhook-validation"
    match["objectSelector"] = {
        "matchExpressions": [{"key": label, "operator": "NotIn", "values": ["disabled"]}]
    }
    return _policy(RUNTIMES_POLICY, match, validations, conditions=[_CHANGED])


def _deprecated() -> list[Json]:
    message = f"this ClusterTrainingRuntime is deprecated, see {_DEPRECATION}"
    match = _match(["clustertrainingruntimes"], ["CREATE"])
    match["objectSelector"] = {"matchLabels": {SUPPORT: "deprecated"}}
    return _policy("trainc-deprecated", match, [_validation("false", message)], ["Warn"])


def _secrets() -> list[Json]:
    """What the controller may create: it has no other verb on Secrets."""
    suffixes = (MPI_SSH_SUFFIX, FLUX_CURVE_SUFFIX, CACHE_AUTH_SUFFIX)
    job = f"object.metadata.labels[?'{TRAINJOB_LABEL}'].orValue('')"
    owners = "object.metadata.?ownerReferences.orValue([])"
    own = (
        f"(object.metadata.namespace == '{NAMESPACE}' && object.metadata.name == '{TLS_SECRET}'"
        f" && object.?type.orValue('') == 'kubernetes.io/tls')"
    )
    minted = (
        f"({job} != '' && {_cel(suffixes)}.exists(s, object.metadata.name == {job} + s)"
        " && object.?type.orValue('Opaque') in ['Opaque', 'kubernetes.io/ssh-auth']"
        f" && size({owners}) == 1 && {owners}[0].kind == 'JobSet' && {owners}[0].name == {job})"
    )
    name = "object.metadata.name"
    shared = (
        f"({name}.matches('^{CACHE_SHARED_PREFIX}[0-9a-f]{{10}}{CACHE_AUTH_SUFFIX}$')"
        f" && object.?type.orValue('Opaque') == 'Opaque' && size({owners}) == 1"
        f" && {owners}[0].kind == 'LeaderWorkerSet'"
        f" && {name} == {owners}[0].name.replace('{CACHE_SUFFIX}', '{CACHE_AUTH_SUFFIX}'))"
    )
    validations = [
        _validation(
            f"object.metadata.?labels[?'{MANAGED_BY_LABEL}'].orValue('') == '{TRAINC}'",
            f"Secrets made by trainc carry the label {MANAGED_BY_LABEL}={TRAINC}",
        ),
        _validation(
            f"has(object.metadata.labels) && ({own} || {minted} || {shared})",
            "trainc makes only the Secrets that a JobSet of its own asks for",
        ),
    ]
    rule = {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE"],
        "resources": ["secrets"],
    }
    user = f"system:serviceaccount:{NAMESPACE}:{NAME}"
    conditions = [
        {"name": "the-controller", "expression": f"request.userInfo.username == '{user}'"}
    ]
    return _policy("trainc-secrets", {"resourceRules": [rule]}, validations, conditions=conditions)


def _match(resources: Sequence[str], operations: Sequence[str] = ("CREATE", "UPDATE")) -> Json:
    rule = {
        "apiGroups": [GROUP],
        "apiVersions": ["v1alpha1"],
        "operations": list(operations),
        "resources": list(resources),
    }
    return {"resourceRules": [rule]}


def _validation(expression: str, message: str, message_expression: str = "") -> Json:
    out = {"expression": expression, "message": message, "reason": "Invalid"}
    return out | ({"messageExpression": message_expression} if message_expression else {})


def _policy(
    name: str,
    match: Json,
    validations: Sequence[Json],
    actions: Sequence[str] = ("Deny",),
    conditions: Sequence[Json] = (),
) -> list[Json]:
    spec: Json = {
        "failurePolicy": "Fail",
        "matchConstraints": match,
        "validations": list(validations),
    }
    if conditions:
        spec["matchConditions"] = list(conditions)
    return [
        {
            "apiVersion": _ADMISSION,
            "kind": "ValidatingAdmissionPolicy",
            "metadata": metadata(name),
            "spec": spec,
        },
        {
            "apiVersion": _ADMISSION,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": metadata(name),
            "spec": {"policyName": name, "validationActions": list(actions)},
        },
    ]


def _cel(texts: Sequence[str]) -> str:
    return "[" + ", ".join(f"'{text}'" for text in texts) + "]"
