"""Drift that is none: fields of compiled objects that Kueue and the cluster write themselves.

Out: ``ignoreDifferences`` of an Argo CD Application, ``spec.ignore`` of a Flux Kustomization.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from trainc.plan.plan import Object

# What Kueue writes into a JobSet when it admits it, below each pod template.
_POD_SPEC: Final = ("nodeSelector", "schedulingGates", "tolerations")
_POD_METADATA: Final = ("annotations", "labels")


def argocd_ignore() -> dict[str, Any]:
    """The parts of an Application's spec; Kueue and the defaulting webhooks are left in peace."""
    template = ".spec.replicatedJobs[]?.template.spec.template"
    jobset = [
        ".spec.suspend",
        *(f"{template}.spec.{field}" for field in _POD_SPEC),
        *(f"{template}.metadata.{field}" for field in _POD_METADATA),
    ]
    patches = '.spec.runtimePatches[]? | select(.manager == "kueue.x-k8s.io/manager")'
    return {
        "ignoreDifferences": [
            {"group": "jobset.x-k8s.io", "kind": "JobSet", "jqPathExpressions": jobset},
            {
                "group": "trainer.kubeflow.org",
                "kind": "TrainJob",
                "jqPathExpressions": [".spec.suspend", patches],
            },
        ],
        "syncPolicy": {"syncOptions": ["RespectIgnoreDifferences=true", "ServerSideApply=true"]},
    }


def flux_ignore(objects: Iterable[Object]) -> dict[str, Any]:
    """``spec.ignore`` of a Kustomization. JSON pointers have no wildcard: one rule an object.

    Args:
        objects: What a build made; JobSets and TrainJobs of it are looked at.
    """
    rules = []
    for each in objects:
        manifest = each.manifest
        if manifest["kind"] not in ("JobSet", "TrainJob"):
            continue
        paths = ["/spec/suspend"]
        if manifest["kind"] == "JobSet":
            paths += _pointers(manifest)
        metadata = manifest["metadata"]
        target = {
            "group": manifest["apiVersion"].rpartition("/")[0],
            "kind": manifest["kind"],
            "name": f"^{metadata['name']}$",
            "namespace": f"^{metadata['namespace']}$",
        }
        rules.append({"paths": paths, "target": target})
    return {"ignore": rules}


def _pointers(manifest: Mapping[str, Any]) -> list[str]:
    found = []
    for index in range(len(manifest["spec"].get("replicatedJobs", ()))):
        template = f"/spec/replicatedJobs/{index}/template/spec/template"
        found += [f"{template}/spec/{field}" for field in _POD_SPEC]
        found += [f"{template}/metadata/{field}" for field in _POD_METADATA]
    return found
