"""Paths of the kinds the controller talks about, on the API server."""

from __future__ import annotations

TRAIN_JOBS = ("/apis/trainer.kubeflow.org/v1alpha1", "trainjobs")
JOB_SETS = ("/apis/jobset.x-k8s.io/v1alpha2", "jobsets")
LEADER_WORKER_SETS = ("/apis/leaderworkerset.x-k8s.io/v1", "leaderworkersets")
SECRETS = ("/api/v1", "secrets")
CONFIG_MAPS = ("/api/v1", "configmaps")
EVENTS = ("/api/v1", "events")
PODS = ("/api/v1", "pods")
RUNTIMES = ("/apis/trainer.kubeflow.org/v1alpha1", "trainingruntimes")
CLUSTER_RUNTIMES = ("/apis/trainer.kubeflow.org/v1alpha1", "clustertrainingruntimes")
LEASES = ("/apis/coordination.k8s.io/v1", "leases")
# Of the versions of Kueue's API, the newest first: before v0.15 there was v1beta1 alone.
WORKLOADS = (
    ("/apis/kueue.x-k8s.io/v1beta2", "workloads"),
    ("/apis/kueue.x-k8s.io/v1beta1", "workloads"),
)
TOKEN_REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"

Kind = tuple[str, str]


def collection(kind: Kind, namespace: str = "") -> str:
    """All objects of a kind, of one namespace or of all."""
    root, plural = kind
    return f"{root}/namespaces/{namespace}/{plural}" if namespace else f"{root}/{plural}"


def item(kind: Kind, namespace: str, name: str, subresource: str = "") -> str:
    """One object, or a subresource of it."""
    path = f"{collection(kind, namespace)}/{name}"
    return f"{path}/{subresource}" if subresource else path
