"""A TrainingRuntime or ClusterTrainingRuntime: a frozen view, and the template it expands to."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from trainc import names
from trainc.kube.gotypes import normalise
from trainc.source.document import Document


class Template:
    """A JobSet template after patches: what the pod sets of a job are made from.

    Compared and hashed by identity, so that work done once for a template serves all jobs that use
    it unpatched.

    Attributes:
        spec: The JobSet spec as a typed round trip prints it. Never changed.
        labels: Labels for the JobSet.
        annotations: Annotations for the JobSet.
    """

    __slots__ = ("annotations", "labels", "spec")

    def __init__(
        self, spec: Mapping[str, Any], labels: Mapping[str, str], annotations: Mapping[str, str]
    ) -> None:
        """Holds the three parts as given."""
        self.spec = spec
        self.labels = labels
        self.annotations = annotations

    @property
    def jobs(self) -> list[dict[str, Any]]:
        """The replicated jobs, in order."""
        jobs: list[dict[str, Any]] = self.spec.get("replicatedJobs", [])
        return jobs


class Runtime(NamedTuple):
    """A runtime that the schema and the CEL rules admit.

    Attributes:
        document: Where it stands.
        kind: ``TrainingRuntime`` or ``ClusterTrainingRuntime``.
        name: ``metadata.name``.
        namespace: The namespace of a TrainingRuntime, empty for a ClusterTrainingRuntime.
        ml_policy: ``spec.mlPolicy``, or None where it is absent.
        pod_group_policy: ``spec.podGroupPolicy``; empty where it is absent.
        template: The template before any patch.
    """

    document: Document
    kind: str
    name: str
    namespace: str
    ml_policy: Mapping[str, Any] | None
    pod_group_policy: Mapping[str, Any]
    template: Template

    @property
    def label(self) -> str:
        """``Kind/name``, as problems name it."""
        return f"{self.kind}/{self.name}"

    @property
    def deprecated(self) -> bool:
        """Whether its owner has marked it so; upstream knows this of cluster runtimes only."""
        labels = self.document.root["metadata"].get("labels") or {}
        return (
            self.kind == names.CLUSTER_TRAINING_RUNTIME
            and labels.get(names.SUPPORT) == "deprecated"
        )


def runtime(document: Document, default_namespace: str, *, keep_zero_replicas: bool) -> Runtime:
    """Reads a document that has been checked and defaulted.

    Args:
        document: The runtime.
        default_namespace: Where a TrainingRuntime without a namespace lives.
        keep_zero_replicas: Whether ``replicas: 0`` survives the typed round trip.
    """
    metadata, spec = document.root["metadata"], document.root.get("spec") or {}
    cluster = document.kind == names.CLUSTER_TRAINING_RUNTIME
    return Runtime(
        document=document,
        kind=document.kind,
        name=metadata["name"],
        namespace="" if cluster else metadata.get("namespace") or default_namespace,
        ml_policy=spec.get("mlPolicy"),
        pod_group_policy=spec.get("podGroupPolicy") or {},
        template=_template(spec.get("template") or {}, keep_zero_replicas),
    )


def _template(written: Mapping[str, Any], keep_zero_replicas: bool) -> Template:
    metadata = written.get("metadata") or {}
    given = written.get("spec") or {}
    spec = normalise(given, "JobSetSpec")
    if keep_zero_replicas:
        jobs = spec.get("replicatedJobs", ())
        for raw, job in zip(given.get("replicatedJobs", ()), jobs, strict=True):
            if raw.get("replicas") == 0:
                job["replicas"] = 0
    return Template(spec, metadata.get("labels") or {}, metadata.get("annotations") or {})
