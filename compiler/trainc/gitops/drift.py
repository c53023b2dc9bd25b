"""Drift that is none: fields of compiled objects that Kueue and the cluster write themselves.

Out: ``ignoreDifferences`` of an Argo CD Application, ``spec.ignore`` of a Flux Kustomization.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from trainc import names
from trainc.plan.plan import Object
from trainc.plan.queue import PLACEMENT

# What Kueue writes into a JobSet when it admits it, below each pod template.
_POD_SPEC: Final = ("nodeSelector", "schedulingGates", "tolerations")
_POD_METADATA: Final = ("annotations", "labels")


def argocd_ignore() -> dict[str, Any]:
    """The parts of an Application's spec by which Kueue and Argo CD get on.

    Two fields of a queued JobSet, to which Kueue adds, count as no drift. They are not copied into
    what is applied (RespectIgnoreDifferences): a path inside a list would take the whole list along
    and bring back what ran before. Nothing else that Kueue writes is printed, so that server-side
    apply sees no difference.
    """
    queued = f'select(.metadata.labels["{names.QUEUE_LABEL}"])'
    template = ".spec.replicatedJobs[]?.template.spec.template"
    paths = [f"{queued} | {template}.spec.{field}" for field in PLACEMENT]
    return {
        "ignoreDifferences": [
            {"group": "jobset.x-k8s.io", "kind": "JobSet", "jqPathExpressions": paths}
        ],
        "syncPolicy": {"syncOptions": ["ApplyOutOfSyncOnly=true", "ServerSideApply=true"]},
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
