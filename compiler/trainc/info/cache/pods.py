"""The pods of a data cache, head and workers, placed as the initializer is that asks for them.

In: the initializer. Out: pod templates. What a runtime (or a runtime patch) says of the
initializer's pod holds for the cache: node selector, tolerations, affinity, pull secrets, its
variables, the volumes that it mounts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from trainc import names
from trainc.info.cache.settings import SHAPING, Asked, Settings
from trainc.info.podset import env_items
from trainc.kube.upsert import upsert

Manifest = dict[str, Any]

# Fields of the initializer's pod that the cache's pods take over.
_PLACEMENT: Final = (
    "nodeSelector", "affinity", "tolerations", "imagePullSecrets", "priorityClassName",
    "runtimeClassName", "schedulerName", "hostAliases", "dnsPolicy", "dnsConfig",
    "securityContext",
)  # fmt: skip
# Variables that only the initializer's wait reads, and those that the manifests settle themselves.
_LEFT_OUT: Final = frozenset(
    (
        names.CACHE_HEAD_ENV,
        names.TRAIN_JOB_NAME_ENV,
        names.CACHE_ADDRESS_ENV,
        names.CACHE_WORKERS_ENV,
        names.CACHE_INSECURE_ENV,
        names.HEALTH_PORT_ENV,
        names.RUNTIME_ENV,
        names.LWS_LEADER_ADDRESS_ENV,
        names.LWS_GROUP_SIZE_ENV,
    )
)
_USER: Final = 65532  # "nonroot" of distroless images; any number but 0 would do
_POD_SECURITY: Final = {
    "runAsNonRoot": True,
    "runAsUser": _USER,
    "runAsGroup": _USER,
    "fsGroup": _USER,
    "seccompProfile": {"type": "RuntimeDefault"},
}
_SECURITY: Final = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
_AUTH: Final = "cache-auth"
_SPILL: Final = "cache-rows"
_TMP: Final = "cache-tmp"
_ALIVE_PERIOD: Final = 20  # seconds; alive is said by a thread that never loads
_ALIVE_FAILURES: Final = 6


class Access(NamedTuple):
    """Who the pods are.

    Attributes:
        group: Name of the LeaderWorkerSet.
        account: Their service account.
        secret: The Secret with certificate, key and token; empty where there is none.
    """

    group: str
    account: str
    secret: str


def head(asked: Asked, settings: Settings, access: Access) -> Manifest:
    """The pod template of the head."""
    amounts = settings.amounts
    resources = _resources(amounts["HEAD_CPU"], amounts["HEAD_MEM"])
    container = _container(asked, settings, access, names.CACHE_HEAD, resources)
    return _template(asked, settings, access, names.CACHE_HEAD, container, [])


def worker(asked: Asked, settings: Settings, access: Access) -> Manifest:
    """The pod template of a worker: the head's, and a disk for its rows."""
    amounts = settings.amounts
    disk = amounts.get("WORKER_DISK")
    resources = _resources(amounts["WORKER_CPU"], amounts["WORKER_MEM"], disk)
    container = _container(asked, settings, access, names.CACHE_WORKER, resources)
    mount = {"name": _SPILL, "mountPath": names.CACHE_SPILL_PATH}
    container["volumeMounts"] = [*container["volumeMounts"], mount]
    spill = env_items({names.CACHE_SPILL_ENV: names.CACHE_SPILL_PATH})
    container["env"] = list(upsert(tuple(container["env"]), spill, "name"))
    volume = {"name": _SPILL, "emptyDir": {"sizeLimit": disk} if disk else {}}
    return _template(asked, settings, access, names.CACHE_WORKER, container, [volume])


def auth_volume(name: str, secret: str, *keys: str, mode: int) -> Manifest:
    """A volume with these keys of the cache's Secret."""
    items = [{"key": key, "path": key} for key in keys]
    source = {"secretName": secret, "items": items, "defaultMode": mode}
    return {"name": name, "secret": source}


def _resources(cpu: str, memory: str, disk: str | None = None) -> Manifest:
    amounts = {"cpu": cpu, "memory": memory}
    if disk:
        amounts["ephemeral-storage"] = disk
    return {"limits": amounts, "requests": amounts}


def _container(
    asked: Asked, settings: Settings, access: Access, role: str, resources: Manifest
) -> Manifest:
    own = asked.container
    out: Manifest = {
        "name": role,
        "image": settings.texts.get("CACHE_IMAGE", ""),
        "command": list(names.CACHE_COMMAND),
        "args": [role, "0.0.0.0", str(names.CACHE_PORT)],  # noqa: S104 - a pod's own address
        "ports": [
            {"name": "grpc", "containerPort": names.CACHE_PORT, "protocol": "TCP"},
            {"name": "health", "containerPort": names.CACHE_READY_PORT, "protocol": "TCP"},
        ],
        "env": _env(asked, access),
        "resources": resources,
        "volumeMounts": [*_mounts(asked, access)],
        **_probes(settings, "HTTPS" if access.secret else "HTTP"),
        "securityContext": own.raw.get("securityContext") or _SECURITY,
    }
    if own.env_from:
        out["envFrom"] = list(own.env_from)
    if own.raw.get("imagePullPolicy"):
        out["imagePullPolicy"] = own.raw["imagePullPolicy"]
    return out


