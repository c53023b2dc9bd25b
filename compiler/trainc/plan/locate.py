"""From a place in a compiled JobSet back to the file a person wrote it in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from trainc import names
from trainc.errors import Problem, Severity, field_path
from trainc.info.info import Info
from trainc.source.document import Document
from trainc.spec.trainjob import Path

# How items of the lists in a pod are told apart; anything else by its index.
_KEYS = ("name", "mountPath", "containerPort", "devicePath", "ip")
_POD: Path = ("template", "spec", "template", "spec")


def located(
    info: Info, built: Mapping[str, Any], path: Path, message: str, *, code: str, hint: str = "",
    severity: Severity = "error",
) -> Problem:  # fmt: skip
    """A problem at ``path`` of the built JobSet, told at the field that put it there.

    The TrainJob's own settings are asked first, then its patches from last to first, then the
    runtime's template; the deepest match wins, and of equal ones the first asked.
    """
    document, label, found = max(
        ((doc, name, at) for doc, name, at in _candidates(info, built, path)),
        key=lambda candidate: candidate[2][0],
    )
    return Problem(
        message, code, document.mark(found[1]), label, field_path(found[1]), severity, hint
    )


_Candidate = tuple[Document, str, tuple[int, Path]]


def _candidates(info: Info, built: Mapping[str, Any], path: Path) -> Iterator[_Candidate]:
    job, runtime = info.spec.job, info.spec.runtime
    if path[:1] == ("metadata",):
        yield job.document, job.label, (len(path), path)
        return
    own = _of_job(info, built, path)
    if own is not None:
        yield job.document, job.label, own
    for index in reversed(range(len(job.spec.get("runtimePatches") or ()))):
        base: Path = ("spec", "runtimePatches", index, "trainingRuntimeSpec", "template")
        mirror = value_at(job.document.root, (*base, "spec"))
        depth, found = _follow(built["spec"], mirror, path[1:])
        yield job.document, job.label, (1 + depth, (*base, "spec", *found))
    mirror = value_at(runtime.document.root, ("spec", "template", "spec"))
    depth, found = _follow(built["spec"], mirror, path[1:])
    yield runtime.document, runtime.label, (1 + depth, ("spec", "template", "spec", *found))


def _of_job(info: Info, built: Mapping[str, Any], path: Path) -> tuple[int, Path] | None:
    """Where ``spec.trainer`` or ``spec.initializer`` sets what stands at ``path``."""
    if len(path) < 10 or path[7] != "containers" or not isinstance(path[2], int):
        return None
    pod_set = info.pod_sets[path[2]]
    container = value_at(built, path[:9]) or {}
    job = info.spec.job.spec
    field, rest = path[9], path[10:]
    if container.get("name") == names.NODE and pod_set.ancestor == names.TRAINER:
        base: Path = ("spec", "trainer")
        fields = {"image": "image", "command": "command", "args": "args", "env": "env",
                  "resources": "resourcesPerNode"}  # fmt: skip
    elif container.get("name") in (names.DATASET_INITIALIZER, names.MODEL_INITIALIZER):
        base = ("spec", "initializer", str(container["name"]).partition("-")[0])
        fields = {"env": "env", "envFrom": "secretRef"}
    else:
        return None
    written = value_at({"spec": job}, base)
    if field not in fields or not isinstance(written, Mapping) or fields[field] not in written:
        return None
    depth, found = _follow(container[field], written[fields[field]], rest)
    if depth < min(len(rest), 1):
        return None
    return 10 + depth, (*base, fields[field], *found)


def _follow(built: Any, mirror: Any, path: Path) -> tuple[int, Path]:
    """How far ``path`` of ``built`` can be followed in ``mirror``, and the path there."""
    found: list[str | int] = []
    for step in path:
        if isinstance(mirror, Mapping) and isinstance(step, str):
            place: str | int | None = step if step in mirror else None
        elif isinstance(mirror, list) and isinstance(step, int):
            place = _same(built[step] if step < len(built) else None, mirror, step)
        else:
            place = None
        if place is None:
            break
        found.append(place)
        built = step_into(built, step)
        mirror = mirror[place]
    return len(found), tuple(found)


def _same(item: Any, items: list[Any], index: int) -> int | None:
    if isinstance(item, Mapping):
        for key in _KEYS:
            if key in item:
                hits = (n for n, i in enumerate(items) if isinstance(i, Mapping))
                return next((n for n in hits if items[n].get(key) == item[key]), None)
    return index if index < len(items) else None


def step_into(value: Any, step: str | int) -> Any:
    """What stands one step below a map or a list, None where there is nothing."""
    if isinstance(value, Mapping):
        return value.get(str(step))
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return None


def value_at(value: Any, path: Path) -> Any:
    """What stands at the end of a path, None where it leads nowhere."""
    for step in path:
        value = step_into(value, step)
        if value is None:
            return None
    return value
