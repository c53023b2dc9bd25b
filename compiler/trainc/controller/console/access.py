"""The way to the cluster of whoever sits at the terminal: kubeconfig, context and namespace."""

from __future__ import annotations

import kubernetes

from trainc.controller.api import Api
from trainc.controller.main import client, own_namespace
from trainc.errors import Problem, TraincError
from trainc.names import TRAINC


def access(kubeconfig: str | None, context: str | None) -> tuple[Api, str]:
    """The API, and the namespace that is meant where none is named.

    Raises:
        TraincError: if there are no credentials.
    """
    try:
        api = Api(client(kubeconfig, context, workers=1), manager=TRAINC)
        return api, own_namespace() or _namespace(kubeconfig, context)
    except kubernetes.config.ConfigException as error:
        hint = "give --kubeconfig or --context, or set KUBECONFIG"
        raise TraincError([Problem(f"no credentials: {error}", hint=hint)]) from error


def _namespace(kubeconfig: str | None, context: str | None) -> str:
    contexts, active = kubernetes.config.list_kube_config_contexts(kubeconfig)
    if context is not None:
        active = next((each for each in contexts if each["name"] == context), active)
    namespace: str = active["context"].get("namespace", "default")
    return namespace
