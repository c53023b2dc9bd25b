"""Lints on Kueue: topology that no cluster satisfies, shapes that no queue admits.

The rules are those of Kueue v0.19.2: ``pkg/controller/jobframework/tas_validation.go``, whose
webhook refuses the JobSet in the cluster; ``pkg/cache/scheduler/tas_flavor_snapshot.go``, which
never places a count that is not a multiple of its slices; and ``spec.podSets`` of a Workload.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

from trainc.errors import Problem
from trainc.info.podset import PodSet
from trainc.kube.validation.forms import qualified_name
from trainc.lint.lint import Job, Lint, Path
from trainc.names import KUEUE_PREFIX
from trainc.plan.queue import is_queued

MOST_POD_SETS: Final = 18
"""Pod sets of a Workload in Kueue v0.19.2, one a replicated job; v0.17 has 8."""
_PREFIX: Final = f"{KUEUE_PREFIX}podset-"
_REQUIRED: Final = f"{_PREFIX}required-topology"
_PREFERRED: Final = f"{_PREFIX}preferred-topology"
_FREE: Final = f"{_PREFIX}unconstrained-topology"
_SLICE: Final = f"{_PREFIX}slice-required-topology"
_SIZE: Final = f"{_PREFIX}slice-size"
_LAYERS: Final = f"{_PREFIX}slice-required-topology-constraints"
_GROUP: Final = f"{_PREFIX}group-name"
_NAMED: Final = (_REQUIRED, _PREFERRED, _SLICE)
_BOOLEAN: Final = re.compile(r"[10tTfF]|true|True|TRUE|false|False|FALSE")  # strconv.ParseBool
_METADATA: Final[Path] = ("template", "spec", "template", "metadata")
_MOST_LAYERS: Final = 3

Notes = Mapping[str, str]
_Found = tuple[str, str, str]
"""Annotation, message, hint."""


def topology(job: Job) -> Iterator[Problem]:
    """Annotations of a pod set that contradict each other, or its number of pods."""
    groups: dict[str, list[tuple[int, PodSet, Notes]]] = {}
    for index, each in enumerate(job.jobset["spec"].get("replicatedJobs", ())):
        yield from _misplaced(job, index, each)
        metadata = each["template"]["spec"]["template"].get("metadata") or {}
        notes: Notes = metadata.get("annotations") or {}
        if not any(name.startswith(_PREFIX) for name in notes):
            continue
        pod_set = job.info.pod_sets[index]
        for name, message, hint in _of_pod_set(notes, pod_set.count * pod_set.replicas):
            yield _at(job, index, name, message, hint)
        if _GROUP in notes:
            groups.setdefault(notes[_GROUP], []).append((index, pod_set, notes))
    for name, members in groups.items():
        message = _group(members)
        if message:
            yield _at(job, members[0][0], _GROUP, f"group {name} {message}", "")


def _misplaced(job: Job, index: int, written: Mapping[str, Any]) -> Iterator[Problem]:
    """Annotations of the Job, which Kueue reads on its pods."""
    path: Path = ("spec", "replicatedJobs", index, "template", "metadata", "annotations")
    for name in (written["template"].get("metadata") or {}).get("annotations") or ():
        if name.startswith(_PREFIX):
            message = "is ignored here: Kueue reads the annotations of the pod template"
            yield job.at((*path, name), message, "write it one level deeper, below spec.template")


def _at(job: Job, index: int, name: str, message: str, hint: str) -> Problem:
    path: Path = ("spec", "replicatedJobs", index, *_METADATA, "annotations", name)
    return job.at(path, message, hint)


def _of_pod_set(notes: Notes, pods: int) -> Iterator[_Found]:
    """What is wrong with the annotations of so many pods."""
    kinds = [name for name in (_REQUIRED, _PREFERRED, _FREE) if name in notes]
    if len(kinds) > 1:
        yield kinds[1], f"must not stand beside {kinds[0]}", "keep one of them"
    for name in _NAMED:
        if name in notes and (wrong := qualified_name(notes[name])):
            yield name, f"{notes[name]!r} is no label of a node: it {wrong}", ""
    if not _BOOLEAN.fullmatch(notes.get(_FREE, "true")):
        yield _FREE, f"must be true or false, got {notes[_FREE]!r}", ""
    if _GROUP in notes:
        yield from _grouped(notes)
    yield from _slices(notes, pods)
    if _LAYERS in notes:
        yield from _layers(notes, pods)


def _grouped(notes: Notes) -> Iterator[_Found]:
    for name in (_SLICE, _SIZE, _LAYERS):
        if name in notes:
            yield _GROUP, f"must not stand beside {name}", "a group has no slices"
    if _REQUIRED not in notes and _PREFERRED not in notes:
        yield _GROUP, f"needs {_REQUIRED}, or {_PREFERRED}", ""
    if re.fullmatch(r"\d+", notes[_GROUP]):
        yield _GROUP, "must not be a number", ""


def _slices(notes: Notes, pods: int) -> Iterator[_Found]:
    if _SIZE not in notes:
        if _SLICE in notes:
            yield _SLICE, f"needs {_SIZE}: how many pods share a place", ""
        return
    if _SLICE not in notes and _LAYERS not in notes:
        yield _SIZE, f"needs {_SLICE}: what the pods of a slice share", ""
    text = notes[_SIZE]
    if not re.fullmatch(r"\+?\d{1,10}", text) or not 0 < int(text) < 2**31:
        yield _SIZE, f"must be a number of pods, got {text!r}", ""
        return
    yield from _fits(_SIZE, int(text), pods)


def _fits(name: str, size: int, pods: int) -> Iterator[_Found]:
    if size > pods:
        yield name, f"slices of {size} pods, and there are {pods}: the webhook refuses it", ""
    elif pods % size:
        message = f"{pods} pods do not come to whole slices of {size}: they are never admitted"
        yield name, message, f"ask for {pods - pods % size} or {pods - pods % size + size} nodes"


def _layers(notes: Notes, pods: int) -> Iterator[_Found]:
    """The slices of several layers, each within the one before."""
    for name in (_SLICE, _SIZE):
        if name in notes:
            yield _LAYERS, f"must not stand beside {name}", "keep one of them"
    layers = _read(notes[_LAYERS])
    if layers is None:
        message = f"must be a JSON list of one to {_MOST_LAYERS} layers, each of topology and size"
        yield _LAYERS, message, ""
        return
    labels = [label for label, _ in layers]
    if len({*labels}) < len(labels):
        yield _LAYERS, "names a topology twice", ""
    for label in labels:
        if wrong := qualified_name(label):
            yield _LAYERS, f"{label!r} is no label of a node: it {wrong}", ""
    for (_, outer), (_, inner) in pairwise(layers):
        if outer % inner:
            yield _LAYERS, f"slices of {inner} do not fill those of {outer}", ""
    yield from _fits(_LAYERS, layers[0][1], pods)


def _read(text: str) -> list[tuple[str, int]] | None:
    """Topology and size of each layer; None where the text holds something else."""
    try:
        layers = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(layers, list) or not 0 < len(layers) <= _MOST_LAYERS:
        return None
    out = []
    for each in layers:
        size = each.get("size") if isinstance(each, dict) else None
        if type(size) is not int or size < 1:
            return None
        out.append((str(each.get("topology", "")), size))
    return out


def _group(members: list[tuple[int, PodSet, Notes]]) -> str:
    """What is wrong with the pod sets of a group, empty for nothing."""
    if len(members) != 2:
        return f"has {len(members)} pod sets: exactly 2 can be placed together"
    counts = [pod_set.count * pod_set.replicas for _, pod_set, _ in members]
    if 1 not in counts:
        return f"has pod sets of {counts[0]} and {counts[1]} pods: one of them must have 1"
    first, second = (members[0][2], members[1][2])
    if any(first.get(name) != second.get(name) for name in (_REQUIRED, _PREFERRED)):
        return "must have one topology in both pod sets"
    return ""


def too_many(job: Job) -> Iterator[Problem]:
    """More replicated jobs than a Workload has pod sets."""
    jobs: list[Any] = job.jobset["spec"].get("replicatedJobs", [])
    if len(jobs) > MOST_POD_SETS and is_queued(job.info.spec):
        yield job.at(
            ("spec", "replicatedJobs"),
            f"{len(jobs)} replicated jobs: Kueue admits {MOST_POD_SETS} pod sets at most",
            "use replicas, or several jobs",
        )


LINTS = (
    Lint("TRC410", "warning", topology),
    Lint("TRC411", "warning", too_many),
)
