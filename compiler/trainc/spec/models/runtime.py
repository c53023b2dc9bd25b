"""A TrainingRuntime or ClusterTrainingRuntime (``trainer.kubeflow.org/v1alpha1``).

In: a mapping, as YAML gives it. Out: the runtime, with the CRD's defaults. Its template is a JobSet
and stays plain; the generated schema holds that tree.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from trainc.names import API_VERSION
from trainc.spec.models.metadata import ObjectMeta, TemplateMeta
from trainc.spec.models.value import ApiType, Int32, Int64, Name, NonEmpty, Plain, unique


class EnvInjectionTarget(ApiType):
    """``mlPolicy.torch.envInjection.targets[]``: who else gets the PET variables."""

    job_name: Name
    container_names: Annotated[
        list[Annotated[str, Field(max_length=63)]],
        Field(min_length=1, max_length=8),
        AfterValidator(unique()),
    ]


class EnvInjection(ApiType):
    """``mlPolicy.torch.envInjection``."""

    targets: Annotated[
        list[EnvInjectionTarget], Field(max_length=16), AfterValidator(unique("job_name"))
    ] = []


class TorchPolicy(ApiType):
    """``mlPolicy.torch`` (TorchMLPolicySource)."""

    env_injection: EnvInjection | None = None


class MpiPolicy(ApiType):
    """``mlPolicy.mpi`` (MPIMLPolicySource)."""

    num_proc_per_node: Int32 = 1
    mpi_implementation: Literal["OpenMPI", ""] = "OpenMPI"
    ssh_auth_mount_path: Annotated[str, Field(max_length=4096)] = "/root/.ssh"
    run_launcher_as_node: bool = False


class FluxPolicy(ApiType):
    """``mlPolicy.flux`` (FluxMLPolicySource)."""

    num_proc_per_node: Int32 = 1


class JaxPolicy(ApiType):
    """``mlPolicy.jax`` (JAXMLPolicySource): no settings."""


class XgboostPolicy(ApiType):
    """``mlPolicy.xgboost`` (XGBoostMLPolicySource): no settings."""


class MlPolicy(ApiType):
    """``spec.mlPolicy``; at most one policy is set (a rule, not a type)."""

    num_nodes: Int32 | None = None
    torch: TorchPolicy | None = None
    mpi: MpiPolicy | None = None
    flux: FluxPolicy | None = None
    jax: JaxPolicy | None = None
    xgboost: XgboostPolicy | None = None


class CoschedulingPolicy(ApiType):
    """``podGroupPolicy.coscheduling``; the timeout in seconds."""

    schedule_timeout_seconds: Int32 = 60


class NetworkTopology(ApiType):
    """``podGroupPolicy.volcano.networkTopology``."""

    mode: Literal["hard", "soft"] = "hard"
    highest_tier_allowed: Int64 = 1


class VolcanoPolicy(ApiType):
    """``podGroupPolicy.volcano``."""

    network_topology: NetworkTopology | None = None


class PodGroupPolicy(ApiType):
    """``spec.podGroupPolicy``."""

    coscheduling: CoschedulingPolicy | None = None
    volcano: VolcanoPolicy | None = None


class JobSetTemplate(NonEmpty):
    """``spec.template``: the JobSet to be (JobSetTemplateSpec)."""

    metadata: TemplateMeta | None = None
    spec: Plain | None = None


class TrainingRuntimeSpec(NonEmpty):
    """``spec`` of either kind of runtime."""

    ml_policy: MlPolicy | None = None
    pod_group_policy: PodGroupPolicy | None = None
    template: JobSetTemplate | None = None


class TrainingRuntime(ApiType):
    """A runtime for the jobs of its namespace."""

    api_version: Literal["trainer.kubeflow.org/v1alpha1"] = API_VERSION
    kind: Literal["TrainingRuntime"] = "TrainingRuntime"
    metadata: ObjectMeta
    spec: TrainingRuntimeSpec | None = None


class ClusterTrainingRuntime(ApiType):
    """A runtime for the jobs of all namespaces."""

    api_version: Literal["trainer.kubeflow.org/v1alpha1"] = API_VERSION
    kind: Literal["ClusterTrainingRuntime"] = "ClusterTrainingRuntime"
    metadata: ObjectMeta
    spec: TrainingRuntimeSpec | None = None
