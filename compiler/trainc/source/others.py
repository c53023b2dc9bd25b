"""Documents that trainc does not compile: ``others: note|keep|refuse`` in ``trainc.yaml``.

In: a document of another kind. Out: whether it is kept, and what there is to say about it. A kept
one is printed as it is written: after the overlays, with the namespace of the project where it
names none.
"""

from __future__ import annotations

from typing import Final, Literal

from trainc import codes
from trainc.errors import Problem
from trainc.source.document import Document

Others = Literal["note", "keep", "refuse"]

_CONFIGURATION: Final = "kustomize.config.k8s.io/"  # read by kustomize, never by a cluster

# API group -> its kinds without a namespace.
_CLUSTER: Final = {
    "": {"Namespace", "Node", "PersistentVolume", "ComponentStatus"},
    "admissionregistration.k8s.io": {
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
    },
    "apiextensions.k8s.io": {"CustomResourceDefinition"},
    "apiregistration.k8s.io": {"APIService"},
    "certificates.k8s.io": {"CertificateSigningRequest", "ClusterTrustBundle"},
    "cert-manager.io": {"ClusterIssuer"},
    "external-secrets.io": {"ClusterExternalSecret", "ClusterSecretStore"},
    "flowcontrol.apiserver.k8s.io": {"FlowSchema", "PriorityLevelConfiguration"},
    "karpenter.sh": {"NodeClaim", "NodePool"},
    "kueue.x-k8s.io": {
        "AdmissionCheck",
        "ClusterQueue",
        "Cohort",
        "MultiKueueCluster",
        "MultiKueueConfig",
        "ProvisioningRequestConfig",
        "ResourceFlavor",
        "Topology",
        "WorkloadPriorityClass",
    },
    "networking.k8s.io": {"IngressClass", "IPAddress", "ServiceCIDR"},
    "node.k8s.io": {"RuntimeClass"},
    "rbac.authorization.k8s.io": {"ClusterRole", "ClusterRoleBinding"},
    "resource.k8s.io": {"DeviceClass", "DeviceTaintRule", "ResourceSlice"},
    "scheduling.k8s.io": {"PriorityClass"},
    "scheduling.volcano.sh": {"HyperNode", "Queue"},
    "storage.k8s.io": {
        "CSIDriver",
        "CSINode",
        "StorageClass",
        "VolumeAttachment",
        "VolumeAttributesClass",
    },
}


def has_namespace(api_version: str, kind: str) -> bool:
    """Whether objects of a kind stand in a namespace; a kind that is not known does."""
    return kind not in _CLUSTER.get(api_version.rpartition("/")[0], ())


def is_configuration(document: Document) -> bool:
    """Whether it is for kustomize, and none of a cluster's."""
    return document.api_version.startswith(_CONFIGURATION)


def refusal(document: Document, others: Others) -> Problem | None:
    """What is wrong with a document of another kind; None where it is kept."""
    if others == "refuse":
        return _problem(
            document,
            f"is no TrainJob and no runtime, but a {document.kind}",
            "others: keep prints it too; exclude: leaves the file out",
            "kind",
        )
    if not document.name:
        return _problem(document, "must be set", "what is kept has a name", "metadata.name")
    if document.kind == "Secret" and document.api_version == "v1" and "sops" not in document.root:
        return _problem(
            document,
            "a Secret is not printed",
            "encrypt it (Sealed Secrets, SOPS, External Secrets), or exclude its file",
            "kind",
        )
    return None


def _problem(document: Document, message: str, hint: str, field: str) -> Problem:
    mark = document.mark(tuple(field.split(".")))
    return Problem(message, codes.OTHER, mark, document.label, field, hint=hint)
