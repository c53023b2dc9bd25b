"""The objects of a data cache: ServiceAccount, Role, RoleBinding, Service, LeaderWorkerSet.

In: what the initializer asks for. Out: manifests without a namespace. One group of a
LeaderWorkerSet is the cache: its leader is the head, the other pods are the workers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from trainc import names
from trainc.info.cache.pods import Access, head, worker
from trainc.info.cache.settings import Asked, Settings

Manifest = dict[str, Any]

_RBAC: Final = "rbac.authorization.k8s.io"
# What clouds call the annotation that lends a service account an identity of theirs.
_IDENTITIES: Final = {
    "IAM_ROLE": "eks.amazonaws.com/role-arn",
    "GCP_SERVICE_ACCOUNT": "iam.gke.io/gcp-service-account",
    "AZURE_CLIENT_ID": "azure.workload.identity/client-id",
}
_REGIONAL: Final = {"eks.amazonaws.com/sts-regional-endpoints": "true"}


class Cache(NamedTuple):
    """A cache that is to be printed.

    Attributes:
        name: What its objects are called after: the job, or its own content.
        asked: The initializer that asks for it.
        settings: How large it is, and what it may do.
        insecure: Whether it has neither TLS nor a token.
    """

    name: str
    asked: Asked
    settings: Settings
    insecure: bool

    @property
    def group(self) -> str:
        """The name of its LeaderWorkerSet, which is its subdomain and its service account too."""
        return self.name + names.CACHE_SUFFIX

    @property
    def service(self) -> str:
        """The host name of its head."""
        return self.name + names.CACHE_SERVICE_SUFFIX

    @property
    def secret(self) -> str:
        """The name of its Secret, empty where it is insecure."""
        return "" if self.insecure else self.name + names.CACHE_AUTH_SUFFIX

    @property
    def account(self) -> str:
        """The service account its pods run as."""
        return self.settings.texts.get("CACHE_SERVICE_ACCOUNT") or self.group


def objects(cache: Cache) -> Iterator[Manifest]:
    """The cache's objects, each labelled with the cache's name."""
    if cache.account == cache.group:
        yield _account(cache)
        yield from _rights(cache)
    yield _service(cache)
    yield _group(cache)


def _metadata(cache: Cache, name: str, annotations: dict[str, str] | None = None) -> Manifest:
    out: Manifest = {"name": name, "labels": {names.CACHE_LABEL: cache.group}}
    return out | ({"annotations": annotations} if annotations else {})


def _account(cache: Cache) -> Manifest:
    texts = cache.settings.texts
    annotations = {key: texts[env] for env, key in _IDENTITIES.items() if texts.get(env)}
    if texts.get("IAM_ROLE"):
        annotations |= _REGIONAL
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": _metadata(cache, cache.group, annotations),
        "automountServiceAccountToken": False,
    }


def _rights(cache: Cache) -> Iterator[Manifest]:
    """None at all, said so: no part of a cache talks to the API server."""
    metadata = _metadata(cache, cache.group)
    yield {"apiVersion": f"{_RBAC}/v1", "kind": "Role", "metadata": metadata, "rules": []}
    yield {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": metadata,
        "subjects": [{"kind": "ServiceAccount", "name": cache.group}],
        "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": cache.group},
    }


def _service(cache: Cache) -> Manifest:
    ports = [
        {"name": name, "protocol": "TCP", "port": port, "targetPort": name}
        for name, port in (("grpc", names.CACHE_PORT), ("health", names.CACHE_READY_PORT))
    ]
    spec = {
        "ports": ports,
        "selector": {names.CACHE_LABEL: cache.group, names.CACHE_ROLE_LABEL: names.CACHE_HEAD},
        # A head that is not ready says why; nobody at all says nothing.
        "publishNotReadyAddresses": True,
    }
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(cache, cache.service),
        "spec": spec,
    }


def _group(cache: Cache) -> Manifest:
    """The LeaderWorkerSet. ``replicas`` is left out: the controller sets 0 when the job is over."""
    access = Access(cache.group, cache.account, cache.secret)
    template = {
        "leaderTemplate": head(cache.asked, cache.settings, access),
        "workerTemplate": worker(cache.asked, cache.settings, access),
        "size": cache.settings.counts["CLUSTER_SIZE"],
        # By default one container's restart makes all pods anew, and all rows are read again.
        "restartPolicy": "None",
    }
    return {
        "apiVersion": names.LWS_API_VERSION,
        "kind": "LeaderWorkerSet",
        "metadata": _metadata(cache, cache.group),
        "spec": {"leaderWorkerTemplate": template},
    }
