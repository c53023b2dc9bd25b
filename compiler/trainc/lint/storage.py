"""Lints on data: volumes many nodes cannot share, initializers whose two sides do not meet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from trainc import names
from trainc.compile import SHARED_MODES
from trainc.errors import Problem
from trainc.info.podset import PodSet
from trainc.library import STOCK_FILES
from trainc.lint.lint import POD, Job, Lint, Path

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
# Volumes that are made with a pod, and that only its own containers see.
_OF_ONE_POD: Final = frozenset(
    {"configMap", "downwardAPI", "emptyDir", "ephemeral", "projected", "secret"}
)
_SHARE: Final = f"mount a claim at {names.WORKSPACE} that {{}} mounts too"
# What the reference's own images read; ours read names.*_SCHEMES.
_REFERENCE: Final = "kubeflow/trainer/"
_REFERENCE_SCHEMES: Final = ("cache", "hf", "s3")


def one_writer(job: Job) -> Iterator[Problem]:
    """A volume of one node under pods that land on several."""
    if job.nodes < 2:
        return
    trainer = job.info.trainer
    assert trainer is not None
    index = job.info.pod_sets.index(trainer)
    for place, volume in enumerate(trainer.volumes):
        for message, hint in _of_one_node(job, volume):
            yield job.at(("spec", "replicatedJobs", index, *POD, "volumes", place), message, hint)
    for place, policy in enumerate(job.jobset["spec"].get("volumeClaimPolicies", ())):
        for number, claim in enumerate(policy.get("templates", ())):
            modes = claim.get("spec", {}).get("accessModes", ())
            if modes and not SHARED_MODES & set(modes):
                yield job.at(
                    ("spec", "volumeClaimPolicies", place, "templates", number),
                    f"{modes[0]} is shared by {job.nodes} nodes: all but one wait",
                    "write accessModes: [ReadWriteMany]",
                )


def _of_one_node(job: Job, volume: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with a volume that pods of several nodes mount, and the remedy."""
    claim = (volume.get("persistentVolumeClaim") or {}).get("claimName", "")
    if (job.info.spec.job.namespace, claim) in job.info.spec.settings.one_node_claims:
        yield (
            f"claim {claim} is of one node, and there are {job.nodes}: all but one wait",
            "write accessModes: [ReadWriteMany] in the claim",
        )
    for disk in _ONE_NODE & volume.keys():
        if not volume[disk].get("readOnly"):
            yield (
                f"{disk} is one machine's disk, and there are {job.nodes} nodes",
                "use a ReadWriteMany claim, or object storage",
            )


def initializer_sides(job: Job) -> Iterator[Problem]:
    """An initializer writes where the trainer does not read, or the trainer does not wait."""
    trainer = job.info.trainer
    asked = job.info.spec.job.spec.get("initializer")
    if trainer is None or not asked:
        return
    index = job.info.pod_sets.index(trainer)
    waits = _awaited(job, trainer)
    for number, pod_set in enumerate(job.info.pod_sets):
        kind = pod_set.ancestor[:-12] if pod_set.ancestor in _INITIALIZERS else ""
        if kind not in asked:
            continue
        if pod_set.name not in waits:
            yield job.at(
                ("spec", "replicatedJobs", index, "dependsOn"),
                f"{trainer.name} does not wait for {pod_set.name}",
                f"add dependsOn: [{{name: {pod_set.name}, status: Complete}}]",
            )
        if _is_cached(asked[kind]):
            continue  # nothing is written: the trainer reads from the cache
        volumes: Path = ("spec", "replicatedJobs", number, *POD, "volumes")
        if lost := _lost(job, pod_set, kind):
            yield job.at(volumes, f"{pod_set.name} {lost}", _SHARE.format(trainer.name))
        elif _claims(pod_set) and not _claims(pod_set) & _claims(trainer):
            yield job.at(
                volumes,
                f"{pod_set.name} writes into a volume that {trainer.name} does not mount",
                "mount the same claim on both sides",
            )


def _is_cached(asked: Mapping[str, Any]) -> bool:
    """Whether the data is served by a cache: ``cache://TABLE`` or ``cache+KIND://LOCATION``."""
    return (asked.get("storageUri") or "").startswith(("cache://", "cache+"))


def _awaited(job: Job, pod_set: PodSet) -> set[str]:
    """The jobs that have ended before this one starts, those they wait for themselves too."""
    wanted = {
        each.name: [one.get("name") for one in each.raw.get("dependsOn", ())]
        for each in job.info.pod_sets
    }
    found: set[str] = set()
    rest = list(wanted[pod_set.name])
    while rest:
        name = rest.pop()
        if name not in found:
            found.add(name)
            rest += wanted.get(name, ())
    return found


def _lost(job: Job, pod_set: PodSet, kind: str) -> str:
    """Why what an initializer writes does not outlive its pod, empty where it does."""
    target = f"{names.WORKSPACE}/{kind}"
    container = next((each for each in pod_set.containers if each.mounts), None)
    if container is None:
        return ""  # refused before lint
    mounts = [each for each in container.mounts if _is_below(target, each.get("mountPath", ""))]
    known = _schemes(job, f"{kind}-initializer", ()) is not None
    moved = any(item["name"] == "TRAINC_WORKSPACE" for item in container.env)
    if not mounts:
        return f"mounts nothing at {target}, where it writes" if known and not moved else ""
    mount = max(mounts, key=lambda each: len(each["mountPath"]))
    for volume in pod_set.volumes:
        if volume["name"] == mount["name"] and _OF_ONE_POD & volume.keys():
            return "writes into a volume that ends with its pod"
    return ""


def _is_below(path: str, folder: str) -> bool:
    folder = folder.rstrip("/")
    return path == folder or path.startswith(f"{folder}/")


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
    if _is_cached(dataset):
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
    # A stock runtime has our images, whatever --image-prefix put before their names.
    stock = job.info.spec.runtime.document.file.startswith(STOCK_FILES)
    moved = stock and re.split("[:@]", image.rpartition("/")[2])[0] == ancestor
    return ours if moved or image.startswith(names.IMAGE_PREFIX) else None


LINTS = (
    Lint("TRC202", "warning", one_writer),
    Lint("TRC203", "warning", initializer_sides),
    Lint("TRC204", "warning", unreadable_uri),
    Lint("TRC205", "warning", uncompiled_cache),
)
