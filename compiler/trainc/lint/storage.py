"""Lints on data: volumes many nodes cannot share, initializers whose two sides do not meet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from trainc import names
from trainc.errors import Problem
from trainc.info.podset import PodSet
from trainc.lint.lint import POD, Job, Lint

_INITIALIZERS: Final = (names.DATASET_INITIALIZER, names.MODEL_INITIALIZER)
# Disks of one machine at a time, by their API.
_ONE_NODE: Final = frozenset(
    {
        "awsElasticBlockStore",
        "azureDisk",
        "cinder",
        "fc",
        "gcePersistentDisk",
        "iscsi",
        "rbd",
        "vsphereVolume",
    }
)
# What the reference's own images read; ours read names.*_SCHEMES.
_REFERENCE: Final = "kubeflow/trainer/"
_REFERENCE_SCHEMES: Final = ("cache", "hf", "s3")


def one_writer(job: Job) -> Iterator[Problem]:
    """A ReadWriteOnce volume under pods that land on several nodes."""
    if job.nodes < 2:
        return
    trainer = job.info.trainer
    assert trainer is not None
    index = job.info.pod_sets.index(trainer)
    for place, volume in enumerate(trainer.volumes):
        for disk in _ONE_NODE & volume.keys():
            if volume[disk].get("readOnly"):
                continue
            path = ("spec", "replicatedJobs", index, *POD, "volumes", place)
            yield job.at(
                path,
                f"{disk} is one machine's disk, and there are {job.nodes} nodes",
                "use a ReadWriteMany claim, or object storage",
            )
    for place, policy in enumerate(job.jobset["spec"].get("volumeClaimPolicies", ())):
        for number, claim in enumerate(policy.get("templates", ())):
            modes = claim.get("spec", {}).get("accessModes", ())
            if modes and not {"ReadWriteMany", "ReadOnlyMany"} & set(modes):
                path = ("spec", "volumeClaimPolicies", place, "templates", number)
                yield job.at(
                    path,
                    f"{modes[0]} is shared by {job.nodes} nodes: all but one wait",
                    "write accessModes: [ReadWriteMany]",
                )


def initializer_sides(job: Job) -> Iterator[Problem]:
    """An initializer writes where the trainer does not read, or the trainer does not wait."""
    trainer = job.info.trainer
    asked = job.info.spec.job.spec.get("initializer")
    if trainer is None or not asked:
        return
    index = job.info.pod_sets.index(trainer)
    for number, pod_set in enumerate(job.info.pod_sets):
        if pod_set.ancestor not in _INITIALIZERS or pod_set.ancestor[:-12] not in asked:
            continue
        waits = {each.get("name") for each in trainer.raw.get("dependsOn", ())}
        if pod_set.name not in waits:
            yield job.at(
                ("spec", "replicatedJobs", index, "dependsOn"),
                f"{trainer.name} does not wait for {pod_set.name}",
                f"add dependsOn: [{{name: {pod_set.name}, status: Complete}}]",
            )
        if _claims(pod_set) and not _claims(pod_set) & _claims(trainer):
            yield job.at(
                ("spec", "replicatedJobs", number, *POD, "volumes"),
                f"{pod_set.name} writes into a volume that {trainer.name} does not mount",
                "mount the same claim on both sides",
            )


def _claims(pod_set: PodSet) -> set[str]:
    """The claims that containers of these pods mount."""
    mounted = {mount["name"] for each in pod_set.containers for mount in each.mounts}
    return {
        volume["persistentVolumeClaim"]["claimName"]
        for volume in pod_set.volumes
        if volume["name"] in mounted and "persistentVolumeClaim" in volume
    }


def unreadable_uri(job: Job) -> Iterator[Problem]:
    """A scheme of storageUri that the initializer's image does not know."""
    asked = job.info.spec.job.spec.get("initializer") or {}
    for kind, ours in (("dataset", names.DATASET_SCHEMES), ("model", names.MODEL_SCHEMES)):
        uri = (asked.get(kind) or {}).get("storageUri") or ""
        scheme, _, rest = uri.partition("://")
        known = _schemes(job, f"{kind}-initializer", ours) if rest else None
        if known is not None and scheme.lower() not in known:  # as the programs read it
            yield job.in_job(
                ("spec", "initializer", kind, "storageUri"),
                f"the {kind} initializer cannot read {scheme}://",
                f"it reads {', '.join(known)}",
            )


def uncompiled_cache(job: Job) -> Iterator[Problem]:
    """A cache that the initializer is left to make."""
    if names.CACHE_ANNOTATION in job.info.spec.template.annotations:
        return
    dataset = (job.info.spec.job.spec.get("initializer") or {}).get("dataset") or {}
    if (dataset.get("storageUri") or "").startswith("cache://"):
        runtime = job.info.spec.runtime.label
        yield job.in_job(
            ("spec", "initializer", "dataset", "storageUri"),
            f"{runtime} leaves the making of the cache to its initializer",
            f"annotate its template with {names.CACHE_ANNOTATION}: compiled",
        )


def _schemes(job: Job, ancestor: str, ours: tuple[str, ...]) -> tuple[str, ...] | None:
    """What the image of an initializer reads, None where the image is a stranger's."""
    pod_set = next((p for p in job.info.pod_sets if p.ancestor == ancestor), None)
    image = (pod_set.containers[0].image or "") if pod_set and pod_set.containers else ""
    if _REFERENCE in image:
        return _REFERENCE_SCHEMES
    return ours if image.startswith(names.IMAGE_PREFIX) else None


LINTS = (
    Lint("TRC202", "warning", one_writer),
    Lint("TRC203", "warning", initializer_sides),
    Lint("TRC204", "warning", unreadable_uri),
    Lint("TRC205", "warning", uncompiled_cache),
)
