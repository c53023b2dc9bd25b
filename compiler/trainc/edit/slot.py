"""Where a document writes images: the trainer of a TrainJob, the containers of a runtime.

In: documents as they were loaded. Out: slots, each with the names it answers to. A runtimePatch has
none: the API lets it change no image.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from trainc import names
from trainc.errors import Mark
from trainc.source.document import Document

Path = tuple[str | int, ...]

_POD: Path = ("template", "spec", "template", "spec")
_CONTAINERS = ("initContainers", "containers")


class Slot(NamedTuple):
    """A place for an image.

    Attributes:
        document: Which of the file's documents it is in.
        label: The object, ``Kind/name``.
        job: The TrainJob, or the job of a runtime.
        container: The container; of a TrainJob ``node``.
        path: Where the map stands that holds ``image``.
        image: What is written there, None for nothing.
        is_init: Whether it is an init container.
    """

    document: Document
    label: str
    job: str
    container: str
    path: Path
    image: str | None
    is_init: bool = False

    @property
    def name(self) -> str:
        """What it is called when it has to be told from all others."""
        return f"{self.job}/{self.container}"

    @property
    def mark(self) -> Mark:
        """Where it stands."""
        return self.document.mark((*self.path, "image"))


def slots(documents: Sequence[Document]) -> Iterator[Slot]:
    """Yields every slot of a file."""
    for document in documents:
        yield from _of_object(document, document.root, ())


def _of_object(document: Document, root: Any, path: Path) -> Iterator[Slot]:
    if not isinstance(root, dict):
        return
    if set(root) == {"target", "patch"}:
        target = root["target"] if isinstance(root["target"], dict) else {}
        yield from _of_spec(document, root["patch"], (*path, "patch"), target)
        return
    kind, items = str(root.get("kind")), root.get("items")
    if kind.endswith("List") and isinstance(items, list):
        for index, item in enumerate(items):
            yield from _of_object(document, item, (*path, "items", index))
    elif kind in (names.TRAIN_JOB, *names.RUNTIME_KINDS):
        metadata = root.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else None
        yield from _of_spec(document, root, path, {"kind": kind, "name": name})


def _of_spec(document: Document, root: Any, path: Path, meant: dict[str, Any]) -> Iterator[Slot]:
    """The slots of an object or of part of one; ``meant`` says its kind and name."""
    name = str(meant.get("name") or "*")
    label = f"{meant.get('kind') or 'patch'}/{name}"
    is_job = meant.get("kind") == names.TRAIN_JOB
    if is_job or _at(root, ("spec", "trainer")) is not None:
        trainer = _at(root, ("spec", "trainer"))
        if isinstance(_at(root, ("spec",)), dict) and isinstance(trainer, dict | None):
            image = _text(trainer, "image")
            yield Slot(document, label, name, names.NODE, (*path, "spec", "trainer"), image)
    jobs: Path = ("spec", "template", "spec", "replicatedJobs")
    for index, job in enumerate(_list(_at(root, jobs))):
        for place in _CONTAINERS:
            inside: Path = (*jobs, index, *_POD, place)
            for number, container in enumerate(_list(_at(root, inside))):
                if not _text(container, "name"):
                    continue
                yield Slot(
                    document,
                    label,
                    _text(job, "name") or "",
                    _text(container, "name") or "",
                    (*path, *inside, number),
                    _text(container, "image"),
                    place == "initContainers",
                )


def _at(root: Any, path: Path) -> Any:
    for step in path:
        if isinstance(step, int):
            root = root[step]
        else:
            root = root.get(step) if isinstance(root, dict) else None
    return root


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any, key: str) -> str | None:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, str) else None
