"""One job compiled once more, looked at after each step.

In: the Spec of a job that compiles. Out: its JobSet after the runtime, the patches, each policy and
what follows. A build pays nothing for this: it is done for the job that is asked about, afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from trainc.info.info import Info
from trainc.info.initializer import with_initializers
from trainc.info.place import with_job_env
from trainc.info.prepare import prepare
from trainc.info.status import FEATURE, with_status
from trainc.plan.jobset import jobset
from trainc.policy import decoded, selected
from trainc.spec.spec import Spec

Step = Literal["runtime", "patch", "TrainJob", "policy", "feature", "trainc"]


class Stage(NamedTuple):
    """A JobSet on its way.

    Attributes:
        step: Who has just acted.
        name: Which of its kind: a policy's key, a feature; empty where the step says it all.
        manifest: The JobSet so far.
    """

    step: Step
    name: str
    manifest: Mapping[str, Any]


def stages(spec: Spec, final: Mapping[str, Any]) -> tuple[Stage, ...]:
    """The JobSet after each step.

    Args:
        spec: The job, its name already the one it gets.
        final: The JobSet as it is printed.
    """
    return (*_steps(spec), Stage("trainc", "", final))


def _steps(spec: Spec) -> Iterator[Stage]:
    bare = spec._replace(template=spec.runtime.template)
    yield _stage("runtime", "", prepare(bare))
    info = prepare(spec)
    yield _stage("patch", "", info)
    for policy, written in selected(info):
        settings = decoded(policy.settings, written)
        if policy.key.startswith("mlPolicy."):
            info = policy.place(info, settings)
            yield _stage("TrainJob", "", info)
        info = policy.enforce(info, settings)
        yield _stage("policy", policy.key, info)
    info = with_status(info)
    yield _stage("feature", FEATURE, info)
    info = with_initializers(info)
    yield _stage("TrainJob", "initializer", info)
    yield _stage("TrainJob", "", with_job_env(info))


def _stage(step: Step, name: str, info: Info) -> Stage:
    return Stage(step, name, jobset(info))
