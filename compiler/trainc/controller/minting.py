"""Which Secrets and ConfigMaps a JobSet still wants, and what they hold.

In: a JobSet's view. Out: whether to ask again, and manifests. The controller cannot read Secrets,
so it asks by creating: ``AlreadyExists`` means done. One that belongs to an old JobSet of the same
name may be collected at any time, so it asks again for as long as the job is not running.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime

from trainc.controller.annotation import AUTHORITY, CURVE, SSH, Minted
from trainc.controller.view import JobSetView, Json, owned_by
from trainc.kube.cacheauth import cache_auth
from trainc.kube.keys import curve_certificate, ssh_key_pair
from trainc.names import (
    CA_KEY,
    CACHE_AUTH_SUFFIX,
    CACHE_LABEL,
    JOBSET_API_VERSION,
    LWS_API_VERSION,
    MANAGED_BY_LABEL,
    TRAINC,
    TRAINJOB_LABEL,
)


def wants_minting(jobset: JobSetView) -> bool:
    """Whether some pod of the JobSet may still wait for what it mounts.

    Counts are of Jobs: a Job is ready once all its pods run, and a pod runs only with its volumes.
    """
    if jobset.note is None or not jobset.note.secrets:
        return False
    waiting = any(each.get("active") and not each.get("ready") for each in jobset.jobs)
    begun = any(each.get("ready") or each.get("succeeded") for each in jobset.jobs)
    return waiting or not begun


def manifest(
    minted: Minted, jobset: JobSetView, authority: str, now: datetime, group: Json | None = None
) -> Json | None:
    """The object to create, owned by the JobSet; None where its content is not known here.

    Args:
        minted: Which one.
        jobset: Whose.
        authority: PEM of the CA of the progress server, empty where it does not run.
        now: The present time, for certificates.
        group: The LeaderWorkerSet of a cache that several jobs use, which then owns its Secret.
    """
    if minted.kind == AUTHORITY:
        if not authority:
            return None
        return {**_head("ConfigMap", minted, jobset), "data": {CA_KEY: authority}}
    secret = _head("Secret", minted, jobset, group)
    if minted.kind == SSH:
        # Type and immutability as in the reference (controlplane.md 3.7).
        secret |= {"type": "kubernetes.io/ssh-auth", "immutable": True}
    return {**secret, "data": _encoded(_material(minted, jobset, now))}


def _material(minted: Minted, jobset: JobSetView, now: datetime) -> Mapping[str, str]:
    if minted.kind == SSH:
        private, public = ssh_key_pair()
        return {"ssh-privatekey": private, "ssh-publickey": public}
    if minted.kind == CURVE:
        return {"curve.cert": curve_certificate(jobset.name)}
    name = minted.name.removesuffix(CACHE_AUTH_SUFFIX)
    return cache_auth(name, jobset.namespace, now)


def _head(kind: str, minted: Minted, jobset: JobSetView, group: Json | None = None) -> Json:
    owner = owned_by(JOBSET_API_VERSION, "JobSet", jobset.name, jobset.uid)
    labels = {MANAGED_BY_LABEL: TRAINC, TRAINJOB_LABEL: jobset.name}
    if group is not None:
        theirs = group["metadata"]
        owner = owned_by(LWS_API_VERSION, "LeaderWorkerSet", theirs["name"], theirs["uid"])
        labels = {MANAGED_BY_LABEL: TRAINC, CACHE_LABEL: theirs["name"]}
    metadata = {
        "name": minted.name,
        "namespace": jobset.namespace,
        "labels": labels,
        **owner,
    }
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata}


def _encoded(material: Mapping[str, str]) -> dict[str, str]:
    return {key: base64.b64encode(text.encode()).decode() for key, text in material.items()}
