"""An object as a cluster keeps it: what stands only in its defaults is no difference.

In: a manifest as printed, or as a cluster holds it. Out: a copy with the defaults of its CRD and of
JobSet's webhook, quantities in one form, and without what only a cluster writes.
"""

from __future__ import annotations

import copy
import json
from typing import Any, Final

from trainc import names
from trainc.diff.change import Manifest
from trainc.kube.gotypes import normalise
from trainc.source.document import Document
from trainc.spec.schema import default

_KEPT_METADATA: Final = ("name", "namespace", "labels", "annotations")
_OF_CLUSTER: Final = "kubectl.kubernetes.io/last-applied-configuration"


def settled(manifest: Manifest, before: Manifest | None = None) -> dict[str, Any]:
    """The object with its defaults; nothing of the arguments is changed.

    Args:
        manifest: The object.
        before: What was applied before it, where the object is there already: a default of the
            webhook, which acts on creation alone, is gone for good once it was printed and no
            longer is.
    """
    out = {key: value for key, value in copy.deepcopy(dict(manifest)).items() if key != "status"}
    out["metadata"] = _metadata(out["metadata"])
    kind = out["kind"]
    if kind in (names.TRAIN_JOB, "JobSet"):
        default(Document("", 0, out, {}, 0), kind)
    if kind == "JobSet":
        out["spec"] = _jobset(out["spec"], (before or {}).get("spec") or {})
    return out


def _metadata(metadata: dict[str, Any]) -> dict[str, Any]:
    out = {key: metadata[key] for key in _KEPT_METADATA if metadata.get(key)}
    notes = out.get("annotations")
    if notes:
        out["annotations"] = {k: _note(k, v) for k, v in notes.items() if k != _OF_CLUSTER}
    return out


def _note(key: str, value: Any) -> Any:
    """What the controller is told, as the data it is, so that a change shows as what it is."""
    if key != names.JOB_ANNOTATION:
        return value
    try:
        return json.loads(value)
    except (ValueError, TypeError):
        return value


def _jobset(spec: dict[str, Any], before: Manifest) -> dict[str, Any]:
    """What the webhook of JobSet v0.12 adds, after a typed round trip."""
    for key, value in _POLICIES.items():
        _set_once(spec, key, value, before)
    spec.setdefault("suspend", False)  # what a JobSet without the field is
    # A map that is no longer printed goes whole, with what was put into it.
    if "network" in spec or "network" not in before:
        network = spec.setdefault("network", {})
        for key in ("enableDNSHostnames", "publishNotReadyAddresses"):
            _set_once(network, key, True, before.get("network"))
    replicas = [job.get("replicas", 1) for job in spec.get("replicatedJobs") or ()]
    typed: dict[str, Any] = normalise(spec, "JobSetSpec")
    # The CRD's rules compare these as they are written, empty parts and all.
    out = typed | {key: spec[key] for key in _AS_WRITTEN if key in spec}
    _fill_lists(out, typed, before)
    known = {job.get("name"): job for job in before.get("replicatedJobs") or ()}
    for job, count in zip(out.get("replicatedJobs", ()), replicas, strict=True):
        job["replicas"] = count
        old = (known.get(job["name"], {}).get("template") or {}).get("spec") or {}
        _set_once(job["template"]["spec"], "completionMode", "Indexed", old)
        pod = (old.get("template") or {}).get("spec")
        _set_once(job["template"]["spec"]["template"]["spec"], "restartPolicy", "OnFailure", pod)
    return out


def _fill_lists(spec: dict[str, Any], typed: Manifest, before: Manifest) -> None:
    """Completes the items of lists that are replaced whole: a list that is new stays as printed."""
    policy, old = spec.get("failurePolicy") or {}, before.get("failurePolicy") or {}
    if not before or policy.get("rules") == old.get("rules"):
        for index, rule in enumerate(policy.get("rules") or ()):
            rule["name"] = rule.get("name") or f"failurePolicyRule{index}"
    claims = spec.get("volumeClaimPolicies")
    if claims and (not before or claims == before.get("volumeClaimPolicies")):
        spec["volumeClaimPolicies"] = [_completed(claim) for claim in typed["volumeClaimPolicies"]]


def _completed(claim: Manifest) -> dict[str, Any]:
    templates = [{**template, "status": {}} for template in claim.get("templates") or ()]
    return {"retentionPolicy": {"whenDeleted": "Delete"}, **claim, "templates": templates}


_AS_WRITTEN: Final = (
    "failurePolicy",
    "network",
    "startupPolicy",
    "successPolicy",
    "volumeClaimPolicies",
)
_POLICIES: Final = {
    "startupPolicy": {"startupPolicyOrder": "AnyOrder"},
    "successPolicy": {"operator": "All"},
}


def _set_once(target: dict[str, Any], key: str, value: Any, before: Manifest | None) -> None:
    """Sets what the webhook sets, unless it was printed before and so is taken away."""
    if key not in target and key not in (before or {}):
        target[key] = copy.deepcopy(value)
