"""What the API server would refuse of the compiled objects later, told where it was written."""

from __future__ import annotations

from collections.abc import Iterator

from trainc.errors import Problem
from trainc.info.info import Info
from trainc.kube.pod import problems
from trainc.plan.locate import located
from trainc.plan.plan import Object


def audit(info: Info, objects: tuple[Object, ...]) -> Iterator[Problem]:
    """The problems of a job's JobSet; none where v2.3.0's output is asked for."""
    if info.spec.compat.keeps("late-refusal"):
        return
    for item in objects:
        if item.manifest["kind"] != "JobSet":
            continue
        for problem in problems(item.manifest):
            yield located(
                info,
                item.manifest,
                problem.path,
                problem.message,
                hint=problem.hint,
                code=problem.check,
            )
