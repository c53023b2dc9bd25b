"""A TrainJob as the rest of the compiler reads it: a frozen view of one checked document."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from trainc.errors import Mark
from trainc.source.document import Document

EnvVar = Mapping[str, Any]
Path = tuple[str | int, ...]


class Trainer(NamedTuple):
    """``spec.trainer``; None is "not set", which is not the same as empty."""

    image: str | None = None
    command: Sequence[str] | None = None
    args: Sequence[str] | None = None
    env: Sequence[EnvVar] = ()
    num_nodes: int | None = None
    resources: Mapping[str, Any] | None = None
    num_proc_per_node: int | None = None


class TrainJob(NamedTuple):
    """A TrainJob that the schema and the CEL rules admit.

    Attributes:
        document: Where it stands.
        name: ``metadata.name``.
        namespace: ``metadata.namespace``, or the build's default.
        spec: ``spec`` as written, with the CRD's defaults.
        trainer: ``spec.trainer``, or None where it is absent.
    """

    document: Document
    name: str
    namespace: str
    spec: Mapping[str, Any]
    trainer: Trainer | None

    @property
    def label(self) -> str:
        """``TrainJob/NAME``, as problems name it."""
        return f"TrainJob/{self.name}"

    @property
    def env(self) -> Sequence[EnvVar]:
        """The trainer's env as written."""
        return self.trainer.env if self.trainer else ()

    def mark(self, path: Path) -> Mark:
        """The place of a field, or of its nearest parent that is written down."""
        return self.document.mark(path)


def trainjob(document: Document, default_namespace: str) -> TrainJob:
    """Reads a document that has been checked and defaulted."""
    root = document.root
    metadata, spec = root["metadata"], root["spec"]
    trainer = spec.get("trainer")
    return TrainJob(
        document=document,
        name=metadata["name"],
        namespace=metadata.get("namespace") or default_namespace,
        spec=spec,
        trainer=None if trainer is None else _trainer(trainer),
    )


def _trainer(spec: Mapping[str, Any]) -> Trainer:
    get = spec.get
    return Trainer(
        image=get("image"),
        command=get("command"),
        args=get("args"),
        env=get("env") or (),
        num_nodes=get("numNodes"),
        resources=get("resourcesPerNode"),
        num_proc_per_node=get("numProcPerNode"),
    )
