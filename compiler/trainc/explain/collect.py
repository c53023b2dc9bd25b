"""The settings of a job: every value of its JobSet with its setter, env variables whole.

In: a compiled job. Out: ``Setting``s in the order of the JobSet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from trainc import names
from trainc.explain.history import History, history, key_of
from trainc.explain.place import Explained, Path, Places
from trainc.explain.setting import Former, Setting
from trainc.explain.stages import Stage, stages
from trainc.info.info import Info

_COUNTS: Final = ("replicas", "parallelism", "completions")
_PLAIN: Final = ("image", "command", "args", "env", "resources", "ports")
# Field of a container -> field of spec.trainer.
_FIELDS: Final = {
    "image": "image",
    "command": "command",
    "args": "args",
    "env": "env",
    "resources": "resourcesPerNode",
}
# Variables by which policies pass on what somebody wrote -> that field.
_PASSED_ON: Final = {
    "PET_NNODES": "numNodes",
    "JAX_NUM_PROCESSES": "numNodes",
    "DMLC_NUM_WORKER": "numNodes",
    "PET_NPROC_PER_NODE": "numProcPerNode",
    "OMPI_MCA_orte_set_default_slots": "numProcPerNode",
}


class Leaf(NamedTuple):
    """A value, where it stands, and what it was."""

    path: Path
    value: Any
    history: History


def settings(
    info: Info, jobset: Mapping[str, Any], overlays: str, explained: Explained
) -> tuple[Setting, ...]:
    """Every value of a job's JobSet.

    Args:
        info: The job as the compiler left it.
        jobset: Its JobSet as printed.
        overlays: Folder of the overlays, empty for none.
        explained: Says of a problem what more is known of its place.
    """
    steps = stages(info.spec, jobset)
    told = history([each.manifest for each in steps])
    places = Places(info.spec, steps, overlays, explained)
    leaves = sorted(_leaves(jobset, told, ()), key=lambda leaf: _position(leaf.path))
    return tuple(_setting(leaf, jobset, places, steps) for leaf in leaves)


def _position(path: Path) -> tuple[Any, ...]:
    """What is short first: a job's counts before its containers; these as people read them."""
    if len(path) < 4 or path[1] != "replicatedJobs":
        return (path[0] != "spec", -1)
    if len(path) < 10:
        return (False, path[2], 0)
    field = _PLAIN.index(path[9]) if path[9] in _PLAIN else len(_PLAIN)
    return (False, path[2], 1, str(path[7]), path[8], field)


def is_plain(setting: Setting) -> bool:
    """Whether a setting is one that people ask for: counts, image, command, env, resources."""
    return bool(setting.group)


def _leaves(value: Any, told: Any, path: Path) -> Iterator[Leaf]:
    """The leaves of a tree; a variable of ``env`` and a port are one value each."""
    if len(path) > 1 and path[-2] in ("env", "ports") and isinstance(value, dict):
        yield _whole(value, told, path)
    elif isinstance(value, dict) and value:
        for key, item in value.items():
            if not (path == () and key in ("apiVersion", "kind")):
                yield from _leaves(item, told[key], (*path, key))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from _leaves(item, told[index], (*path, index))
    else:
        yield Leaf(path, value, told)


def _whole(item: Mapping[str, Any], told: Any, path: Path) -> Leaf:
    """A variable or port as one value, with the history of what tells most of it."""
    inner = next((key for key in ("value", "valueFrom", "containerPort") if key in item), "name")
    found: Any = told.get(inner)
    while isinstance(found, dict | list):
        found = next(iter(found.values() if isinstance(found, dict) else found))
    value = item[inner] if inner != "name" else ""
    if path[-2] == "ports":
        value = f"{item['containerPort']}/{item.get('protocol', 'TCP')}"
    return Leaf(path, value, found)


def _setting(
    leaf: Leaf, jobset: Mapping[str, Any], places: Places, steps: tuple[Stage, ...]
) -> Setting:
    last = leaf.history[-1]
    setter = places.setter(last, _inner(leaf), last.value)
    named = tuple(_names(leaf.path, jobset))
    if setter.who == "policy" and leaf.path[-2] == "env":
        variable = [*_steps(jobset, leaf.path)][-1]
        setter = setter._replace(note=places.behind(_PASSED_ON.get(variable, "")))
    if setter.field in ("spec.trainer.numNodes", "spec.mlPolicy.numNodes"):
        named = (*named, ("spec", "trainer", "numNodes"))
    return Setting(
        path=_named(jobset, leaf.path),
        value=leaf.value,
        setter=setter,
        names=named,
        former=tuple(
            Former(was.value, places.of_stage(was))
            for was in leaf.history[:-1]
            if steps[was.stage].step in ("runtime", "patch")
        ),
        group=_group(leaf.path, jobset),
        label=_label(leaf.path, jobset),
    )


def _inner(leaf: Leaf) -> Path:
    """The path of the very value; of a variable of env that of its text or source."""
    return (*leaf.path, *leaf.history[-1].path[len(leaf.path) :])


def _named(jobset: Mapping[str, Any], path: Path) -> str:
    """The path with items of lists by their names."""
    steps = zip(path, _steps(jobset, path), strict=True)
    out = "".join(f"[{step}]" if isinstance(key, int) else f".{step}" for key, step in steps)
    return out.removeprefix(".")


def _steps(value: Any, path: Path) -> Iterator[str]:
    """The steps of a path, items of lists by their names."""
    for step in path:
        value = value[step]
        key = key_of(value) if isinstance(step, int) else ""
        yield str(value[key] if key else step)


def _names(path: Path, jobset: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """By name, by index, and by the TrainJob's field that may set it."""
    yield tuple(_steps(jobset, path))
    yield tuple(map(str, path))
    if len(path) < 10 or path[7] != "containers":
        return
    container = _container(jobset, path)
    field, *rest = _steps(container, path[9:])
    name = str(container.get("name"))
    variable = rest[0] if field == "env" else ""
    if name == names.NODE and field in _FIELDS:
        yield ("spec", "trainer", _FIELDS[field], *rest)
        if _PASSED_ON.get(variable) == "numProcPerNode":
            yield ("spec", "trainer", "numProcPerNode")
    elif name in names.ANCESTORS and variable:
        base = ("spec", "initializer", name.removesuffix("-initializer"))
        yield (*base, "storageUri") if variable == "STORAGE_URI" else (*base, "env", *rest)


def _container(jobset: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    value: Any = jobset
    for step in path[:9]:
        value = value[step]
    found: Mapping[str, Any] = value
    return found


def _group(path: Path, jobset: Mapping[str, Any]) -> str:
    """``job node`` or ``job node, container node``; empty for what few people ask for."""
    if path == ("spec", "suspend"):
        return "job"
    if len(path) < 4 or path[1] != "replicatedJobs":
        return ""
    job = f"job {jobset['spec']['replicatedJobs'][path[2]]['name']}"
    if path[-1] in _COUNTS and len(path) in (4, 6):
        return job
    if len(path) > 9 and path[7] in ("containers", "initContainers") and path[9] in _PLAIN:
        word = "container" if path[7] == "containers" else "init container"
        return f"{job}, {word} {_container(jobset, path)['name']}"
    return ""


def _label(path: Path, jobset: Mapping[str, Any]) -> str:
    if len(path) < 10:
        return str(path[-1])
    label = _named(_container(jobset, path), path[9:])
    if path[9] == "env" and label.startswith("env["):
        return f"env {label[4:-1]}"
    return label
