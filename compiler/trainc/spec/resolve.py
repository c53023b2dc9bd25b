"""Checked documents in, Specs out: each TrainJob paired with the runtime its runtimeRef names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trainc import codes, names
from trainc.errors import Problem
from trainc.spec.patches import patched
from trainc.spec.remedy import meant
from trainc.spec.runtime import Runtime
from trainc.spec.spec import Settings, Spec
from trainc.spec.trainjob import TrainJob
from trainc.spec.webhook import check_job

# (kind, namespace, name) of a runtime; the namespace of a cluster runtime is empty. None stands for
# a runtime that was refused: it exists, so its jobs are not to blame, but nothing is made from it.
Key = tuple[str, str, str]
Runtimes = Mapping[Key, Runtime | None]

_REF = ("spec", "runtimeRef")
_REPLICATED_JOBS = ("spec", "template", "spec", "replicatedJobs")
NO_REPLICATED_JOBS: Final = "TRC108"


def resolve(
    job: TrainJob, runtimes: Runtimes, settings: Settings
) -> tuple[Spec | None, list[Problem]]:
    """Pairs a job with its runtime, patches the template, and checks the two together.

    Returns:
        The spec, or None where there is nothing to compile from, and the problems found.
    """
    ref = job.spec["runtimeRef"]
    kind, group = ref["kind"], ref["apiGroup"]
    if kind not in names.RUNTIME_KINDS or group != names.GROUP:
        return None, [_unsupported(job, kind, group)]
    key = (kind, job.namespace if kind == names.TRAINING_RUNTIME else "", ref["name"])
    if key not in runtimes:
        return None, [_missing(job, key, runtimes, settings.stock)]
    runtime = runtimes[key]
    if runtime is None:
        return None, []
    template, problems = patched(job, runtime, settings.compat)
    if not (template.jobs or settings.compat.keeps("no-replicated-jobs")):
        return None, [*problems, _empty(runtime)]
    spec = Spec(job, runtime, template, settings)
    problems += check_job(spec)
    unmerged = any(problem.code == "patch-directive" for problem in problems)
    return None if unmerged else spec, problems


def _empty(runtime: Runtime) -> Problem:
    """The refusal of a runtime that makes no pods; the same for each of its jobs."""
    return Problem(
        "the runtime has no replicated jobs: its JobSet would run nothing",
        NO_REPLICATED_JOBS,
        runtime.document.mark(_REPLICATED_JOBS),
        runtime.label,
        ".".join(_REPLICATED_JOBS),
        hint=f"add one that has the label {names.ANCESTOR}: trainer",
    )


def _unsupported(job: TrainJob, kind: str, group: str) -> Problem:
    return Problem(
        f'no runtime is of kind "{kind}" in group "{group}"',
        codes.RUNTIME,
        job.mark((*_REF, "kind")),
        job.label,
        "spec.runtimeRef",
        hint=f"kinds: {', '.join(reversed(names.RUNTIME_KINDS))}; group: {names.GROUP}",
    )


def _missing(job: TrainJob, key: Key, runtimes: Runtimes, stock: tuple[str, ...]) -> Problem:
    kind, namespace, name = key
    where = f" in namespace {namespace}" if namespace else ""
    known = {each[2] for each in runtimes if each[:2] == key[:2]}
    if kind == names.CLUSTER_TRAINING_RUNTIME:
        known.update(stock)
    other = [each[:2] for each in runtimes if each[2] == name and each[:2] != key[:2]]
    other += [(names.CLUSTER_TRAINING_RUNTIME, "") for each in stock if each == name]
    if other:
        place = f" in namespace {other[0][1]}" if other[0][1] else ""
        hint = f"there is a {other[0][0]} {name}{place}"
    else:
        hint = meant(name, known) or "add its file to the inputs, or its folder with --runtimes"
    return Problem(
        f'no {kind} "{name}"{where} among the inputs',
        codes.RUNTIME,
        job.mark((*_REF, "name")),
        job.label,
        "spec.runtimeRef",
        hint=hint,
    )
