"""What the API server would refuse of the compiled objects later, told where it was written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from trainc.errors import Problem
from trainc.info.info import Info
from trainc.kube.pod import PodProblem, problems
from trainc.kube.validation.jobset import SHORTEN
from trainc.plan.locate import located
from trainc.plan.plan import Object
from trainc.plan.queue import left_to_kueue
from trainc.spec.trainjob import Path


def audit(info: Info, objects: tuple[Object, ...]) -> Iterator[Problem]:
    """The problems of a job's JobSet; none where v2.3.0's output is asked for."""
    if info.spec.compat.keeps("late-refusal"):
        return
    yield from left_to_kueue(info)
    for item in objects:
        if item.manifest["kind"] != "JobSet":
            continue
        for problem in problems(item.manifest):
            yield located(
                info,
                item.manifest,
                _place(problem),
                problem.message,
                hint=problem.hint,
                code=_code(problem, item.manifest),
            )


def _place(problem: PodProblem) -> Path:
    """The place to tell it at: where the remedy is a shorter TrainJob's name, that name."""
    return ("metadata", "name") if problem.hint.startswith(SHORTEN) else problem.path


def _code(problem: PodProblem, manifest: Mapping[str, Any]) -> str:
    """The check's name; the commonest refusal has a code that ``trainc help`` explains."""
    if problem.check != "resources" or problem.path[-2:-1] != ("requests",):
        return problem.check
    resources: Any = manifest
    for step in problem.path[:-2]:
        resources = resources[step]
    missing = problem.path[-1] not in (resources.get("limits") or {})
    return "TRC102" if missing else problem.check
