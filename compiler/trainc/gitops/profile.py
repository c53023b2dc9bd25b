"""Profiles: what Argo CD and Flux must be told on the objects, and what must not stand there.

In: the objects of a build. Out: the same with annotations of the tool that syncs them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from trainc import names
from trainc.kube.size import CLIENT_SIDE_LIMIT, annotated_size
from trainc.kube.substitution import substituted
from trainc.plan.plan import Object
from trainc.plan.queue import PLACEMENT

Manifest = dict[str, Any]

WAVE: Final = "argocd.argoproj.io/sync-wave"
OPTIONS: Final = "argocd.argoproj.io/sync-options"
SUBSTITUTE: Final = "kustomize.toolkit.fluxcd.io/substitute"
APPLY: Final = "kustomize.toolkit.fluxcd.io/ssa"
TTL: Final = "ttlSecondsAfterFinished"

# Wave 0 is what a repository's own namespaces and claims are in; ours come after them.
_HELPERS: Final = "1"
# The data cache stands beside its job: its Secret is minted for a JobSet that is there, so a cache
# of an earlier wave would never get healthy, and the wave of the job never come.
_WAVES: Final = {"LeaderWorkerSet": "2", "JobSet": "2", "TrainJob": "2"}

# Who writes these: the tools themselves, on what they track. In Git, or copied into a pod, they
# make the tool take the object for another application's, and prune it.
_TRACKING: Final = (*names.TRACKING, "kubectl.kubernetes.io/last-applied-configuration")
# Argo CD's default tracking label and the tools' own prefixes: never on pods.
_NOT_ON_PODS: Final = (
    "app.kubernetes.io/instance",
    "argocd.argoproj.io/",
    "kustomize.toolkit.fluxcd.io/",
    "kubectl.kubernetes.io/last-applied-configuration",
)


class Profile(NamedTuple):
    """Which tool syncs the output.

    Attributes:
        name: The tool; ``none`` leaves every object as it is.
        allow_ttl: Whether ``ttlSecondsAfterFinished`` stays. Without it a finished job is removed
            by the cluster, made again by the tool, and trains again.
        on_change: What a changed job becomes: with ``rename`` no object changes under its name.
    """

    name: str = "none"
    allow_ttl: bool = False
    on_change: str = "keep"


def with_profile(objects: Iterable[Object], profile: Profile) -> tuple[Object, ...]:
    """The objects as the profile's tool must find them."""
    if profile.name == "none":
        return tuple(objects)
    return tuple(
        each._replace(manifest=_annotated_for(_clean(each.manifest, profile.allow_ttl), profile))
        if not each.kept
        else each._replace(manifest=_kept(each.manifest, profile))
        for each in objects
    )


def _kept(manifest: Mapping[str, Any], profile: Profile) -> Manifest:
    """An object of a person's: it stays in the wave it is in, 0 where it names none."""
    out = {**manifest, "metadata": _untracked(manifest["metadata"], _TRACKING)}
    return _missing_kind(out) if profile.name == "argocd" else _flux(out)


def _annotated_for(manifest: Manifest, profile: Profile) -> Manifest:
    """The object with the annotations of the profile's tool."""
    if profile.name == "argocd":
        return _argocd(manifest)
    out = _flux(manifest)
    return _once(out) if profile.on_change == "rename" else out


def _argocd(manifest: Manifest) -> Manifest:
    wave = manifest["metadata"].get("annotations", {}).get(WAVE)
    out = _annotated(manifest, {WAVE: wave or _WAVES.get(manifest["kind"], _HELPERS)})
    out = _missing_kind(out)
    if annotated_size(out) > CLIENT_SIDE_LIMIT:
        out = _with_options(out, ["ServerSideApply=true"])
    return out


def _missing_kind(manifest: Manifest) -> Manifest:
    """The object with the option by which a custom resource may come before its definition."""
    group = manifest["apiVersion"].rpartition("/")[0]
    if "." in group and not group.endswith(".k8s.io"):
        return _with_options(manifest, ["SkipDryRunOnMissingResource=true"])
    return manifest


def _with_options(manifest: Manifest, options: list[str]) -> Manifest:
    """The object with these sync options after its own, which win."""
    own = manifest["metadata"].get("annotations", {}).get(OPTIONS, "")
    own = [each for each in own.split(",") if each]
    said = {each.partition("=")[0] for each in own}
    options = own + [each for each in options if each.partition("=")[0] not in said]
    return _annotated(manifest, {OPTIONS: ",".join(options)}) if options else manifest


def _flux(manifest: Manifest) -> Manifest:
    said = SUBSTITUTE in manifest["metadata"].get("annotations", {})
    if said or not substituted(json.dumps(manifest)):
        return manifest
    return _annotated(manifest, {SUBSTITUTE: "disabled"})


def _once(manifest: Manifest) -> Manifest:
    """A queued JobSet to whose placement Kueue adds: Flux makes it, and then leaves it alone.

    Its name follows all that is printed (``digest_of_all``), so nothing changes under it.
    """
    metadata = manifest["metadata"]
    is_queued = any(key.startswith(names.KUEUE_PREFIX) for key in metadata.get("labels", {}))
    if manifest["kind"] != "JobSet" or not is_queued or APPLY in metadata.get("annotations", {}):
        return manifest
    pods = [job["template"]["spec"]["template"]["spec"]
            for job in manifest["spec"].get("replicatedJobs", ())]  # fmt: skip
    is_placed = any(pod.get(field) for pod in pods for field in PLACEMENT)
    return _annotated(manifest, {APPLY: "IfNotPresent"}) if is_placed else manifest


def _annotated(manifest: Manifest, added: Mapping[str, str]) -> Manifest:
    metadata = manifest["metadata"]
    annotations = {**metadata.get("annotations", {}), **added}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}


def _clean(manifest: Mapping[str, Any], allow_ttl: bool) -> Manifest:
    """The object without traces of tools, and without what would remove it behind Git's back."""
    out = {**manifest, "metadata": _untracked(manifest["metadata"], _TRACKING)}
    if manifest["kind"] != "JobSet":
        return out
    spec = dict(manifest["spec"])
    if not allow_ttl:
        spec.pop(TTL, None)
    if "replicatedJobs" in spec:
        spec["replicatedJobs"] = [_job(job, allow_ttl) for job in spec["replicatedJobs"]]
    return {**out, "spec": spec}


def _job(job: Mapping[str, Any], allow_ttl: bool) -> Manifest:
    template = _without_traces(job["template"])
    spec = dict(template["spec"])
    if not allow_ttl:
        spec.pop(TTL, None)
    spec["template"] = _without_traces(spec["template"])
    return {**job, "template": {**template, "spec": spec}}


def _without_traces(template: Mapping[str, Any]) -> Manifest:
    if "metadata" not in template:
        return dict(template)
    metadata = _untracked(template["metadata"], _NOT_ON_PODS)
    if metadata:
        return {**template, "metadata": metadata}
    return {key: value for key, value in template.items() if key != "metadata"}


def _untracked(metadata: Mapping[str, Any], traces: tuple[str, ...]) -> Manifest:
    """The metadata without these labels and annotations; empty maps go too."""
    out = dict(metadata)
    for field in ("labels", "annotations"):
        if field in out:
            out[field] = {k: v for k, v in out[field].items() if not k.startswith(traces)}
            if not out[field]:
                del out[field]
    return out
