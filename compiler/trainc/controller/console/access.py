"""The way to the cluster of whoever sits at the terminal: kubeconfig, context and namespace."""

from __future__ import annotations

import kubernetes
from kubernetes.config import kube_config

from trainc import codes
from trainc.controller.api import Api, ApiError
from trainc.controller.main import client, is_pods_own, own_namespace
from trainc.errors import Problem, TraincError
from trainc.names import TRAINC


def access(kubeconfig: str | None, context: str | None) -> tuple[Api, str]:
    """The API, and the namespace that is meant where none is named.

    Raises:
        TraincError: if there are no credentials.
    """
    try:
        api = Api(client(kubeconfig, context, pool=4), manager=TRAINC)
        if is_pods_own(kubeconfig, context):
            return api, own_namespace() or "default"
        return api, _namespace(kubeconfig, context)
    except kubernetes.config.ConfigException as error:
        hint = "give --kubeconfig or --context, or set KUBECONFIG"
        raise TraincError(
            [Problem(f"no credentials: {error}", codes.CLUSTER, hint=hint)]
        ) from error


def refusal(error: ApiError) -> Problem:
    """What stood in the way, as the user may mend it."""
    if not error.code:
        return Problem(f"the cluster does not answer: {error}", codes.CLUSTER)
    unknown = "the credentials have expired, or are another cluster's"
    return Problem(
        f"the cluster says: {error}", codes.CLUSTER, hint=unknown if error.code == 401 else ""
    )


def _namespace(kubeconfig: str | None, context: str | None) -> str:
    """That of the context asked for; a kubeconfig need not have a current one."""
    file = kubeconfig or kube_config.KUBE_CONFIG_DEFAULT_LOCATION
    merged = kube_config.KubeConfigMerger(file).config
    active = kube_config.KubeConfigLoader(merged, active_context=context).current_context
    namespace: str = active["context"].get("namespace") or "default"
    return namespace
