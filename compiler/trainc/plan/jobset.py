"""The JobSet of a job: the one place where pod sets become a manifest again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from trainc import names
from trainc.info.info import Info
from trainc.info.podset import Container, PodSet
from trainc.kube.kept import Kept
from trainc.kube.upsert import doubled_mounts, doubled_ports
from trainc.plan.metadata import annotations_for_jobset, labels_for_jobset
from trainc.plan.queue import is_queued
from trainc.spec.compat import Compat

Manifest = dict[str, Any]


def jobset(info: Info) -> Manifest:
    """The JobSet, without the annotation and label that every object of trainc gets.

    Source: ``pkg/runtime/framework/plugins/jobset`` of v2.3.0; controlplane facts 3.8.
    """
    compat = info.spec.compat
    spec = dict(info.spec.template.spec)
    jobs = [_job(pod_set, compat) for pod_set in info.pod_sets]
    if jobs:
        spec["replicatedJobs"] = jobs
    if compat.extends and "volumeClaimPolicies" in spec:
        spec["volumeClaimPolicies"] = [_claims(policy) for policy in spec["volumeClaimPolicies"]]
    spec.pop("suspend", None)
    suspended = bool(info.spec.job.spec.get("suspend", False))
    if compat.keeps("suspend-false") or (suspended and not is_queued(info.spec)):
        spec["suspend"] = suspended
    if info.spec.job.spec.get("managedBy") == names.MULTIKUEUE and not compat.keeps("job-metadata"):
        spec["managedBy"] = names.MULTIKUEUE
    return {
        "apiVersion": names.JOBSET_API_VERSION,
        "kind": "JobSet",
        "metadata": _metadata(info),
        "spec": spec,
    }


def _claims(policy: Mapping[str, Any]) -> Manifest:
    """A claim policy as JobSet's webhook completes it.

    The list is immutable, and one that lacks what the webhook added differs from it: the API server
    would refuse to apply the same file a second time.
    """
    retention = {"whenDeleted": "Delete", **policy.get("retentionPolicy", {})}
    templates = [{**template, "status": {}} for template in policy.get("templates", [])]
    return {**policy, "retentionPolicy": retention, "templates": templates}


def _metadata(info: Info) -> Manifest:
    out: Manifest = {"name": info.name, "namespace": info.spec.job.namespace}
    labels: Mapping[str, str] = info.spec.template.labels
    annotations: Mapping[str, str] = info.spec.template.annotations
    if not info.spec.compat.keeps("job-metadata"):
        labels = {**labels, **labels_for_jobset(info)}
        annotations = {**annotations, **annotations_for_jobset(info)}
    if labels:
        out["labels"] = labels
    if annotations:
        out["annotations"] = annotations
    return out


# Pod sets that no policy has touched are the same objects in many jobs. Building them once saves
# work here, and lets the emitter print them once.
_SHARED: Final[Kept[Manifest]] = Kept(4096)


def _job(pod_set: PodSet, compat: Compat) -> Manifest:
    key = (id(pod_set), compat)
    held = _SHARED.get(key)
    if held is not None:
        return held[1]
    return _SHARED.keep(key, pod_set, _build(pod_set, compat))


def _build(pod_set: PodSet, compat: Compat) -> Manifest:
    raw = pod_set.raw
    template: Mapping[str, Any] = raw["template"]
    spec = {
        **template["spec"],
        "parallelism": pod_set.count,
        "completions": pod_set.count,
        "template": _pod_template(pod_set, compat),
    }
    if compat.extends:
        spec.setdefault("completionMode", "Indexed")
    out = {**raw, "template": {**template, "spec": spec}}
    if pod_set.ancestor in names.ANCESTORS:
        out["replicas"] = 1
    return out


def _pod_template(pod_set: PodSet, compat: Compat) -> Manifest:
    raw: Mapping[str, Any] = pod_set.raw["template"]["spec"]["template"]
    out = dict(raw)
    if pod_set.pod_labels or pod_set.pod_annotations:
        metadata = dict(raw.get("metadata", {}))
        for key, more in (
            ("labels", pod_set.pod_labels),
            ("annotations", pod_set.pod_annotations),
        ):
            if more:
                metadata[key] = {**metadata.get(key, {}), **more}
        out["metadata"] = metadata
    spec = dict(raw.get("spec", {}))
    for key, containers in (
        ("containers", pod_set.containers),
        ("initContainers", pod_set.init_containers),
    ):
        if containers:
            spec[key] = [_container(container, compat) for container in containers]
    if pod_set.volumes:
        spec["volumes"] = list(pod_set.volumes)
    if compat.extends:
        # JobSet's webhook sets this, and the completionMode of the Job, on creation alone; both
        # stand in a list that client-side apply sends whole, and the list is immutable.
        spec.setdefault("restartPolicy", "OnFailure")
    out["spec"] = spec
    return out


def _container(container: Container, compat: Compat) -> Manifest:
    out = dict(container.raw)
    ports = doubled_ports(container.ports) if compat.keeps("ports") else container.ports
    mounts = doubled_mounts(container.mounts) if compat.keeps("mounts") else container.mounts
    for key, value in (
        ("env", container.env),
        ("envFrom", container.env_from),
        ("ports", ports),
        ("volumeMounts", mounts),
    ):
        if value:
            out[key] = list(value)
    _set_or_drop(out, "command", container.command)
    _set_or_drop(out, "args", container.args)
    if container.image is not None:
        out["image"] = container.image
    out.pop("resources", None)
    if container.resources:
        out["resources"] = container.resources
    return out


def _set_or_drop(out: Manifest, key: str, value: tuple[str, ...] | None) -> None:
    """Writes a list; an empty one clears what the template has."""
    if value:
        out[key] = list(value)
    else:
        out.pop(key, None)
