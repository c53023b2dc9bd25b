"""Fields of TrainJobs and runtimes that Trainer 2.0 to 2.2 had, and what takes their place.

Source: kubeflow/trainer#3309 (runtimePatches) and #3239 (numProcPerNode). Read where the schema has
refused a field, so that the refusal names the command that rewrites it.
"""

from __future__ import annotations

from typing import Final

from trainc.source.document import Document

Path = tuple[str | int, ...]

_WORDS: Final = ("auto", "cpu", "gpu")
_PATCHES: Final = "runtimePatches took its place in Trainer 2.2: {} rewrites it"
_METADATA: Final = (
    "write it as metadata of a template in runtimePatches, from where it reaches the JobSet: "
    "{} does"
)
_HINTS: Final[dict[Path, str]] = {
    ("spec", "podTemplateOverrides"): _PATCHES,
    ("spec", "podSpecOverrides"): _PATCHES,
    ("spec", "labels"): _METADATA,
    ("spec", "annotations"): _METADATA,
}
_PROCESSES: Final = ("spec", "trainer", "numProcPerNode")
_RUNTIME_PROCESSES: Final = ("spec", "mlPolicy", "torch", "numProcPerNode")
_ELASTIC: Final = ("spec", "mlPolicy", "torch", "elasticPolicy")


def former_hint(document: Document, path: Path) -> str:
    """What takes the place of a field that a former release had; empty where none had it.

    Args:
        document: A TrainJob or a runtime.
        path: The field that the schema refuses.
    """
    command = f"`trainc migrate {_file(document)}`"
    if path in _HINTS:
        return _HINTS[path].format(command)
    if path == _PROCESSES and _value(document, path) in _WORDS:
        return f"leave it out, auto is the default: {command} does"
    if path == _RUNTIME_PROCESSES:
        if _value(document, path) in _WORDS:
            return f"leave it out, it is gone since Trainer 2.2: {command} does"
        return f"a number is the TrainJob's, in spec.trainer.numProcPerNode: {command} moves it"
    if path == _ELASTIC:
        command = command.replace("migrate", "migrate --fixed-nodes", 1)
        return f"it never acted, and is gone since Trainer 2.2: {command} leaves it out"
    return ""


def _file(document: Document) -> str:
    """The document's file as the command takes it."""
    if document.text is not None or " " in document.file:
        return "FILE"
    return "-" if document.file.startswith("<") else document.file


def _value(document: Document, path: Path) -> object:
    node = document.root
    for step in path:
        node = node.get(step) if isinstance(node, dict) else None
    return node
