"""The controller's Deployment and what stands around it.

In: image and arguments. Out: Namespace, ServiceAccount, Deployment, Service, disruption budget,
network policy, and a ServiceMonitor where Prometheus' operator is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from trainc.install.meta import (
    HEALTH_PORT,
    NAME,
    NAMESPACE,
    PROGRESS_PORT,
    SELECTOR,
    TLS_SECRET,
    metadata,
)

Json = dict[str, Any]

_TLS: Final = "/var/run/trainc/tls"
_UID: Final = 65532


def workload(image: str, arguments: Sequence[str]) -> list[Json]:
    """All but the rights; ``arguments`` follow those that every installation has."""
    return [
        _namespace(),
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": metadata(NAME, NAMESPACE),
        },
        _service(),
        _deployment(image, arguments),
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": metadata(NAME, NAMESPACE),
            "spec": {"minAvailable": 1, "selector": {"matchLabels": SELECTOR}},
        },
        _network_policy(),
    ]


def service_monitor() -> Json:
    """For Prometheus' operator; its kind is not everywhere."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": metadata(NAME, NAMESPACE),
        "spec": {
            "selector": {"matchLabels": SELECTOR},
            "endpoints": [{"port": "health", "path": "/metrics"}],
        },
    }


def _namespace() -> Json:
    """Its pods keep to the strictest of the Pod Security Standards, and the cluster sees to it."""
    out = metadata(NAMESPACE)
    out["labels"]["pod-security.kubernetes.io/enforce"] = "restricted"
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": out}


def _service() -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(NAME, NAMESPACE),
        "spec": {
            "selector": SELECTOR,
            "ports": [
                {"name": "progress", "port": PROGRESS_PORT, "targetPort": "progress"},
                {"name": "health", "port": HEALTH_PORT, "targetPort": "health"},
            ],
        },
    }


def _deployment(image: str, arguments: Sequence[str]) -> Json:
    pod = {
        "serviceAccountName": NAME,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _UID,
            "runAsGroup": _UID,
            "fsGroup": _UID,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(image, arguments)],
        "volumes": [
            # Optional: the controller makes it where nobody else does.
            {"name": "tls", "secret": {"secretName": TLS_SECRET, "optional": True}}
        ],
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": SELECTOR},
            }
        ],
        "terminationGracePeriodSeconds": 60,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(NAME, NAMESPACE),
        "spec": {
            # One works, the other takes progress reports too and stands by.
            "replicas": 2,
            "selector": {"matchLabels": SELECTOR},
            "template": {"metadata": {"labels": SELECTOR}, "spec": pod},
        },
    }


def _container(image: str, arguments: Sequence[str]) -> Json:
    host = f"{NAME}.{NAMESPACE}.svc"
    return {
        "name": "controller",
        "image": image,
        "args": [
            "controller",
            f"--health=0.0.0.0:{HEALTH_PORT}",
            f"--progress=0.0.0.0:{PROGRESS_PORT}",
            f"--progress-tls={_TLS}",
            f"--progress-secret={NAMESPACE}/{TLS_SECRET}",
            f"--progress-host={host}",
            f"--progress-host={host}.cluster.local",
            *arguments,
        ],
        "ports": [
            {"name": "progress", "containerPort": PROGRESS_PORT},
            {"name": "health", "containerPort": HEALTH_PORT},
        ],
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": "health"}, "periodSeconds": 10},
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": "health"}, "periodSeconds": 5},
        "resources": {
            "requests": {"cpu": "50m", "memory": "160Mi"},
            "limits": {"memory": "512Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "tls", "mountPath": _TLS, "readOnly": True}],
    }


def _network_policy() -> Json:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(NAME, NAMESPACE),
        "spec": {
            "podSelector": {"matchLabels": SELECTOR},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [
                # Reports come from the pods of every namespace.
                {
                    "from": [{"namespaceSelector": {}}],
                    "ports": [{"port": "progress"}],
                },
                {"ports": [{"port": "health"}]},
            ],
            "egress": [
                {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]},
                # The API server, behind its Service or not.
                {"ports": [{"port": 443}, {"port": 6443}]},
            ],
        },
    }
