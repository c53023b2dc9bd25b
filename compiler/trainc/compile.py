"""Documents through the house: admit, resolve, prepare, enforce, plan. No file is read here.

The five calls of one job stand in ``_job``, in order; everything else here is about many jobs.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

from trainc import codes, names
from trainc.errors import Mark, Problem, merged
from trainc.info.info import Info
from trainc.info.initializer import with_initializers
from trainc.info.place import with_job_env
from trainc.info.prepare import prepare
from trainc.info.reference import with_env_order
from trainc.info.status import FEATURE, with_status
from trainc.kube.schema import Extensions
from trainc.manifest.order import Identity, doubles, identity
from trainc.plan.audit import audit
from trainc.plan.plan import Object, Output, Plan, plan
from trainc.plan.rename import renamed
from trainc.policy import discover, enforce
from trainc.settings import schema
from trainc.source.document import Document
from trainc.source.kinds import CLAIM
from trainc.spec.admit import admit, usable
from trainc.spec.compat import POLICIES, Compat
from trainc.spec.resolve import Key, resolve
from trainc.spec.runtime import Runtime, runtime
from trainc.spec.spec import Settings
from trainc.spec.trainjob import TrainJob, trainjob
from trainc.spec.webhook import check_runtime

PRIORITY_CLASS = "PriorityClass"
SHARED_MODES = frozenset({"ReadWriteMany", "ReadOnlyMany"})
"""Access modes of a claim by which pods of several nodes mount it."""

# Says what it has to say on a compiled job and its objects.
Inspect = Callable[[Info, tuple[Object, ...]], Iterable[Problem]]


class Before(Protocol):
    """What a former run made of the same jobs."""

    def said(self, document: Document) -> Sequence[Problem] | None:
        """The problems of a job that needs no second compile; None where it needs one."""

    def note(
        self, document: Document, objects: Sequence[Object], problems: Sequence[Problem]
    ) -> None:
        """Takes what came of a job that was compiled now, without an error."""


class Inputs(NamedTuple):
    """Documents by what they are for.

    Attributes:
        documents: What is to be built, in file order: TrainJobs, runtimes, PriorityClasses.
        libraries: Runtimes to fall back on, each library after those it yields to.
    """

    documents: tuple[Document, ...]
    libraries: tuple[tuple[Document, ...], ...] = ()


def compile_documents(
    inputs: Inputs,
    settings: Settings,
    output: Output,
    inspect: Inspect | None = None,
    before: Before | None = None,
) -> Plan:
    """The objects of every TrainJob among the documents, and every problem found.

    Problems come in the order of the documents, those of objects that two jobs make at the end;
    objects come in the order of the jobs. ``inspect`` is asked what it has to say on each job
    without an error. A job that ``before`` knows is not compiled: its problems are told, its
    objects are not among those returned.
    """
    problems = [*_features(settings.features)]
    settings = settings._replace(
        priority_classes=_priority_classes(inputs.documents),
        claims=frozenset(_claims(inputs.documents, settings.namespace)),
        one_node_claims=frozenset(_one_node_claims(inputs.documents, settings.namespace)),
    )
    runtimes = _runtimes(inputs, settings, problems)
    objects: list[Object] = []
    shared: dict[Identity, int] = {}
    text = 0
    for document in inputs.documents:
        if document.kind != names.TRAIN_JOB:
            continue
        known = before.said(document) if before is not None else None
        if known is not None:
            problems += known
            continue
        info, made, found = _admitted(document, runtimes, settings, output, inspect)
        text += _size(made)
        if text > _MOST_TEXT:
            problems.append(_too_much_text(document))
            break
        found = _of_job(found, document)
        if before is not None and info is not None and not (info.shared or _failed(found)):
            before.note(document, made, found)
        _add(objects, made, shared)
        problems += found
    twice = doubles(objects, lambda job: _place(inputs.documents, settings.namespace, job))
    return Plan(tuple(objects), (*merged(problems), *twice))


_MOST_TEXT: Final = 64 << 20
"""Characters of ConfigMaps in a build: hostfiles of a million and a half nodes."""


def _size(objects: Iterable[Object]) -> int:
    """The characters that a job's ConfigMaps hold: a line for each node is made of a number."""
    return sum(
        len(text)
        for each in objects
        if each.manifest["kind"] == "ConfigMap"
        for text in each.manifest.get("data", {}).values()
    )


def _too_much_text(document: Document) -> Problem:
    return Problem(
        f"the ConfigMaps of the build's jobs hold more than {_MOST_TEXT >> 20} MiB",
        codes.BUDGET,
        document.mark(("spec", "trainer", "numNodes")),
        document.label,
        hint="hostfiles list every node: build fewer of these jobs at once",
    )


def _of_job(problems: Iterable[Problem], document: Document) -> list[Problem]:
    """The problems as those of a TrainJob, named as its file names it."""
    name = f"{document.namespace}/{document.name}" if document.namespace else document.name
    return [each._replace(jobs=(name,)) if name else each for each in problems]


def _place(documents: Iterable[Document], namespace: str, job: tuple[str, str]) -> Mark | None:
    """Where a TrainJob has its name."""
    for each in documents:
        if each.kind == names.TRAIN_JOB and (each.namespace or namespace, each.name) == job:
            return each.mark(("metadata", "name"))
    return None


