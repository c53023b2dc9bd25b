"""From the history of a value to who set it, with the line in the user's file.

In: a job's Spec, its stages, a leaf's history. Out: the ``Setter``. A value that no line of a file
holds is a default; one in a folder of overlays was set by an overlay, whatever it was merged into.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from trainc import codes, names
from trainc.errors import Mark, Problem, field_path
from trainc.explain.history import Was, key_of
from trainc.explain.setting import Setter
from trainc.explain.stages import Stage
from trainc.plan.locate import step_into, value_at
from trainc.plan.metadata import reaches_jobset
from trainc.source.document import Document
from trainc.spec.spec import Spec

Path = tuple[str | int, ...]
Explained = Callable[[Problem], Problem]

_COUNTS: Final = ("parallelism", "completions")
# Field of a container -> field of spec.trainer.
_TRAINER: Final = {
    "image": "image",
    "command": "command",
    "args": "args",
    "env": "env",
    "resources": "resourcesPerNode",
}
# What only jobs labelled as the trainer get of it; MPI's workers get resources and env too.
_LABELLED: Final = ("image", "command", "args")
_TEMPLATE: Final[Path] = ("spec", "template")


class Places:
    """Finds the setter of values of one job."""

    def __init__(
        self, spec: Spec, stages: Sequence[Stage], overlays: str, explained: Explained
    ) -> None:
        """Knows the job's documents.

        Args:
            spec: The job.
            stages: Its stages.
            overlays: Folder of the overlays as files are printed, empty for none.
            explained: Says of a problem what more is known of its place.
        """
        self._spec, self._stages, self._explained = spec, stages, explained
        self._overlays = f"{overlays.strip('/')}/" if overlays else ""

    def setter(self, was: Was, path: Path, value: Any) -> Setter:
        """Who set a value.

        Args:
            was: The last entry of its history.
            path: Where it stands at last.
            value: What it is at last.
        """
        return self._of_job(was, path, value) or self.of_stage(was)

    def of_stage(self, was: Was) -> Setter:
        """Who set a value at a stage, whatever came after."""
        stage = self._stages[was.stage]
        if stage.step == "runtime":
            return self._of_runtime(was.path)
        if stage.step == "patch":
            return self._of_patch(was.path)
        if stage.step == "policy":
            return self._of_policy(stage.name)
        if stage.step == "TrainJob" and stage.name == "initializer":
            return self._of_initializer(was.path)
        if stage.step == "TrainJob":
            return self._of_runtime(was.path)  # a count that the runtime gives, placed anew
        return Setter(stage.step, stage.name)

    def behind(self, field: str) -> str:
        """Where a number that a policy passes on was written, in words; empty where nowhere.

        Args:
            field: ``numNodes`` or ``numProcPerNode``.
        """
        job, runtime = self._spec.job, self._spec.runtime
        found = self._at(job.document, "TrainJob", "", ("spec", "trainer", field))
        places: tuple[Path, ...] = (("spec", "mlPolicy", field),)
        places += tuple(("spec", "mlPolicy", key, field) for key in runtime.ml_policy or {})
        for place in places:
            found = found or self._at(runtime.document, "runtime", "", place)
        return f"from {found.who}  {found.mark} ({found.field})" if found else ""

    def _of_job(self, was: Was, path: Path, value: Any) -> Setter | None:
        """The line of the TrainJob that says so, where one does and nobody came after it."""
        if path[0] == "metadata":
            return self._of_metadata(path)
        job = self._spec.job.document
        if path == ("spec", "suspend"):
            return self._at(job, "TrainJob", "", path)
        found = self._job_field(path, self._stages[-1].manifest)
        if found is None:
            return None
        late = self._stages[was.stage].step in ("policy", "feature")
        if late and not self._says(found, path, value):
            return None
        return self._at(job, "TrainJob", "", found)

    def _of_metadata(self, path: Path) -> Setter | None:
        job = self._spec.job.document
        if path[-1] in ("name", "namespace") and len(path) == 2:
            return self._at(job, "TrainJob", "", path) or Setter("default")
        if path[-1] in (names.JOB_ANNOTATION, names.MANAGED_BY_LABEL):
            return Setter("trainc")
        is_passed_on = len(path) == 3 and reaches_jobset(str(path[2]))
        return self._at(job, "TrainJob", "", path) if is_passed_on else None

    def _job_field(self, path: Path, manifest: Mapping[str, Any]) -> Path | None:
        """The field of the TrainJob for a path of the JobSet, where the job writes it."""
        if len(path) < 4 or path[1] != "replicatedJobs":
            return None
        pod_set = manifest["spec"]["replicatedJobs"][path[2]]
        labels = (pod_set["template"].get("metadata") or {}).get("labels") or {}
        trains = labels.get(names.ANCESTOR) == names.TRAINER
        if path[-1] in _COUNTS and len(path) == 6:
            place: Path = ("spec", "trainer", "numNodes")
            return self._written(place) if self._is_counted(pod_set) else None
        if len(path) < 10 or path[7] != "containers":
            return None
        container = value_at(manifest, path[:9])
        rest = path[9:]
        if container.get("name") == names.NODE and str(rest[0]) in _TRAINER:
            if not trains and (pod_set["name"] != names.NODE or rest[0] in _LABELLED):
                return None
            inner = _follow(container[rest[0]], self._trainer(rest[0]), rest[1:])
            base: Path = ("spec", "trainer", _TRAINER[str(rest[0])])
            return None if inner is None else self._written((*base, *inner))
        part = str(container.get("name", "")).removesuffix("-initializer")
        if f"{part}-initializer" in names.ANCESTORS and rest[0] == "env":
            return self._initializer_env(part, container, rest)
        return None

    def _trainer(self, field: str | int) -> Any:
        trainer = self._spec.job.spec.get("trainer") or {}
        return trainer.get(_TRAINER[str(field)])

    def _initializer_env(self, part: str, container: Mapping[str, Any], rest: Path) -> Path | None:
        base: Path = ("spec", "initializer", part)
        written = (self._spec.job.spec.get("initializer") or {}).get(part) or {}
        inner = _follow(container["env"], written.get("env"), rest[1:])
        if inner is not None:
            return self._written((*base, "env", *inner))
        if value_at(container, rest[:2]).get("name") == "STORAGE_URI":
            return self._written((*base, "storageUri"))
        return None

    def _written(self, path: Path) -> Path | None:
        """The path, where the TrainJob has something there."""
        return path if value_at(self._spec.job.document.root, path) is not None else None

    def _says(self, found: Path, path: Path, value: Any) -> bool:
        """Whether the TrainJob's value is the one that is there at last."""
        return str(value_at(self._spec.job.document.root, found)) == str(value)

    def _of_runtime(self, path: Path) -> Setter:
        runtime = self._spec.runtime
        at: Path = (*_TEMPLATE, *path)
        if path[-1] in _COUNTS and len(path) == 6:
            job = value_at(runtime.document.root, (*_TEMPLATE, *path[:3]))
            if self._is_counted(job):
                nodes: Path = ("spec", "mlPolicy", "numNodes")
                counted = self._at(runtime.document, "runtime", runtime.label, nodes)
                if counted is not None:
                    return counted
        return self._at(runtime.document, "runtime", runtime.label, at) or Setter("default")

    def _is_counted(self, job: Mapping[str, Any]) -> bool:
        """Whether numNodes is about this job: of MPI the workers, else what trains."""
        if "mpi" in (self._spec.runtime.ml_policy or {}):
            return bool(job["name"] == names.NODE)
        labels = ((job.get("template") or {}).get("metadata") or {}).get("labels") or {}
        return bool(labels.get(names.ANCESTOR) == names.TRAINER)

    def _of_patch(self, path: Path) -> Setter:
        job = self._spec.job
        for index in reversed(range(len(job.spec.get("runtimePatches") or ()))):
            base: Path = ("spec", "runtimePatches", index)
            below: Path = (*base, "trainingRuntimeSpec", "template")
            mirror = value_at(job.document.root, below)
            built = self._stages[1].manifest
            inner = _follow(built, mirror, path)
            if inner is not None:
                manager = str(job.spec["runtimePatches"][index]["manager"])
                return self._at(job.document, "patch", manager, (*below, *inner)) or Setter("patch")
        return Setter("patch")

    def _of_policy(self, key: str) -> Setter:
        """The policy, at the line of the runtime that selects it."""
        document = self._spec.runtime.document
        at: Path = ("spec", *key.split("."))
        mark = _mark(document, at)
        return Setter("policy", key, mark, field_path(at) if mark else "")

    def _of_initializer(self, path: Path) -> Setter:
        built = value_at(self._stages[-1].manifest, path[:3])
        job = self._spec.job.document
        part = str(built.get("name", "")).removesuffix("-initializer")
        for at in (("spec", "initializer", part), ("spec", "initializer")):
            found = self._at(job, "TrainJob", "", at)
            if found is not None:
                return found
        return Setter("trainc")

    def _at(self, document: Document, who: str, name: str, path: Path) -> Setter | None:
        """The setter at a place of a document; None where nobody wrote it down."""
        mark = _mark(document, path)
        if mark is None:
            return None
        if self._overlays and mark.file.startswith(self._overlays):
            who, name = "overlay", mark.file.removeprefix(self._overlays).partition("/")[0]
        note = self._explained(Problem("", codes.NOT_FOUND, mark)).hint
        return Setter(who, name, mark, field_path(path), note)


def _mark(document: Document, path: Path) -> Mark | None:
    """The place of an entry that was written down; a default has none."""
    container = value_at(document.root, path[:-1])
    if not isinstance(container, dict | list) or step_into(container, path[-1]) is None:
        return None
    return document.mark_of(container, path[-1])


def _follow(built: Any, mirror: Any, path: Path) -> Path | None:
    """The path in ``mirror`` of what stands at ``path`` of ``built``; None where it has none."""
    out: list[str | int] = []
    for step in path:
        item = step_into(built, step)
        place: str | int | None = step
        if isinstance(mirror, list):
            place = _same(item, mirror, step)
        if place is None or step_into(mirror, place) is None:
            return None
        out.append(place)
        built, mirror = item, step_into(mirror, place)
    return None if mirror is None else tuple(out)


def _same(item: Any, items: list[Any], step: str | int) -> int | None:
    """The index of the item of that key, else of the same value, else of the same place."""
    key = key_of(item)
    if key:
        hits = (n for n, i in enumerate(items) if isinstance(i, dict) and i.get(key) == item[key])
        return next(hits, None)
    if isinstance(step, int) and step < len(items) and items[step] == item:
        return step
    return next((n for n, other in enumerate(items) if other == item), None)
