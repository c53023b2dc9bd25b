"""A KRM function: a ResourceList in, the same with TrainJobs compiled out.

In: the text of a ResourceList. Out: its text with the objects in the place of the TrainJobs and
runtimes they came from, every other item as it was written, and what was found as ``results``.
The contract is kustomize's ``functions-spec``: https://kpt.dev/book/04-using-functions/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from trainc import names
from trainc.compile import PRIORITY_CLASS, Inputs, compile_documents
from trainc.errors import Mark, Problem
from trainc.gitops.build import asked
from trainc.gitops.profile import Profile, with_profile
from trainc.gitops.resourcelist import Item, ResourceList
from trainc.kube.digits import COUNT
from trainc.library import stock, stock_names
from trainc.lint.ignore import covered
from trainc.lint.settings import inspection
from trainc.manifest.order import in_order
from trainc.plan.plan import Object, Output
from trainc.plan.replace import replaced
from trainc.source.document import Document
from trainc.source.kinds import CLAIM
from trainc.source.source import duplicates
from trainc.spec.spec import Settings

_OURS: Final = frozenset({names.TRAIN_JOB, *names.RUNTIME_KINDS})
# What tools write on items to find them again; nothing of it may reach an object that is made.
_TOOLS: Final = ("internal.config.kubernetes.io/", "config.kubernetes.io/", "config.k8s.io/",
                 "kustomize.config.k8s.io/")  # fmt: skip
_PATH: Final = ("internal.config.kubernetes.io/path", "config.kubernetes.io/path")
_INDEX: Final = ("internal.config.kubernetes.io/index", "config.kubernetes.io/index")
_SEVERITIES: Final = {"note": "info"}


class Answer(NamedTuple):
    """What a function says.

    Attributes:
        text: The ResourceList that goes to stdout; the items are as they came where there is an
            error.
        problems: What was found, each at the file its item came from.
    """

    text: str
    problems: tuple[Problem, ...]


def answer(data: bytes) -> Answer:
    """Compiles the TrainJobs of a ResourceList.

    Args:
        data: What stands on stdin.

    Raises:
        TraincError: It is no ResourceList: there is nothing to answer with.
    """
    given = ResourceList.read(data)
    build, problems = asked(given.config)
    jobs = [*given.items, *([given.config] if _is_ours(given.config) else [])]
    documents = [_clean(item.document) for item in jobs if item and _is_read(item)]
    found, wrong = stock(documents, (), build.image_prefix)
    problems += [*wrong, *duplicates(documents, build.namespace)]
    inspect, wrong_rules = inspection(
        None, profile=build.profile, allow_ttl=False, strict=False, on_change=build.on_change
    )
    settings = Settings(
        features=frozenset(build.features),
        namespace=build.namespace,
        rename=build.on_change == "rename",
        apply_once=build.profile == "flux",
        stock=stock_names(),
    )
    plan = compile_documents(
        Inputs(tuple(documents), (found,)), settings, Output(emit=build.emit), inspect
    )
    problems += [*wrong_rules, *plan.problems]
    problems = covered(problems, given.text)
    told = tuple(_at_file(problem, given) for problem in problems)
    if any(problem.severity == "error" for problem in problems):
        return Answer(given.written(given.items, _results(problems, given)), told)
    objects = _profiled(plan.objects, build.profile, build.on_change)
    items = _placed(given, _by_job(objects), build.namespace)
    return Answer(given.written(items, _results(problems, given)), told)


def _is_ours(item: Item | None) -> bool:
    return item is not None and item.document.api_version == names.API_VERSION and (
        item.document.kind in _OURS
    )  # fmt: skip


def _is_read(item: Item) -> bool:
    return _is_ours(item) or item.document.kind in (PRIORITY_CLASS, CLAIM)


def _clean(document: Document) -> Document:
    """The document without what a tool wrote on it; places of the rest stay."""
    metadata = document.root.get("metadata")
    notes = metadata.get("annotations") if isinstance(metadata, dict) else None
    if not isinstance(notes, dict) or not any(str(key).startswith(_TOOLS) for key in notes):
        return document
    places = document.marks.get(id(notes), [])
    kept = [(k, v, p) for (k, v), p in zip(notes.items(), places, strict=True)
            if not str(k).startswith(_TOOLS)]  # fmt: skip
    mine = {key: value for key, value, _ in kept}
    root = {**document.root, "metadata": {**metadata, "annotations": mine}}
    if not mine:
        del root["metadata"]["annotations"]
    marks = dict(document.marks)
    marks[id(root)] = document.marks[id(document.root)]
    marks[id(mine)] = [place for _, _, place in kept]
    above = zip(metadata, document.marks[id(metadata)], strict=True)
    marks[id(root["metadata"])] = [p for key, p in above if key in root["metadata"]]
    return Document(document.file, document.index, root, marks, document.place, document.text)


def _profiled(objects: tuple[Object, ...], profile: str, on_change: str) -> tuple[Object, ...]:
    if profile != "none":
        objects = with_profile(objects, Profile(profile, False, on_change))
    return replaced(objects, profile) if on_change == "replace" else objects


def _by_job(objects: Iterable[Object]) -> dict[tuple[str, str], list[Object]]:
    found: dict[tuple[str, str], list[Object]] = {}
    for each in in_order(objects):
        found.setdefault(each.trainjob, []).append(each)
    return found


def _placed(
    given: ResourceList, made: dict[tuple[str, str], list[Object]], namespace: str
) -> list[Item | Mapping[str, Any]]:
    """Everything that goes on: objects where their TrainJob stood, in its file; no runtimes."""
    out: list[Item | Mapping[str, Any]] = []
    numbers: dict[str, int] = {}
    left = dict(made)
    for item in given.items:
        if not _is_ours(item):
            out.append(item)
            continue
        notes = item.annotations
        file = next((notes[key] for key in _PATH if key in notes), "")
        job = (item.document.namespace or namespace, item.document.name)
        for each in left.pop(job, []) if _is_job(item) else []:
            numbers[file] = numbers.get(file, 999) + 1  # behind everything the file holds
            out.append(_noted(each.manifest, notes, file, numbers[file]))
    out += [each.manifest for objects in left.values() for each in objects]
    return out


def _is_job(item: Item) -> bool:
    return item.document.kind == names.TRAIN_JOB


def _noted(
    manifest: Mapping[str, Any], notes: Mapping[str, str], file: str, number: int
) -> Mapping[str, Any]:
    """The object with the file it belongs to, where its TrainJob had one."""
    added = {key: file for key in _PATH if key in notes}
    added |= {key: str(number) for key in _INDEX if key in notes and file}
    if not added:
        return manifest
    metadata = manifest["metadata"]
    annotations = {**metadata.get("annotations", {}), **added}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}


def _at_file(problem: Problem, given: ResourceList) -> Problem:
    """The problem at the file of its item, where that is known; its line is not."""
    item = given.item_at(problem.mark)
    file = item and next((item.annotations[key] for key in _PATH if key in item.annotations), "")
    return problem._replace(mark=Mark(file)) if file else problem


def _results(problems: Iterable[Problem], given: ResourceList) -> list[dict[str, Any]]:
    return [dict(_result(problem, given.item_at(problem.mark))) for problem in problems]


def _result(problem: Problem, item: Item | None) -> Iterator[tuple[str, Any]]:
    hint = f"; {problem.hint}" if problem.hint else ""
    yield "message", f"{problem.message}{hint}"
    yield "severity", _SEVERITIES.get(problem.severity, problem.severity)
    if item is not None:
        metadata = {"name": item.document.name, "namespace": item.document.namespace}
        kind = {"apiVersion": item.document.api_version, "kind": item.document.kind}
        yield "resourceRef", kind | {key: value for key, value in metadata.items() if value}
        notes = item.annotations
        path = next((notes[key] for key in _PATH if key in notes), "")
        index = next((notes[key] for key in _INDEX if key in notes), "")
        if path:
            yield "file", {"path": path} | ({"index": int(index)} if COUNT.fullmatch(index) else {})
    if problem.field:
        yield "field", {"path": problem.field}
    if problem.code:
        yield "tags", {"code": problem.code}