def _env(asked: Asked, access: Access) -> list[Mapping[str, Any]]:
    """The initializer's variables, without those that shaped the manifests, and ours."""
    kept = tuple(i for i in asked.container.env if i["name"] not in SHAPING | _LEFT_OUT)
    ours: dict[str, str] = {}
    if asked.uri.startswith("cache://"):
        schema, table = asked.uri.removeprefix("cache://").split("/")
        ours = {names.SCHEMA_NAME_ENV: schema, names.TABLE_NAME_ENV: table}
    if access.secret:
        ours |= {
            env: f"{names.CACHE_AUTH_PATH}/{key}"
            for env, key in (
                (names.CACHE_CERT_ENV, names.CACHE_CERT_KEY),
                (names.CACHE_PRIVATE_KEY_ENV, names.CACHE_PRIVATE_KEY),
                (names.CACHE_CA_ENV, names.CA_KEY),
                (names.CACHE_TOKEN_ENV, names.CACHE_TOKEN_KEY),
            )
        }
    else:
        ours[names.CACHE_INSECURE_ENV] = "true"
    return list(upsert(kept, env_items(ours), "name"))


def _mounts(asked: Asked, access: Access) -> Iterator[Manifest]:
    """What the initializer mounts, its workspace aside; the Secret; room for temporary files."""
    volumes = {volume["name"] for volume in _volumes(asked)}
    yield from (dict(m) for m in asked.container.mounts if m["name"] in volumes)
    if access.secret:
        yield {"name": _AUTH, "mountPath": names.CACHE_AUTH_PATH, "readOnly": True}
    yield {"name": _TMP, "mountPath": "/tmp"}  # noqa: S108 - the root file system is read-only


def _volumes(asked: Asked) -> list[Mapping[str, Any]]:
    """The initializer's volumes that hold something."""
    return [
        volume
        for volume in asked.pod_set.volumes
        if "emptyDir" not in volume and volume["name"] != names.INITIALIZER_VOLUME
    ]


def _probes(settings: Settings, scheme: str) -> Manifest:
    def ask(path: str) -> Manifest:
        return {"httpGet": {"path": path, "port": "health", "scheme": scheme}}

    counts = settings.counts
    ready = {
        **ask(names.CACHE_READY_PATH),
        "initialDelaySeconds": counts["READINESS_INITIAL_DELAY_SECONDS"],
        "timeoutSeconds": counts["READINESS_TIMEOUT_SECONDS"],
        "periodSeconds": counts["READINESS_PERIOD_SECONDS"],
        "failureThreshold": counts["READINESS_FAILURE_THRESHOLD"],
    }
    alive = {
        **ask(names.CACHE_ALIVE_PATH),
        "timeoutSeconds": 10,
        "periodSeconds": _ALIVE_PERIOD,
        "failureThreshold": _ALIVE_FAILURES,
    }
    return {"readinessProbe": ready, "livenessProbe": alive}


def _template(
    asked: Asked,
    settings: Settings,
    access: Access,
    role: str,
    container: Manifest,
    more: list[Manifest],
) -> Manifest:
    pod, metadata = asked.pod_set.pod, _pod_metadata(asked)
    labels = {
        **metadata.get("labels", {}),
        names.CACHE_LABEL: access.group,
        names.CACHE_ROLE_LABEL: role,
    }
    if settings.texts.get("AZURE_CLIENT_ID"):
        labels["azure.workload.identity/use"] = "true"
    spec: Manifest = {
        "serviceAccountName": access.account,
        "automountServiceAccountToken": False,
        "securityContext": _POD_SECURITY,
        "topologySpreadConstraints": [_spread(access.group)],
        **{field: pod[field] for field in _PLACEMENT if pod.get(field)},
        "containers": [container],
        "volumes": [*_volumes(asked), *_own_volumes(access), *more],
    }
    return {"metadata": {**metadata, "labels": labels}, "spec": spec}


def _pod_metadata(asked: Asked) -> Manifest:
    """Labels and annotations of the initializer's pods."""
    metadata = asked.pod_set.raw["template"]["spec"]["template"].get("metadata") or {}
    return {key: metadata[key] for key in ("labels", "annotations") if metadata.get(key)}


def _own_volumes(access: Access) -> Iterator[Manifest]:
    if access.secret:
        keys = (names.CACHE_CERT_KEY, names.CACHE_PRIVATE_KEY, names.CA_KEY, names.CACHE_TOKEN_KEY)
        yield auth_volume(_AUTH, access.secret, *keys, mode=0o440)
    yield {"name": _TMP, "emptyDir": {}}


def _spread(group: str) -> Manifest:
    """Each pod on another node, where there are enough: they share the network otherwise."""
    return {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {names.CACHE_LABEL: group}},
    }
