"""Drift that is none: fields of compiled objects that Kueue and the cluster write themselves.

Out: ``ignoreDifferences`` of an Argo CD Application, ``spec.ignore`` of a Flux Kustomization.
"""

from __future__ import annotations

from typing import Any

from trainc import names
from trainc.plan.queue import PLACEMENT


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


def flux_ignore() -> dict[str, Any]:
    """``spec.ignore`` of a Kustomization: Kueue alone suspends and resumes a queued JobSet.

    A rule of the kind, so that it never goes stale. JSON pointers have no wildcard, so placement
    below ``replicatedJobs`` is not in it: ``TRC421`` is the report of a job that sets it.
    """
    target = {"group": "jobset.x-k8s.io", "kind": "JobSet", "labelSelector": names.QUEUE_LABEL}
    return {"ignore": [{"paths": ["/spec/suspend"], "target": target}]}
