"""The jobs of a build explained.

In: paths and the options of a build. Out: one ``Explanation`` a job: compiled as ``trainc build``
does, then looked at stage by stage.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from trainc import codes
from trainc.errors import Problem, TraincError
from trainc.explain.collect import is_plain, settings
from trainc.explain.explanation import Explanation
from trainc.explain.select import selected, unknown
from trainc.explain.setting import Setting
from trainc.explain.start import world
from trainc.info.info import Info
from trainc.names import TRAIN_JOB
from trainc.pipeline import Options, Read, compile_read, read_sources
from trainc.plan.plan import Object


def explained(
    paths: Sequence[str], options: Options, path: str = "", job: str = ""
) -> tuple[Explanation, ...]:
    """What is known of every job below the paths.

    Args:
        paths: Files and folders.
        options: As of a build.
        path: Narrows to the settings it names; empty for those that people ask for, and the world.
        job: Name of the one TrainJob that is meant; empty for all.

    Raises:
        TraincError: The files have errors, there is no such job, or it has no such setting.
    """
    seen: list[tuple[Info, tuple[Object, ...]]] = []

    def inspect(info: Info, objects: tuple[Object, ...]) -> Iterable[Problem]:
        if not job or job in (info.name, info.spec.job.document.name):
            seen.append((info, objects))
        return ()

    read = read_sources(paths, options)
    plan = compile_read(read, paths, options._replace(inspect=inspect))
    wrong = [problem for problem in plan.problems if problem.severity == "error"]
    if wrong:
        raise TraincError(wrong)
    if not seen:
        raise TraincError([_nothing(read, job)])
    out = [_explanation(info, objects, read, options, path) for info, objects in seen]
    found = tuple(each for each in out if each is not None)
    if not found:
        info, objects = seen[0]
        every = _settings(info, objects, read, options)
        raise TraincError([unknown(every, path, f"TrainJob {info.spec.job.document.name}")])
    return found


def _explanation(
    info: Info, objects: tuple[Object, ...], read: Read, options: Options, path: str
) -> Explanation | None:
    """One job; None where it has nothing of the path."""
    every = _settings(info, objects, read, options)
    wanted = selected(every, path) if path else tuple(filter(is_plain, every))
    if not wanted:
        return None
    job, runtime = info.spec.job, info.spec.runtime
    return Explanation(
        job=(job.namespace, job.name),
        mark=job.document.mark(()),
        runtime=runtime.label,
        runtime_mark=runtime.document.mark(()),
        environment=options.env,
        world=None if path else world(info),
        settings=wanted,
    )


def _settings(
    info: Info, objects: tuple[Object, ...], read: Read, options: Options
) -> tuple[Setting, ...]:
    jobset = next(each.manifest for each in objects if each.manifest["kind"] == "JobSet")
    overlays = options.project.overlays if options.project else ""
    return settings(info, jobset, overlays, read.explained)


def _nothing(read: Read, job: str) -> Problem:
    known = sorted({d.name for d in read.source.documents if d.kind == TRAIN_JOB})
    if job and known:
        return Problem(
            f"no TrainJob {job!r} here", codes.NOT_FOUND, hint=f"there are: {', '.join(known)}"
        )
    return Problem(
        "there is no TrainJob among the inputs", codes.NOT_FOUND, hint="name the file of one"
    )
