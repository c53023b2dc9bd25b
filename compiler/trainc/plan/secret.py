"""Fresh Secrets for ``--secrets inline``: the one thing a build makes that no file determines."""

from __future__ import annotations

from typing import Any

from trainc.info.info import SecretRequest
from trainc.names import CACHE_AUTH_SUFFIX


def secret(request: SecretRequest, job: str, namespace: str) -> dict[str, Any]:
    """A Secret with a key made this moment.

    Args:
        request: Which one.
        job: Name of the job it is for.
        namespace: Where the job runs.

    Raises:
        ValueError: The request is of a kind that no manifest can hold.
    """
    from trainc.kube.keys import curve_certificate, ssh_key_pair  # 4 ms, seldom wanted

    if request.kind == "ssh":
        private, public = ssh_key_pair()
        return {
            **_object(request.name),
            "type": "kubernetes.io/ssh-auth",
            "immutable": True,
            "stringData": {"ssh-privatekey": private, "ssh-publickey": public},
        }
    if request.kind == "curve":
        return {**_object(request.name), "stringData": {"curve.cert": curve_certificate(job)}}
    if request.kind == "cache-auth":
        name = request.name.removesuffix(CACHE_AUTH_SUFFIX)
        return {**_object(request.name), "stringData": _cache_auth(name, namespace)}
    raise ValueError(f"no Secret of kind {request.kind} can be made here")


def _cache_auth(name: str, namespace: str) -> dict[str, str]:
    from datetime import UTC, datetime

    from trainc.kube.cacheauth import cache_auth

    return cache_auth(name, namespace, datetime.now(UTC))


def _object(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}}