def _admitted(
    document: Document,
    runtimes: Mapping[Key, Runtime | None],
    settings: Settings,
    output: Output,
    inspect: Inspect | None,
) -> tuple[Info | None, tuple[Object, ...], list[Problem]]:
    """One TrainJob from its document on: compiled where usable, inspected where it is sound."""
    refused = admit(document, settings.compat)
    if not usable(refused):
        return None, (), [*refused]
    info, made, found = _job(trainjob(document, settings.namespace), runtimes, settings, output)
    if inspect is not None and info is not None and not _failed(found):
        found = [*found, *inspect(info, made)]
    return info, made, [*refused, *found]


def _job(
    job: TrainJob, runtimes: Mapping[Key, Runtime | None], settings: Settings, output: Output
) -> tuple[Info | None, tuple[Object, ...], list[Problem]]:
    """One TrainJob from its document to its objects; no Info where it was refused before."""
    spec, problems = resolve(job, runtimes, settings)
    if spec is None:
        return None, (), problems
    if settings.rename:
        spec = renamed(spec)
    info, found = enforce(prepare(spec))
    problems += found
    if _failed(problems):
        return None, (), problems
    info = finish(info)
    problems += info.problems
    objects = plan(info, output)
    problems += audit(info, objects)
    return info, objects, problems


def _add(objects: list[Object], made: Iterable[Object], shared: dict[Identity, int]) -> None:
    """Adds the objects of a job; a cache that several jobs use is printed once, as made by all.

    Args:
        objects: Takes the objects.
        made: The objects of one job.
        shared: Where each object that several jobs may make stands among the objects.
    """
    for each in made:
        if each.trainjob[1]:
            objects.append(each)
            continue
        place = shared.setdefault(identity(each), len(objects))
        if place == len(objects):
            objects.append(each)
        else:
            files = dict.fromkeys((*objects[place].files, *each.files))
            objects[place] = objects[place]._replace(files=tuple(files))


def finish(info: Info) -> Info:
    """What comes after the policies: progress, initializers, and the job's env as the last word."""
    return with_env_order(with_job_env(with_initializers(with_status(info))))


def _failed(problems: Iterable[Problem]) -> bool:
    return any(problem.severity == "error" for problem in problems)


def _features(features: Iterable[str]) -> Iterable[Problem]:
    for name in sorted(features):
        if name != FEATURE:
            yield Problem(
                f'no feature is called "{name}"', codes.USAGE, hint=f"features: {FEATURE}"
            )


def _priority_classes(documents: Iterable[Document]) -> frozenset[str]:
    return frozenset(doc.name for doc in documents if doc.kind == PRIORITY_CLASS)


def _claims(documents: Iterable[Document], namespace: str) -> Iterator[tuple[str, str]]:
    for document in documents:
        if document.kind == CLAIM:
            yield document.namespace or namespace, document.name


def _one_node_claims(documents: Iterable[Document], namespace: str) -> Iterator[tuple[str, str]]:
    """The claims whose every access mode is of one node, or one pod."""
    for document in documents:
        if document.kind == CLAIM:
            spec = document.root.get("spec")
            modes = spec.get("accessModes") if isinstance(spec, dict) else None
            if isinstance(modes, list) and modes and not SHARED_MODES & {*map(str, modes)}:
                yield document.namespace or namespace, document.name


def _runtimes(
    inputs: Inputs, settings: Settings, problems: list[Problem]
) -> dict[Key, Runtime | None]:
    """Every runtime by its key; one that is refused is known, and None."""
    found: dict[Key, Runtime | None] = {}
    for documents in (inputs.documents, *inputs.libraries):
        for document in documents:
            if document.kind not in names.RUNTIME_KINDS:
                continue
            cluster = document.kind == names.CLUSTER_TRAINING_RUNTIME
            namespace = "" if cluster else document.namespace or settings.namespace
            key = (document.kind, namespace, document.name)
            if key in found:
                continue
            found[key] = _runtime(document, settings, problems)
    return found


def _runtime(document: Document, settings: Settings, problems: list[Problem]) -> Runtime | None:
    compat = settings.compat
    refused = admit(document, compat, _extensions(document, compat))
    problems += refused
    if not usable(refused):
        return None
    keep_zero = not compat.keeps("replicas-zero")
    read = runtime(document, settings.namespace, keep_zero_replicas=keep_zero)
    refused = list(check_runtime(read))
    problems += refused
    return None if _failed(refused) else read


def _extensions(document: Document, compat: Compat) -> Extensions:
    """The schemas of policies the CRD does not know, where a runtime may want one of them."""
    if compat.version is not None or not _names_more(document.root):
        return ()
    found = discover(compat)
    return tuple(
        (key, json.dumps(schema(found[key].settings), sort_keys=True))
        for key in sorted(found)
        if key not in POLICIES
    )


def _names_more(root: Any) -> bool:
    """Whether a runtime names a policy that the reference does not have."""
    spec = root.get("spec") if isinstance(root, dict) else None
    for section in ("mlPolicy", "podGroupPolicy"):
        written = spec.get(section) if isinstance(spec, dict) else None
        for name in written if isinstance(written, dict) else ():
            if name != "numNodes" and f"{section}.{name}" not in POLICIES:
                return True
    return False
