"""JobSet's controller with its webhooks, and kwok with its stages: the plane's two operators."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.binaries import Binaries
from tests.cluster.client import Client

VOLUMES = ("pvc-provision", "pv-bind", "pv-delete", "pvc-delete")
LOGS = "kwok.log.txt"  # what every container is said to have printed


def manager_config(folder: Path, webhook_port: int) -> Path:
    """JobSet's configuration: webhooks on loopback with the plane's certificate, nothing else."""
    config = {
        "apiVersion": "config.jobset.x-k8s.io/v1alpha1",
        "kind": "Configuration",
        "leaderElection": {"leaderElect": False},
        "internalCertManagement": {"enable": False},
        "webhook": {"port": webhook_port, "host": "127.0.0.1", "certDir": str(folder)},
        "metrics": {"bindAddress": "0"},
        "health": {"healthProbeBindAddress": "0"},
        "clientConnection": {"qps": 500, "burst": 1000},
    }
    file = folder / "jobset.json"
    file.write_text(json.dumps(config))
    return file


def webhooks(manifests: Path, ca_file: Path, port: int) -> list[dict[str, Any]]:
    """JobSet's webhook configurations, each service replaced by its address on loopback."""
    authority = base64.b64encode(ca_file.read_bytes()).decode()
    found = list(yaml.safe_load_all((manifests / "jobset-webhook/manifests.yaml").read_text()))
    for configuration in found:
        configuration["metadata"]["name"] = f"jobset-{configuration['metadata']['name']}"
        for webhook in configuration["webhooks"]:
            path = webhook["clientConfig"]["service"]["path"]
            webhook["clientConfig"] = {
                "url": f"https://127.0.0.1:{port}{path}",
                "caBundle": authority,
            }
            if webhook["rules"][0]["resources"] == ["pods"]:
                # As JobSet's kustomize patches do: only its own pods pass through it.
                key = "jobset.sigs.k8s.io/jobset-name"
                webhook["objectSelector"] = {
                    "matchExpressions": [{"key": key, "operator": "Exists"}]
                }
    return found


def kwok_config(binaries: Binaries, folder: Path) -> Path:
    """kwok's stages (its own for nodes, start and deletion; ours for the end) and all logs."""
    stage = binaries.manifests / "kwok-stage"
    files = [
        stage / "node/fast/node-initialize.yaml",
        stage / "node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
        stage / "pod/fast/pod-ready.yaml",
        stage / "pod/fast/pod-delete.yaml",
        *(stage / f"volume/fast/{name}.yaml" for name in VOLUMES),
        Path(__file__).with_name("stages.yaml"),
    ]
    documents = [d for file in files for d in yaml.safe_load_all(file.read_text()) if d]
    for document in documents:
        if document["metadata"]["name"] == "pod-ready":
            document["spec"]["selector"]["matchExpressions"].append(
                {
                    "key": '.metadata.annotations["kwok.test/start"]',
                    "operator": "NotIn",
                    "values": ["never"],
                }
            )
    log = folder / LOGS
    log.write_text("2026-11-22T00:00:00.000000000Z stdout F epoch 1 of 1\n")
    documents.append(
        {
            "apiVersion": "kwok.x-k8s.io/v1alpha1",
            "kind": "ClusterLogs",
            "metadata": {"name": "everything"},
            "spec": {"logs": [{"logsFile": str(log), "follow": False}]},
        }
    )
    file = folder / "kwok.yaml"
    file.write_text(yaml.safe_dump_all(documents))
    return file


def add_node(admin: Client, name: str = "kwok-0") -> None:
    """A node of kwok's, large enough for every test's pods."""
    size = {"cpu": "10k", "memory": "100Ti", "pods": "100k", "nvidia.com/gpu": "10k"}
    admin.create(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": name,
                "annotations": {"kwok.x-k8s.io/node": "fake"},
                "labels": {"kubernetes.io/hostname": name, "type": "kwok"},
            },
            "status": {"allocatable": size, "capacity": size},
        }
    )
