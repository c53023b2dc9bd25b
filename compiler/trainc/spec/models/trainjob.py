"""A TrainJob (``trainer.kubeflow.org/v1alpha1``).

In: a mapping, as YAML gives it: ``TrainJob.model_validate(mapping)``. Out: the job, with the CRD's
defaults; ``model_dump(by_alias=True, exclude_none=True)`` is the way back.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from trainc.names import API_VERSION, CLUSTER_TRAINING_RUNTIME, GROUP, MANAGED_BY
from trainc.spec.models.metadata import ObjectMeta
from trainc.spec.models.patch import EnvVars, LocalObjectReference, RuntimePatch
from trainc.spec.models.status import TrainJobStatus
from trainc.spec.models.value import (
    ApiType,
    Argument,
    Int32,
    Name,
    Quantities,
    integral,
    unique,
)


class RuntimeRef(ApiType):
    """``spec.runtimeRef``: the blueprint of the job."""

    name: Name
    api_group: Annotated[str, Field(max_length=253)] = GROUP
    kind: Annotated[str, Field(max_length=253)] = CLUSTER_TRAINING_RUNTIME


class InitializerSource(ApiType):
    """``spec.initializer.dataset`` and ``.model`` (DatasetInitializer, ModelInitializer).

    Attributes:
        storage_uri: Where from: ``hf://``, ``s3://`` ...; the scheme says what follows it.
        secret_ref: The Secret that the program gets as environment.
    """

    storage_uri: Annotated[str, Field(max_length=2048)] | None = None
    env: EnvVars = []
    secret_ref: LocalObjectReference | None = None


class Initializer(ApiType):
    """``spec.initializer``: what is fetched before training starts."""

    dataset: InitializerSource | None = None
    model: InitializerSource | None = None


class ResourceClaim(ApiType):
    """``resourcesPerNode.claims[]``."""

    name: str
    request: str | None = None


class ResourceRequirements(ApiType):
    """``spec.trainer.resourcesPerNode``: quantities as they are written."""

    limits: Quantities | None = None
    requests: Quantities | None = None
    claims: Annotated[list[ResourceClaim], AfterValidator(unique("name"))] = []


class Trainer(ApiType):
    """``spec.trainer``: what the job changes in the runtime's trainer.

    Attributes:
        command: None leaves the runtime's; an empty list clears it.
        args: Likewise.
        num_nodes: Pods.
        num_proc_per_node: Processes in each.
    """

    image: Annotated[str, Field(max_length=500)] | None = None
    command: Annotated[list[Argument], Field(max_length=128)] | None = None
    args: Annotated[list[Argument], Field(max_length=128)] | None = None
    env: EnvVars = []
    num_nodes: Int32 | None = None
    resources_per_node: ResourceRequirements | None = None
    num_proc_per_node: Int32 | None = None


class TrainJobSpec(ApiType):
    """``spec``.

    Attributes:
        active_deadline_seconds: Seconds after which the job fails; None is never.
        managed_by: The controller that runs the job.
        suspend: Whether no pod may run.
    """

    runtime_ref: RuntimeRef
    initializer: Initializer | None = None
    trainer: Trainer | None = None
    runtime_patches: Annotated[
        list[RuntimePatch], Field(max_length=16), AfterValidator(unique("manager"))
    ] = []
    suspend: bool = False
    active_deadline_seconds: (
        Annotated[int, BeforeValidator(integral), Field(ge=1, le=2**63 - 1)] | None
    ) = None
    managed_by: Annotated[str, Field(max_length=253)] = MANAGED_BY


class TrainJob(ApiType):
    """A TrainJob."""

    api_version: Literal["trainer.kubeflow.org/v1alpha1"] = API_VERSION
    kind: Literal["TrainJob"] = "TrainJob"
    metadata: ObjectMeta
    spec: TrainJobSpec
    status: TrainJobStatus | None = None
