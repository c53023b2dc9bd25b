"""Lint: what a check is, and the run of all of them over one job.

A check is a function of a ``Job`` that yields findings; a module of ``trainc.lint`` with ``LINTS``
is a group of them and is found by being there. What a code means, with a bad and a good example,
stands in
``explanation.py``.
"""

import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any, Final, Literal, NamedTuple

import trainc.lint
from trainc.errors import Problem, Severity
from trainc.info.info import Info
from trainc.info.podset import PodSet
from trainc.kube.kept import Kept
from trainc.plan.locate import located
from trainc.plan.plan import Object

Level = Literal["error", "warning", "note", "off"]
Path = tuple[str | int, ...]
POD: Final[Path] = ("template", "spec", "template", "spec")
_MOST: Final = 4096  # pod sets remembered
_UNNAMED: Final = ""  # the code of a finding until ``inspector`` gives it the lint's

# Not groups: what the groups are made of, and what runs them.
_NO_GROUPS: Final = frozenset(
    {
        "lint",
        "explanation",
        "refusals",
        "ignore",
        "rules",
        "cel",
        "settings",
        "launcher",
        "near",
        "kubecel",
    }
)


class Job(NamedTuple):
    """One compiled job as lints see it.

    Attributes:
        info: The job after its policies.
        jobset: Its JobSet.
        objects: All its objects.
        gitops: Whether a GitOps tool syncs the output.
        flux: Whether Flux does.
        allow_ttl: Whether a TTL was allowed by flag.
        on_change: What a changed job becomes.
    """

    info: Info
    jobset: Mapping[str, Any]
    objects: tuple[Object, ...]
    gitops: bool = False
    flux: bool = False
    allow_ttl: bool = False
    on_change: str = "keep"

    @property
    def nodes(self) -> int:
        """Pods of the trainer."""
        trainer = self.info.trainer
        return trainer.count * trainer.replicas if trainer else 0

    def at(self, path: Path, message: str, hint: str = "") -> Problem:
        """A finding at a place of the JobSet, told at the field that put it there."""
        return located(self.info, self.jobset, path, message, code=_UNNAMED, hint=hint)

    def in_job(self, path: Path, message: str, hint: str = "") -> Problem:
        """A finding at a field of the TrainJob."""
        return self.info.spec.problem(path, message, code=_UNNAMED, hint=hint)


Finding = tuple[Path, str, str]
"""Path below the pod's spec, message, hint."""


def of_pods(find: Callable[[PodSet], Iterable[Finding]]) -> Callable[[Job], Iterator[Problem]]:
    """The check of a job that asks ``find`` of each pod set.

    Pod sets that no policy touched are the same objects in many jobs: one in which nothing was
    found is not asked again.
    """
    sound: Kept[None] = Kept(_MOST)

    def check(job: Job) -> Iterator[Problem]:
        for index, pod_set in enumerate(job.info.pod_sets):
            if id(pod_set) in sound:
                continue
            found = list(find(pod_set))
            for path, message, hint in found:
                yield job.at(("spec", "replicatedJobs", index, *POD, *path), message, hint)
            if not found:
                sound.keep(id(pod_set), pod_set, None)

    return check


class Lint(NamedTuple):
    """One check.

    Attributes:
        code: Its stable code.
        severity: How loud it is where nobody says otherwise.
        check: Yields the findings; the runner adds code and severity.
        stops: Whether it stops a build too: a build has other errors of lints as warnings.
    """

    code: str
    severity: Level
    check: Callable[[Job], Iterable[Problem]]
    stops: bool = False


class Asked(NamedTuple):
    """What a run of the lints is asked for.

    Attributes:
        advice: Whether notes are wanted; a build leaves them to ``validate``.
        severities: Code to level, where a project says so.
        profile: The GitOps profile of the build.
        allow_ttl: Whether a TTL is allowed under it.
        errors: Whether a lint's own ``error`` counts as one; in a build it is a warning.
        on_change: What a changed job becomes.
    """

    advice: bool = False
    severities: Mapping[str, Level] = {}
    profile: str = "none"
    allow_ttl: bool = False
    errors: bool = False
    on_change: str = "keep"


Inspect = Callable[[Info, tuple[Object, ...]], Iterable[Problem]]


def inspector(asked: Asked) -> Inspect:
    """The run of the lints, to be called for every compiled job."""
    lints = [(lint, level) for lint in discover() if (level := _level(lint, asked)) is not None]
    gitops, flux = asked.profile != "none", asked.profile == "flux"

    def inspect(info: Info, objects: tuple[Object, ...]) -> Iterator[Problem]:
        jobset = next((o.manifest for o in objects if o.manifest["kind"] == "JobSet"), None)
        if jobset is None:
            return
        job = Job(info, jobset, objects, gitops, flux, asked.allow_ttl, asked.on_change)
        for lint, level in lints:
            for found in lint.check(job):
                yield found._replace(code=lint.code, severity=level)

    return inspect


def _level(lint: Lint, asked: Asked) -> Severity | None:
    """How loud a lint is, None where it is not to run."""
    configured = asked.severities.get(lint.code)
    level = configured or lint.severity
    if level == "error" and configured is None and not (asked.errors or lint.stops):
        level = "warning"
    if level == "off" or (level == "note" and not asked.advice):
        return None
    return level


@cache
def discover() -> tuple[Lint, ...]:
    """Every lint, by its code."""
    modules = (m.name for m in pkgutil.iter_modules(trainc.lint.__path__))
    groups = [
        import_module(f"trainc.lint.{name}")
        for name in sorted(modules)
        if name not in _NO_GROUPS and not name.endswith("_test")
    ]
    return tuple(sorted(lint for group in groups for lint in group.LINTS))
