"""The digest of a job: the same for as long as nothing changes that its pods are made from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from trainc.kube.kept import Kept
from trainc.kube.resources import merged
from trainc.spec.runtime import Runtime
from trainc.spec.spec import Spec

# Fields of a patch that the API server lets a user change (transition rules, facts 1.5).
_MUTABLE_POD: Final = frozenset({"nodeSelector", "affinity", "tolerations", "schedulingGates"})


def digest(spec: Spec) -> str:
    """``sha256:`` and 64 hex digits over the immutable part of job and runtime.

    Not part of it: ``suspend``, metadata, the mutable fields of runtimePatches, file names, the
    compiler's version. So suspending a job or moving its file leaves the digest as it is.
    """
    job = {key: value for key, value in spec.job.spec.items() if key != "suspend"}
    if "runtimePatches" in job:
        fixed = [_fixed(patch) for patch in job["runtimePatches"]]
        job["runtimePatches"] = [patch for patch in fixed if "replicatedJobs" in patch]
        if not job["runtimePatches"]:
            del job["runtimePatches"]
    trainer = job.get("trainer") or {}
    if "resourcesPerNode" in trainer:
        # As they are printed: 2, "2" and 2000m are the same pods.
        resources = merged({}, trainer["resourcesPerNode"], claims=True)
        job["trainer"] = {**trainer, "resourcesPerNode": resources}
    text = canonical(job) + "\n" + _runtime(spec.runtime)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def digest_of_all(spec: Spec) -> str:
    """The digest of a job that is applied once: labels and placement are part of it.

    What such a job is printed with under one name never changes, so a tool that leaves the object
    alone once it is there hides no change.
    """
    metadata = spec.job.document.root["metadata"]
    every = {
        "digest": digest(spec),
        "labels": [metadata.get("labels") or {}, spec.template.labels],
        "annotations": [metadata.get("annotations") or {}, spec.template.annotations],
        "managedBy": spec.job.spec.get("managedBy"),
        "runtimePatches": spec.job.spec.get("runtimePatches") or [],
    }
    return "sha256:" + hashlib.sha256(canonical(every).encode()).hexdigest()


# Beside its digest each runtime is kept, so that its id stays its own.
_RUNTIMES: Final[Kept[str]] = Kept(512)


def _runtime(runtime: Runtime) -> str:
    """The canonical JSON of a runtime's spec; made once for all jobs that use it."""
    held = _RUNTIMES.get(id(runtime))
    if held is not None:
        return held[1]
    root = runtime.document.root.get("spec") or {}
    written = {key: value for key, value in root.items() if key != "template"}
    template = runtime.template.spec
    written["template"] = {key: template[key] for key in template if key != "suspend"}
    found = hashlib.sha256(canonical(written).encode()).hexdigest()
    return _RUNTIMES.keep(id(runtime), runtime, found)


def _fixed(patch: Mapping[str, Any]) -> dict[str, Any]:
    """A runtime patch without what may change: time, metadata, scheduling."""
    out: dict[str, Any] = {"manager": patch["manager"]}
    template = (patch.get("trainingRuntimeSpec") or {}).get("template") or {}
    jobs = (template.get("spec") or {}).get("replicatedJobs")
    if jobs:
        kept = [job for job in map(_fixed_job, jobs) if job["pod"]]
        if kept:
            out["replicatedJobs"] = kept
    return out


def _fixed_job(job: Mapping[str, Any]) -> dict[str, Any]:
    pod: Any = job
    for key in ("template", "spec", "template", "spec"):
        pod = pod.get(key) or {}
    kept = {key: value for key, value in pod.items() if key not in _MUTABLE_POD}
    return {"name": job["name"], "pod": kept}


canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
"""JSON of one form for each value: keys sorted, no blanks, text as it is."""
