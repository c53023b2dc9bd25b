"""``spec.runtimePatches``: what a TrainJob changes in its runtime's template.

In: what stands under the key. Out: ``RuntimePatch``. Names of the types are those of the Go API.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from trainc.spec.models.metadata import TemplateMeta
from trainc.spec.models.value import ApiType, Name, Plain, Strings, Time, integral, unique


class EnvVar(ApiType):
    """An environment variable; ``value_from`` as the Pod API has it."""

    name: str
    value: str | None = None
    value_from: Plain | None = None


EnvVars = Annotated[list[EnvVar], Field(max_length=128), AfterValidator(unique("name"))]


class VolumeMount(ApiType):
    """Where a container sees a volume."""

    name: str
    mount_path: str
    mount_propagation: str | None = None
    read_only: bool | None = None
    recursive_read_only: str | None = None
    sub_path: str | None = None
    sub_path_expr: str | None = None


class ContainerPatch(ApiType):
    """``containers[]`` and ``initContainers[]`` of a patch; nothing else can be patched."""

    name: Name
    env: EnvVars = []
    volume_mounts: Annotated[
        list[VolumeMount], Field(max_length=128), AfterValidator(unique("name"))
    ] = []
    security_context: Plain | None = None


Containers = Annotated[list[ContainerPatch], Field(max_length=64), AfterValidator(unique("name"))]


class LocalObjectReference(ApiType):
    """A Secret of the same namespace."""

    name: str = ""


class SchedulingGate(ApiType):
    """What a Pod waits for before it is scheduled."""

    name: str


class PodSpecPatch(ApiType):
    """``template.spec.template.spec`` of a patched job."""

    service_account_name: Annotated[str, Field(max_length=253)] | None = None
    volumes: Annotated[list[Plain], Field(max_length=128)] = []
    init_containers: Containers = []
    containers: Containers = []
    image_pull_secrets: Annotated[
        list[LocalObjectReference], Field(max_length=64), AfterValidator(unique("name"))
    ] = []
    security_context: Plain | None = None
    node_selector: Strings | None = None
    affinity: Plain | None = None
    tolerations: Annotated[list[Plain], Field(max_length=128)] = []
    scheduling_gates: Annotated[
        list[SchedulingGate], Field(max_length=16), AfterValidator(unique("name"))
    ] = []
    termination_grace_period_seconds: (
        Annotated[int, BeforeValidator(integral), Field(ge=0, le=2**63 - 1)] | None
    ) = None


class PodTemplatePatch(ApiType):
    """``template.spec.template`` of a patched job."""

    metadata: TemplateMeta | None = None
    spec: PodSpecPatch | None = None


class JobSpecPatch(ApiType):
    """``template.spec`` of a patched job."""

    template: PodTemplatePatch | None = None


class JobTemplatePatch(ApiType):
    """``template`` of a patched job."""

    metadata: TemplateMeta | None = None
    spec: JobSpecPatch | None = None


class ReplicatedJobPatch(ApiType):
    """``spec.replicatedJobs[]`` of a patch, found by name."""

    name: Name
    template: JobTemplatePatch | None = None


class JobSetSpecPatch(ApiType):
    """``spec`` of the patched JobSet template."""

    replicated_jobs: Annotated[
        list[ReplicatedJobPatch], Field(max_length=100), AfterValidator(unique("name"))
    ] = []


class JobSetTemplatePatch(ApiType):
    """``template`` of a patch."""

    metadata: TemplateMeta | None = None
    spec: JobSetSpecPatch | None = None


class TrainingRuntimeSpecPatch(ApiType):
    """``trainingRuntimeSpec`` of a patch."""

    template: JobSetTemplatePatch | None = None


class RuntimePatch(ApiType):
    """``spec.runtimePatches[]``: the changes of one manager.

    Attributes:
        manager: Who makes them: ``domain/path``.
        time: When; set by the cluster, not used by a build.
    """

    manager: Name
    time: Time | None = None
    training_runtime_spec: TrainingRuntimeSpecPatch | None = None
