"""Fields of TrainJobs and runtimes that Trainer 2.0 to 2.2 had, and 2.3 has not.

In: an object as plain data. Out: the changes that take the old fields out and put what they said
elsewhere. A change can be made to data, and to the text where the field is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, NamedTuple

from trainc import names
from trainc.edit.migration import overrides
from trainc.edit.migration.part import Lost, Path
from trainc.edit.migration.processes import KEY, WORDS, count_of, node_resources

_TRAINER: Path = ("spec", "trainer")
_TORCH: Path = ("spec", "mlPolicy", "torch")
_ELASTIC = "elasticPolicy"


class Change(NamedTuple):
    """A change to one map of an object.

    Attributes:
        path: The map.
        remove: Keys that go.
        key: A key that comes, in the place of the first of those, or at the end.
        value: A number that it holds; None for ``runtimePatches`` out of the old fields.
    """

    path: Path
    remove: tuple[str, ...] = ()
    key: str = ""
    value: int | None = None


class Known(NamedTuple):
    """The objects of one file that belong together: runtimes and the jobs that refer to them."""

    runtimes: Mapping[tuple[str, str], Any]
    jobs: Mapping[tuple[str, str], list[Any]]


def known(roots: Iterable[Any]) -> Known:
    """Which runtimes and jobs of a file belong together."""
    runtimes: dict[tuple[str, str], Any] = {}
    jobs: dict[tuple[str, str], list[Any]] = {}
    for root in roots:
        kind = str(root.get("kind"))
        if kind in names.RUNTIME_KINDS:
            runtimes[kind, str(_at(root, ("metadata", "name")))] = root
        elif kind == names.TRAIN_JOB:
            jobs.setdefault(_runtime_of(root), []).append(root)
    return Known(runtimes, jobs)


def job_changes(root: Any, near: Known, lost: list[Lost]) -> list[Change]:
    """What is to be done to a TrainJob, or to a part of one."""
    out = []
    spec = _at(root, ("spec",))
    old = [key for key in spec if key in overrides.OLD] if isinstance(spec, dict) else []
    if old:
        own = (overrides.NEW,) if spec.get(overrides.NEW) is not None else ()
        out.append(Change(("spec",), (*old, *own), overrides.NEW))
    written = _at(root, (*_TRAINER, KEY))
    if written in WORDS:
        count = count_of(written, _resources(root, near), (*_TRAINER, KEY), lost)
        out.append(Change(_TRAINER, (KEY,), KEY if count else "", count))
    elif written is None:
        number = _at(near.runtimes.get(_runtime_of(root)), (*_TORCH, KEY))
        if isinstance(number, int) and not isinstance(number, bool):
            out.append(Change(_TRAINER, (), KEY, number))
    return out


def runtime_changes(root: Any, near: Known, lost: list[Lost], *, fixed_nodes: bool) -> list[Change]:
    """What is to be done to a runtime, or to a part of one."""
    torch = _at(root, _TORCH)
    if not isinstance(torch, dict):
        return []
    gone = [key for key in (KEY, _ELASTIC) if key in torch]
    if _ELASTIC in gone and not fixed_nodes:
        message = "has no counterpart; Trainer 2.0 and 2.1 took it and did nothing"
        lost.append(Lost((*_TORCH, _ELASTIC), message, "--fixed-nodes leaves it out"))
    if KEY in gone:
        _check_number(root, torch[KEY], near, lost)
    return [Change(_TORCH, tuple(gone))] if gone else []


def changed(root: Any, changes: Iterable[Change], manager: str, lost: list[Lost]) -> None:
    """Makes the changes to plain data."""
    for change in changes:
        node = _at(root, change.path)
        if not isinstance(node, dict):
            node = _at(root, change.path[:-1])[change.path[-1]] = {}
        value: Any = change.value
        if change.key == overrides.NEW:
            value = overrides.patches_of(node, manager, lost)
        for key in change.remove:
            node.pop(key, None)
        if change.key:
            node[change.key] = value


def _check_number(root: Any, written: Any, near: Known, lost: list[Lost]) -> None:
    """A runtime's number of processes is its jobs' to say now."""
    path = (*_TORCH, KEY)
    if written in WORDS:
        if count_of(written, node_resources(root), path, lost):
            message, hint = "cpu has no counterpart", "write a number in the TrainJobs"
            lost.append(Lost(path, message, hint))
        return
    hint = f"write spec.trainer.{KEY}: {written} in its TrainJobs"
    kind, name = str(root.get("kind")), str(_at(root, ("metadata", "name")))
    if near.jobs.get((kind, name)):
        message = f"is in the TrainJobs of this file now; others that use {name} need it too"
        lost.append(Lost(path, message, hint, "warning"))
    else:
        message = "has no counterpart: a number is the TrainJob's to say"
        lost.append(Lost(path, message, f"{hint}, and remove it here"))


def _resources(root: Any, near: Known) -> Any:
    """What a node of the job gets: its own resources took the place of the runtime's."""
    own = _at(root, (*_TRAINER, "resourcesPerNode"))
    runtime = near.runtimes.get(_runtime_of(root))
    return own if isinstance(own, dict) else node_resources(runtime)


def _runtime_of(job: Any) -> tuple[str, str]:
    reference = _at(job, ("spec", "runtimeRef"))
    reference = reference if isinstance(reference, MutableMapping) else {}
    kind = reference.get("kind") or names.CLUSTER_TRAINING_RUNTIME
    return str(kind), str(reference.get("name"))


def _at(node: Any, path: Path) -> Any:
    for step in path:
        node = node.get(step) if isinstance(node, dict) else None
    return node
