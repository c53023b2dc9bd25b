"""What the admission webhooks of v2.3.0 check beyond schema and CEL, policies' own checks aside.

Source of the rules: ``pkg/webhooks`` and ``pkg/runtime/framework/plugins/jobset`` of v2.3.0
(controlplane facts 2.2 to 2.4). A policy's own rules stand in its file under ``policies/``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from trainc import codes, names
from trainc.errors import Problem
from trainc.spec.runtime import Runtime
from trainc.spec.spec import Spec, runtime_problem
from trainc.spec.trainjob import Path

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_MANAGER: Final = rf"{_LABEL}(\.{_LABEL})*/[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"
_POLICY_URL: Final = (
    "https://trainer.kubeflow.org/en/latest/operator-guides/runtime.html#runtime-deprecation-policy"
)
_REQUIRED: Final = {
    names.TRAINER: names.NODE,
    names.DATASET_INITIALIZER: names.DATASET_INITIALIZER,
    names.MODEL_INITIALIZER: names.MODEL_INITIALIZER,
}
_RESERVED: Final = frozenset(_REQUIRED.values())


def check_runtime(runtime: Runtime) -> Iterator[Problem]:
    """What the runtime webhooks refuse, and their warning on a deprecated runtime."""
    path: Path = ("spec", "template", "spec", "replicatedJobs")
    template = (runtime.document.root.get("spec") or {}).get("template") or {}
    for index, job in enumerate((template.get("spec") or {}).get("replicatedJobs") or ()):
        ancestor = _labels(job).get(names.ANCESTOR)
        if ancestor not in _REQUIRED:
            continue
        if job.get("replicas", 1) != 1:
            message = f"must be 1 for the {ancestor} job, got {job['replicas']}"
            yield runtime_problem(runtime, (*path, index, "replicas"), message, code=codes.API_RULE)
        if not any(c.get("name") == _REQUIRED[ancestor] for c in _containers(job)):
            yield runtime_problem(
                runtime,
                (*path, index, "template", "spec", "template", "spec", "containers"),
                f'the {ancestor} job needs a container named "{_REQUIRED[ancestor]}"',
                code=codes.API_RULE,
            )
    if runtime.deprecated:
        yield runtime_problem(
            runtime,
            ("metadata", "labels", names.SUPPORT),
            f"ClusterTrainingRuntime {runtime.name} is deprecated; see {_POLICY_URL}",
            severity="warning",
            code=codes.API_RULE,
        )._replace(code="TRC405")


def check_job(spec: Spec) -> Iterator[Problem]:
    """What the TrainJob webhook refuses, on the patched template, and its warning."""
    yield from _initializers(spec)
    yield from _patches(spec)
    if spec.runtime.deprecated:
        yield spec.problem(
            ("spec", "runtimeRef", "name"),
            f"ClusterTrainingRuntime {spec.runtime.name} is deprecated; see {_POLICY_URL}",
            severity="warning",
            code="TRC405",
        )


def _initializers(spec: Spec) -> Iterator[Problem]:
    for part, name in (
        ("dataset", names.DATASET_INITIALIZER),
        ("model", names.MODEL_INITIALIZER),
    ):
        if (spec.job.spec.get("initializer") or {}).get(part) is None:
            continue
        message, hint = _initializer_fault(spec, name)
        if message:
            at = ("spec", "initializer", part)
            problem = spec.problem(
                at, f"{message}", field="spec.runtimeRef", hint=hint, code=codes.API_RULE
            )
            yield problem


def _initializer_fault(spec: Spec, name: str) -> tuple[str, str]:
    by_label = not spec.compat.keeps("initializer-by-label")
    jobs = [
        job
        for job in spec.template.jobs
        if job["name"] == name or (by_label and _labels(job).get(names.ANCESTOR) == name)
    ]
    runtime = spec.runtime.label
    if not jobs:
        return (
            f"{runtime} has no job {name}, which an initializer needs",
            "name another runtime, or remove the initializer",
        )
    containers = [c for c in _containers(jobs[0]) if c.get("name") == name]
    if not containers:
        if any(c.get("name") == name for c in _containers(jobs[0], "initContainers")):
            return "", ""
        return f'job {jobs[0]["name"]} of {runtime} has no container "{name}"', ""
    mounts = containers[0].get("volumeMounts", ())
    if not any(mount.get("name") == names.INITIALIZER_VOLUME for mount in mounts):
        return (
            f'container "{name}" of {runtime} mounts no volume "{names.INITIALIZER_VOLUME}"',
            f'mount a volume named "{names.INITIALIZER_VOLUME}" at /workspace',
        )
    return "", ""


def is_manager(text: str) -> bool:
    """Whether a ``runtimePatches`` entry may be by somebody of that name."""
    return re.fullmatch(_MANAGER, text) is not None


def _patches(spec: Spec) -> Iterator[Problem]:
    for index, patch in enumerate(spec.job.spec.get("runtimePatches") or ()):
        at: Path = ("spec", "runtimePatches", index)
        if not is_manager(patch["manager"]):
            yield spec.problem(
                (*at, "manager"),
                f'must be a domain, a slash and a path, got "{patch["manager"]}"',
                hint="example.com/my-controller",
                field="spec.runtimePatches.manager",
                code=codes.API_RULE,
            )
        template = (patch.get("trainingRuntimeSpec") or {}).get("template") or {}
        jobs = (template.get("spec") or {}).get("replicatedJobs") or ()
        for number, job in enumerate(jobs):
            inner: Path = (
                *at, "trainingRuntimeSpec", "template", "spec", "replicatedJobs", number,
                "template", "spec", "template", "spec", "containers",
            )  # fmt: skip
            for place, container in enumerate(_containers(job)):
                if container["name"] in _RESERVED and container.get("env"):
                    yield spec.problem(
                        (*inner, place, "env"),
                        f'must not set env of the container "{container["name"]}"',
                        hint="use spec.trainer.env, or the initializer's env",
                        field="spec.runtimePatches",
                        code=codes.API_RULE,
                    )


def _labels(job: Mapping[str, Any]) -> Mapping[str, str]:
    return ((job.get("template") or {}).get("metadata") or {}).get("labels") or {}


def _containers(job: Mapping[str, Any], kind: str = "containers") -> list[dict[str, Any]]:
    out: Any = job
    for key in ("template", "spec", "template", "spec"):
        out = out.get(key) or {}
    found: list[dict[str, Any]] = out.get(kind) or []
    return found
