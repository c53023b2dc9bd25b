"""Runtimes to fall back on: the project's own folders, then the stock library in the package."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Final

from trainc import names
from trainc.errors import Problem
from trainc.source.document import Document
from trainc.source.parse import parse

_STOCK: Final = os.path.join(os.path.dirname(__file__), "runtimes")
_SUFFIX: Final = ".yaml"
STOCK_FILES: Final = "trainc:runtimes/"  # how the files of the stock library are called


def stock(
    documents: Iterable[Document], others: Sequence[Document], image_prefix: str | None
) -> tuple[tuple[Document, ...], list[Problem]]:
    """The stock runtimes that TrainJobs name and that neither they nor ``others`` bring.

    A stock runtime stands in a file of its own name, so only what is asked for is read.

    Args:
        documents: The inputs.
        others: Runtimes of the libraries that come first.
        image_prefix: What stands before the names of trainc's own images; None keeps the default.
    """
    known = {d.name for d in others if d.kind == names.CLUSTER_TRAINING_RUNTIME}
    wanted = set()
    for document in documents:
        if document.kind == names.CLUSTER_TRAINING_RUNTIME:
            known.add(document.name)
        elif document.kind == names.TRAIN_JOB:
            wanted.add(_runtime_name(document))
    found: list[Document] = []
    problems: list[Problem] = []
    for name in sorted(wanted - known - {""}):
        read, wrong = named(name, image_prefix)
        found += read
        problems += wrong
    return tuple(found), problems


def named(name: str, image_prefix: str | None) -> tuple[list[Document], list[Problem]]:
    """The stock runtime of that name, nothing where there is none."""
    path = os.path.join(_STOCK, f"{name}.yaml")
    if "/" in name or not os.path.isfile(path):
        return [], []
    with open(path, "rb") as file:
        data = file.read()
    if image_prefix is not None:
        data = data.replace(names.IMAGE_PREFIX.encode(), image_prefix.encode())
    return parse(data, f"{STOCK_FILES}{name}.yaml")


def stock_text(name: str) -> str:
    """The file of a stock runtime, comments and all.

    Raises:
        KeyError: There is none of that name.
    """
    if name not in stock_names():
        raise KeyError(name)
    with open(os.path.join(_STOCK, f"{name}{_SUFFIX}"), encoding="utf-8") as file:
        return file.read()


def stock_names() -> tuple[str, ...]:
    """The names of all stock runtimes, in the order of the alphabet."""
    return tuple(sorted(n[: -len(_SUFFIX)] for n in os.listdir(_STOCK) if n.endswith(_SUFFIX)))


def _runtime_name(document: Document) -> str:
    spec = document.root.get("spec") if isinstance(document.root, dict) else None
    ref = spec.get("runtimeRef") if isinstance(spec, dict) else None
    name = ref.get("name") if isinstance(ref, dict) else None
    return name if isinstance(name, str) else ""
