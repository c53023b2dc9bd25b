"""The CustomResourceDefinitions of TrainJob and both runtimes.

In: nothing but the generated schemas. Out: manifests. Names and fields are Kubeflow Trainer's, so
they can be applied over the operator's and back; the printer columns are ours and tell the truth.
"""

from __future__ import annotations

from typing import Any, Final

from trainc.install.schema import open_api
from trainc.names import CLUSTER_TRAINING_RUNTIME, GROUP, TRAIN_JOB, TRAINING_RUNTIME

Json = dict[str, Any]

_VERSION: Final = "v1alpha1"
_AGE: Final = {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}
_COLUMNS: Final = [
    # The first condition that is True. The reference shows the last one, whatever it says: a
    # resumed job is "Suspended" there for the rest of its life.
    {
        "name": "State",
        "type": "string",
        "jsonPath": '.status.conditions[?(@.status=="True")].type',
    },
    {
        "name": "Progress",
        "type": "integer",
        "jsonPath": ".status.trainerStatus.progressPercentage",
    },
    {"name": "Runtime", "type": "string", "jsonPath": ".spec.runtimeRef.name"},
    _AGE,
]


def crds() -> list[Json]:
    """All three, in the order of their names."""
    return [
        _crd(CLUSTER_TRAINING_RUNTIME, "Cluster"),
        _crd(TRAINING_RUNTIME, "Namespaced"),
        _crd(TRAIN_JOB, "Namespaced"),
    ]


def _crd(kind: str, scope: str) -> Json:
    plural = f"{kind.lower()}s"
    version: Json = {
        "name": _VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": open_api(kind)},
    }
    if kind == TRAIN_JOB:
        version["additionalPrinterColumns"] = _COLUMNS
        version["subresources"] = {"status": {}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": plural,
                "singular": kind.lower(),
            },
            "scope": scope,
            "versions": [version],
        },
    }
