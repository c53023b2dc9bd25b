"""Argo CD's plugin as a sidecar of its repo server.

In: an image. Out: a patch of the Deployment. The command is Argo CD's own, from a volume that the
repo server fills; the image brings ``trainc`` and the plugin's definition.
"""

from __future__ import annotations

from typing import Any, Final

Json = dict[str, Any]

USER: Final = 999  # Argo CD's own, in all its pods: they share volumes
_TMP: Final = "trainc-tmp"


def sidecar(image: str) -> Json:
    """A strategic merge patch of ``argocd-repo-server``."""
    container = {
        "name": "trainc",
        "image": image,
        "command": ["/var/run/argocd/argocd-cmp-server"],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumeMounts": [
            {"name": "var-files", "mountPath": "/var/run/argocd"},
            {"name": "plugins", "mountPath": "/home/argocd/cmp-server/plugins"},
            # Of its own: the repo server's would let one application read another's files.
            {"name": _TMP, "mountPath": "/tmp"},
        ],
    }
    pod = {"containers": [container], "volumes": [{"name": _TMP, "emptyDir": {}}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "argocd-repo-server", "namespace": "argocd"},
        "spec": {"template": {"spec": pod}},
    }
