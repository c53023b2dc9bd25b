"""The feature TrainJobStatus: the trainer learns where and how to report progress (KEP-2779)."""

from __future__ import annotations

from typing import Any, Final

from trainc import names
from trainc.info.info import Info
from trainc.info.podset import env_items

FEATURE: Final = "TrainJobStatus"

_VOLUME: Final = "kubeflow-trainer-token"
_DIR: Final = "/var/run/secrets/kubeflow/trainer"
_EXPIRATION_SECONDS: Final = 3600


def with_status(info: Info) -> Info:
    """Gives every container of the first trainer the server's address, its CA and a token.

    Source: ``pkg/runtime/framework/plugins/trainjobstatus`` of v2.3.0; controlplane facts 3.12.
    """
    if FEATURE not in info.spec.settings.features:
        return info
    info = info.with_secret(f"{info.name}{names.TLS_CONFIG_SUFFIX}", "ca")
    trainer = info.trainer
    if trainer is None:
        return info
    namespace = info.spec.job.namespace
    path = f"{names.API_VERSION}/namespaces/{namespace}/trainjobs/{info.name}/status"
    server = names.REFERENCE_STATUS_SERVER if _by_operator(info) else names.STATUS_SERVER
    env = env_items(
        {
            "KUBEFLOW_TRAINER_SERVER_URL": f"https://{server}/apis/{path}",
            "KUBEFLOW_TRAINER_SERVER_CA_CERT": f"{_DIR}/{names.CA_KEY}",
            "KUBEFLOW_TRAINER_SERVER_TOKEN": f"{_DIR}/token",
        }
    )
    mount = {"name": _VOLUME, "mountPath": _DIR, "readOnly": True}
    containers = tuple(c.with_env(env).with_mounts(mount) for c in trainer.containers)
    trainer = trainer._replace(containers=containers).with_volumes(_volume(info.name, path))
    return info.with_pod_set(trainer)


def _by_operator(info: Info) -> bool:
    return info.spec.compat.keeps("status-server")


def _volume(name: str, audience: str) -> dict[str, Any]:
    token = {
        "audience": audience,
        "expirationSeconds": _EXPIRATION_SECONDS,
        "path": "token",
    }
    authority = {
        "name": f"{name}{names.TLS_CONFIG_SUFFIX}",
        "items": [{"key": names.CA_KEY, "path": names.CA_KEY}],
    }
    sources = [{"serviceAccountToken": token}, {"configMap": authority}]
    return {"name": _VOLUME, "projected": {"sources": sources}}
