"""Spec: a TrainJob and the runtime it names, patches applied; and the problems it can name."""

from collections.abc import Iterator
from typing import NamedTuple

from trainc.errors import Problem, Severity, field_path
from trainc.spec.compat import Compat
from trainc.spec.runtime import Runtime, Template
from trainc.spec.trainjob import Path, TrainJob


class Settings(NamedTuple):
    """What holds for every job of a build.

    Attributes:
        compat: Which of the reference's quirks are kept.
        features: Names of the feature gates that are on.
        namespace: Where objects without a namespace live.
        priority_classes: Names of the PriorityClasses among the inputs.
        claims: Namespace and name of the claims among the inputs.
        one_node_claims: Those of them that one node may mount.
        rename: Whether a job is called after its digest, so that a changed one is another job.
        apply_once: Whether the tool that syncs is told to apply a job once where it must, so that
            its name must follow all that is printed.
        shared_caches: Whether data caches are named by content and used by several jobs.
        stock: Names of the ClusterTrainingRuntimes that come with the compiler, for remedies.
    """

    compat: Compat = Compat()
    features: frozenset[str] = frozenset()
    namespace: str = "default"
    priority_classes: frozenset[str] = frozenset()
    claims: frozenset[tuple[str, str]] = frozenset()
    one_node_claims: frozenset[tuple[str, str]] = frozenset()
    rename: bool = False
    apply_once: bool = False
    shared_caches: bool = False
    stock: tuple[str, ...] = ()


class Spec(NamedTuple):
    """What the user asked for, resolved.

    Attributes:
        job: The TrainJob.
        runtime: The runtime its ``runtimeRef`` names.
        template: The runtime's template with the job's ``runtimePatches`` applied; the very object
            of the runtime where there are none.
        settings: What holds for the whole build.
    """

    job: TrainJob
    runtime: Runtime
    template: Template
    settings: Settings

    @property
    def compat(self) -> Compat:
        """Which of the reference's quirks are kept."""
        return self.settings.compat

    def problem(
        self,
        path: Path,
        message: str,
        *,
        code: str,
        hint: str = "",
        severity: Severity = "error",
        field: str = "",
    ) -> Problem:
        """A problem of the TrainJob at ``path``; ``field`` overrides the name of the field."""
        return Problem(
            message,
            code,
            self.job.mark(path),
            self.job.label,
            field or field_path(path),
            severity,
            hint,
        )

    def quirk(self, name: str, path: Path, message: str) -> Iterator[Problem]:
        """The warning that a quirk of the reference shapes this job's output."""
        if self.compat.keeps(name):
            yield self.problem(path, message, severity="warning", code=name)


def runtime_problem(
    runtime: Runtime,
    path: Path,
    message: str,
    *,
    code: str,
    hint: str = "",
    severity: Severity = "error",
) -> Problem:
    """A problem of a runtime at ``path``."""
    mark = runtime.document.mark(path)
    return Problem(message, code, mark, runtime.label, field_path(path), severity, hint)
