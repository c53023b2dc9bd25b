"""``spec.runtimePatches`` on a runtime's template: strategic merges, one after another.

Source of the rules: KEP-2170's runtimePatches and ``pkg/runtime/core`` of v2.3.0, as controlplane
facts 3.1 and 3.2 have them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from trainc.errors import Problem, field_path
from trainc.kube.gotypes import normalise
from trainc.kube.merge import MergeError, Rules, merge
from trainc.spec.compat import Compat
from trainc.spec.runtime import Runtime, Template
from trainc.spec.trainjob import Path, TrainJob

_TEMPLATE: Path = ("trainingRuntimeSpec", "template")


def patched(job: TrainJob, runtime: Runtime, compat: Compat) -> tuple[Template, list[Problem]]:
    """The runtime's template after the job's patches, and what is wrong with them.

    Without patches the template is the runtime's own object.
    """
    patches = job.spec.get("runtimePatches")
    if not patches:
        return runtime.template, []
    template = runtime.template
    problems: list[Problem] = []
    spec: Mapping[str, Any] = template.spec
    for index, patch in enumerate(patches):
        path: Path = ("spec", "runtimePatches", index, *_TEMPLATE, "spec")
        wanted = ((patch.get("trainingRuntimeSpec") or {}).get("template") or {}).get("spec")
        if not wanted:
            continue
        problems += _unknown_targets(job, spec, wanted, path, compat)
        try:
            typed = normalise(wanted, "JobSetSpecPatch")
            spec = merge(spec, typed, "JobSetSpec", _rules(compat))
        except MergeError as error:
            at = (*path, *error.path)
            problems.append(
                Problem(
                    str(error),
                    "patch-directive",
                    job.mark(at),
                    job.label,
                    field_path(at),
                    "error",
                    _DIRECTIVES,
                )
            )
    labels, annotations = _metadata(template, patches)
    return Template(_settled(spec, template.jobs, compat), labels, annotations), problems


def _rules(compat: Compat) -> Rules:
    return Rules(
        unions=not compat.keeps("patch-keeps-source"),
        strict=not compat.keeps("patch-directive"),
    )


_DIRECTIVES = 'the one directive is "$patch", with "replace" or "delete"'


def _settled(
    spec: Mapping[str, Any], before: list[dict[str, Any]], compat: Compat
) -> dict[str, Any]:
    """The merged spec after its last typed round trip, jobs in the template's order again."""
    place = {job["name"]: index for index, job in enumerate(before)}
    jobs = sorted(spec.get("replicatedJobs", ()), key=lambda job: place.get(job["name"], 0))
    out: dict[str, Any] = normalise({**spec, "replicatedJobs": jobs}, "JobSetSpec")
    if not compat.keeps("replicas-zero"):
        for raw, job in zip(jobs, out.get("replicatedJobs", ()), strict=True):
            if raw.get("replicas") == 0:
                job["replicas"] = 0
    return out


def _metadata(
    template: Template, patches: Iterable[Mapping[str, Any]]
) -> tuple[dict[str, str], dict[str, str]]:
    labels, annotations = dict(template.labels), dict(template.annotations)
    for patch in patches:
        written = ((patch.get("trainingRuntimeSpec") or {}).get("template") or {}).get("metadata")
        labels.update((written or {}).get("labels") or {})
        annotations.update((written or {}).get("annotations") or {})
    return labels, annotations


def _unknown_targets(
    job: TrainJob, spec: Mapping[str, Any], wanted: Mapping[str, Any], path: Path, compat: Compat
) -> Iterator[Problem]:
    jobs = {item["name"]: item for item in spec.get("replicatedJobs", ())}
    for index, patch in enumerate(wanted.get("replicatedJobs") or ()):
        at: Path = (*path, "replicatedJobs", index)
        known = jobs.get(patch["name"])
        if known is None:
            message = f'the runtime has no job "{patch["name"]}"'
            yield _unknown(job, (*at, "name"), message, jobs, compat)
            continue
        pod = _pod(known)
        for kind in ("containers", "initContainers"):
            have = [item["name"] for item in pod.get(kind, ())]
            where = (*at, "template", "spec", "template", "spec", kind)
            for number, container in enumerate(_pod(patch).get(kind) or ()):
                if container["name"] not in have:
                    message = f'job "{patch["name"]}" has no {_ONE[kind]} "{container["name"]}"'
                    yield _unknown(job, (*where, number, "name"), message, have, compat)


_ONE = {"containers": "container", "initContainers": "init container"}


def _pod(job: Mapping[str, Any]) -> Mapping[str, Any]:
    out: Any = job
    for key in ("template", "spec", "template", "spec"):
        out = out.get(key) or {}
    found: Mapping[str, Any] = out
    return found


def _unknown(
    job: TrainJob, path: Path, message: str, known: Iterable[str], compat: Compat
) -> Problem:
    kept = compat.keeps("patch-unknown-target")
    return Problem(
        message + (", so the patch adds it" if kept else ""),
        "patch-unknown-target",
        job.mark(path),
        job.label,
        field_path(path),
        "warning" if kept else "error",
        f"there are: {', '.join(known)}" if known else "",
    )
