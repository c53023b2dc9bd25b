"""What the API server refuses to change of an object that is there, kind by kind.

In: an object before and after, both settled. Out: the rules that the change breaks; none means that
it is changed in place. Sources: the transition rules of the CRDs (``spec/transition.py``), the
update webhooks of Kubeflow Trainer v2.3.0, JobSet v0.12 (its feature gates at their defaults) and
LeaderWorkerSet v0.8, and ``pkg/apis/*/validation`` of Kubernetes 1.35.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from trainc.diff.change import Refusal
from trainc.spec.transition import broken

Object = Mapping[str, Any]
_IMMUTABLE: Final = "field is immutable"


def refusals(old: Object, new: Object) -> tuple[Refusal, ...]:
    """The rules that a change from ``old`` to ``new`` breaks.

    Args:
        old: The object before, settled.
        new: The object after, settled; of the same kind.
    """
    rules = _RULES.get(new["kind"])
    return () if rules is None else tuple(rules(old, new))


def is_known(kind: str) -> bool:
    """Whether the rules of a kind are known here; of others nothing can be said."""
    return kind in _RULES


def is_suspended(manifest: Object) -> bool:
    """Whether a job is held without pods."""
    return (manifest.get("spec") or {}).get("suspend") is True


def _jobset(old: Object, new: Object) -> Iterator[Refusal]:
    """JobSet: its CRD's transition rules, and ``ValidateUpdate`` of its webhook."""
    for rule, path in broken(old, new, "JobSet"):
        yield Refusal(path, rule.message, rule.cel)
    before, after = old["spec"], new["spec"]
    held = is_suspended(old) or is_suspended(new)
    known = {job["name"]: job for job in before.get("replicatedJobs", ())}
    jobs = [
        _masked(job, known[job["name"]]) if held and job["name"] in known else job
        for job in after.get("replicatedJobs", ())
    ]
    if jobs != before.get("replicatedJobs", []):
        yield Refusal(("spec", "replicatedJobs"), _IMMUTABLE, "JobSet's webhook")
    if after.get("managedBy") != before.get("managedBy"):
        yield Refusal(("spec", "managedBy"), _IMMUTABLE, "JobSet's webhook")


# What Kueue sets in the pod template of a suspended job.
_POD_METADATA: Final = ("annotations", "labels")
_POD_SPEC: Final = ("nodeSelector", "tolerations", "schedulingGates")


def _masked(job: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """A replicated job with what may change while suspended as it was before."""
    out = copy.deepcopy(dict(job))
    pod, before = (each["template"]["spec"]["template"] for each in (out, known))
    for part, fields in (("metadata", _POD_METADATA), ("spec", _POD_SPEC)):
        held, old = pod.setdefault(part, {}), before.get(part) or {}
        for field in fields:
            held.pop(field, None)
            if field in old:
                held[field] = old[field]
        if not held and part not in before:
            del pod[part]
    return out


def _trainjob(old: Object, new: Object) -> Iterator[Refusal]:
    """TrainJob: its CRD's transition rules, and the webhook on runtimePatches."""
    for rule, path in broken(old, new, "TrainJob"):
        yield Refusal(path, rule.message, rule.cel)
    before, after = (each["spec"].get("runtimePatches") or [] for each in (old, new))
    if before != after and not (is_suspended(old) or is_suspended(new)):
        message = "may change only while the TrainJob is suspended"
        yield Refusal(("spec", "runtimePatches"), message, "the TrainJob webhook")


def _runtime(old: Object, new: Object) -> Iterator[Refusal]:
    for rule, path in broken(old, new, new["kind"]):
        yield Refusal(path, rule.message, rule.cel)


def _data(old: Object, new: Object) -> Iterator[Refusal]:
    """ConfigMap and Secret: frozen once ``immutable`` is true; the type of a Secret always."""
    rule = f"validation of a {new['kind']}"
    if old.get("immutable") is True:
        if new.get("immutable") is not True:
            yield Refusal(("immutable",), "field is immutable when `immutable` is set", rule)
        for field in ("data", "binaryData", "stringData"):
            if (old.get(field) or {}) != (new.get(field) or {}):
                yield Refusal((field,), "field is immutable when `immutable` is set", rule)
    if new["kind"] == "Secret" and old.get("type", "Opaque") != new.get("type", "Opaque"):
        yield Refusal(("type",), _IMMUTABLE, rule)


def _service(old: Object, new: Object) -> Iterator[Refusal]:
    """Service: an address once given is kept; one that is left out is kept by the API server."""
    before, after = old.get("spec") or {}, new.get("spec") or {}
    if "ExternalName" in (before.get("type"), after.get("type")):
        return
    for field in ("clusterIP", "clusterIPs", "ipFamilies"):
        if before.get(field) and after.get(field) and _first(before[field]) != _first(after[field]):
            message = "may not change once set"
            yield Refusal(("spec", field), message, "validation of a Service")


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) else value


def _binding(old: Object, new: Object) -> Iterator[Refusal]:
    if old.get("roleRef") != new.get("roleRef"):
        yield Refusal(("roleRef",), "cannot change roleRef", f"validation of a {new['kind']}")


def _workers(old: Object, new: Object) -> Iterator[Refusal]:
    """LeaderWorkerSet: ``ValidateUpdate`` of its webhook."""
    path = ("spec", "leaderWorkerTemplate", "subGroupPolicy")
    before, after = (_at(each, path) for each in (old, new))
    if (before is None) != (after is None) or (
        before is not None and before.get("subGroupSize") != after.get("subGroupSize")
    ):
        rule = "LeaderWorkerSet's webhook"
        yield Refusal((*path, "subGroupSize"), _IMMUTABLE, rule)


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _free(old: Object, new: Object) -> Iterator[Refusal]:
    """Kinds of which everything may change."""
    return iter(())


_RULES: Final[dict[str, Callable[[Object, Object], Iterator[Refusal]]]] = {
    "JobSet": _jobset,
    "TrainJob": _trainjob,
    "TrainingRuntime": _runtime,
    "ClusterTrainingRuntime": _runtime,
    "ConfigMap": _data,
    "Secret": _data,
    "Service": _service,
    "RoleBinding": _binding,
    "ClusterRoleBinding": _binding,
    "LeaderWorkerSet": _workers,
    "PodGroup": _free,
    "Role": _free,
    "ClusterRole": _free,
    "ServiceAccount": _free,
}
