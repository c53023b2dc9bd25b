"""The order of an object's fields: as the Go types of the Kubernetes API declare them.

In: the name of a Go type. Out: its fields in order, each with the type of what stands under it.
The pod, Job, JobSet and TrainJob types come from the generated ``kube/gotypes.json``; the few small
kinds a build prints besides them are written down here, in the same notation.
"""

from functools import cache
from typing import Final

from trainc.kube import gotypes

MAP: Final = "{}"  # a map whose keys are the user's: sorted
UNKNOWN: Final = ""  # no type is known: sorted

# Kind -> Go type, where they differ. PodGroup is one type for both schedulers: their orders agree.
_ROOTS: Final = {"ClusterTrainingRuntime": "TrainingRuntime"}

_SMALL: Final[dict[str, dict[str, str]]] = {
    "JobSet": {"metadata": "ObjectMeta", "spec": "JobSetSpec", "status": UNKNOWN},
    "ConfigMap": {"metadata": "ObjectMeta", "immutable": "", "data": MAP, "binaryData": MAP},
    "Secret": {
        "metadata": "ObjectMeta",
        "immutable": "",
        "data": MAP,
        "stringData": MAP,
        "type": "",
    },
    "ServiceAccount": {
        "metadata": "ObjectMeta",
        "secrets": "ObjectReference",
        "imagePullSecrets": "LocalObjectReference",
        "automountServiceAccountToken": "",
    },
    "ObjectReference": {"kind": "", "namespace": "", "name": "", "uid": "", "apiVersion": ""},
    "Role": {"metadata": "ObjectMeta", "rules": "PolicyRule"},
    "ClusterRole": {"metadata": "ObjectMeta", "rules": "PolicyRule", "aggregationRule": ""},
    "PolicyRule": dict.fromkeys(
        ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs"), ""
    ),
    "RoleBinding": {"metadata": "ObjectMeta", "subjects": "Subject", "roleRef": "RoleRef"},
    "ClusterRoleBinding": {"metadata": "ObjectMeta", "subjects": "Subject", "roleRef": "RoleRef"},
    "Subject": dict.fromkeys(("kind", "apiGroup", "name", "namespace"), ""),
    "RoleRef": dict.fromkeys(("apiGroup", "kind", "name"), ""),
    "PodGroup": {"metadata": "ObjectMeta", "spec": "PodGroupSpec", "status": UNKNOWN},
    "PodGroupSpec": {
        "minMember": "",
        "minTaskMember": MAP,
        "queue": "",
        "priorityClassName": "",
        "minResources": MAP,
        "scheduleTimeoutSeconds": "",
        "networkTopology": "NetworkTopology",
    },
    "NetworkTopology": {"mode": "", "highestTierAllowed": ""},
    "Service": {"metadata": "ObjectMeta", "spec": "ServiceSpec", "status": UNKNOWN},
    "ServiceSpec": {
        "ports": "ServicePort",
        "selector": MAP,
        "clusterIP": "",
        "clusterIPs": "",
        "type": "",
        "sessionAffinity": "",
        "publishNotReadyAddresses": "",
        "ipFamilies": "",
        "ipFamilyPolicy": "",
    },
    "ServicePort": dict.fromkeys(
        ("name", "protocol", "appProtocol", "port", "targetPort", "nodePort"), ""
    ),
    "LeaderWorkerSet": {
        "metadata": "ObjectMeta",
        "spec": "LeaderWorkerSetSpec",
        "status": UNKNOWN,
    },
    "LeaderWorkerSetSpec": {
        "replicas": "",
        "leaderWorkerTemplate": "LeaderWorkerTemplate",
        "rolloutStrategy": "",
        "startupPolicy": "",
        "networkConfig": "",
    },
    "LeaderWorkerTemplate": {
        "leaderTemplate": "PodTemplateSpec",
        "workerTemplate": "PodTemplateSpec",
        "size": "",
        "restartPolicy": "",
        "subGroupPolicy": "",
    },
}


def root_type(kind: str) -> str:
    """The Go type of an object of this kind; a kind that is not known has itself as type."""
    return _ROOTS.get(kind, kind)


@cache
def fields(type_name: str) -> dict[str, str]:
    """The fields of a Go type in the order of its declaration, each with the type under it.

    Every element of a list, and every value of a map, has the type its field names.
    A type that is not known has the three fields every object has.
    """
    declared = _SMALL.get(type_name) or _generated(type_name)
    if not declared:
        return {"apiVersion": "", "kind": "", "metadata": "ObjectMeta"}
    return {"apiVersion": "", "kind": ""} | declared if "metadata" in declared else declared


def _generated(type_name: str) -> dict[str, str]:
    try:
        declared = gotypes.fields(type_name)
    except KeyError:
        return {}
    return {name: _under(field.type) for name, field in declared.items()}


def _under(declared: str) -> str:
    """``[]Container`` -> ``Container``; ``{}str`` -> a user's map."""
    name = declared.lstrip("*[]")
    return MAP if name.startswith(MAP) else name
