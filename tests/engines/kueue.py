"""Kueue with its webhooks and default frameworks, beside a plane that runs; its objects.

In: a running ``Plane`` and the engines. Out: Kueue's manager on loopback, in the namespace
``kueue-system``; makers of flavors, queues and priority classes.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.client import Client, eventually
from tests.cluster.jobs import Json
from tests.cluster.plane import Plane, listens
from tests.cluster.process import Process, free_ports
from tests.engines.binaries import Engines
from tests.engines.project import a_job

NAMESPACE = "kueue-system"
QUEUE = "kueue.x-k8s.io/queue-name"
PRIORITY = "kueue.x-k8s.io/priority-class"
_VERSION = "kueue.x-k8s.io/v1beta2"
# Of what is in these no pod passes Kueue's webhooks, as its own kustomize patches say.
_SYSTEM = ("kube-system", NAMESPACE)
_PATCHED = ("pods", "deployments", "statefulsets")


@contextmanager
def running(plane: Plane, engines: Engines) -> Iterator[Process]:
    """The manager and its webhooks, until the block ends."""
    components = engines.manifests / "kueue"
    (port,) = free_ports(1)
    authority = base64.b64encode(plane.ca_file.read_bytes()).decode()
    plane.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    kinds = _kinds(components / "crd", port, authority)
    for kind in kinds:
        plane.apply(kind)
    plurals = {kind["spec"]["names"]["plural"] for kind in kinds}
    eventually(lambda: plurals <= _discovered(plane.client()))  # it ends where one is missing
    manager = Process(
        "kueue",
        [engines.programs / "kueue", f"--config={_config(components, plane.folder, port)}"],
        plane.folder / "kueue.log",
        {"KUBECONFIG": str(plane.kubeconfig())},
    )
    plane.processes["kueue"] = manager
    try:
        manager.wait_until(lambda: listens(port))
        for configuration in _webhooks(components, port, authority):
            plane.apply(configuration)
        yield manager
    finally:
        manager.stop()
        del plane.processes["kueue"]


def _discovered(admin: Client) -> set[str]:
    """The plurals of the group's kinds in the API server's discovery."""
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    groups = admin.call("GET", "/apis", accept=accept)["items"]
    return {
        resource["resource"]
        for group in groups
        for version in group["versions"]
        if f"{group['metadata']['name']}/{version['version']}" == _VERSION
        for resource in version["resources"]
    }


def _kinds(folder: Path, port: int, authority: str) -> list[Json]:
    """Its kinds; some are converted by its webhook."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    patches = [Path(each["path"]).stem for each in kustomization["patches"]]
    converted = {each.removeprefix("webhook_in_") for each in patches}
    kinds = [yaml.safe_load(path.read_text()) for path in sorted((folder / "bases").iterdir())]
    for kind in kinds:
        if kind["spec"]["names"]["plural"] in converted:
            address = {"url": f"https://127.0.0.1:{port}/convert", "caBundle": authority}
            webhook = {"clientConfig": address, "conversionReviewVersions": ["v1"]}
            kind["spec"]["conversion"] = {"strategy": "Webhook", "webhook": webhook}
    return kinds


def _config(components: Path, folder: Path, port: int) -> Path:
    """The configuration that its release has, on loopback and with the plane's certificate."""
    default = (components / "manager/controller_manager_config.yaml").read_text()
    config = {
        **yaml.safe_load(default),
        "namespace": NAMESPACE,
        "health": {"healthProbeBindAddress": "0"},
        "metrics": {"bindAddress": "0"},
        "webhook": {"port": port, "host": "127.0.0.1", "certDir": str(folder)},
        "leaderElection": {"leaderElect": False},
        "internalCertManagement": {"enable": False},
    }
    file = folder / "kueue.json"
    file.write_text(json.dumps(config))
    return file


def _webhooks(components: Path, port: int, authority: str) -> list[Json]:
    """Its webhook configurations, each service replaced by its address on loopback."""
    text = (components / "webhook/manifests.yaml").read_text()
    configurations: list[Json] = list(yaml.safe_load_all(text))
    elsewhere = {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": [*_SYSTEM]}
    for configuration in configurations:
        configuration["metadata"]["name"] = f"kueue-{configuration['metadata']['name']}"
        for webhook in configuration["webhooks"]:
            path = webhook["clientConfig"]["service"]["path"]
            url = f"https://127.0.0.1:{port}{path}"
            webhook["clientConfig"] = {"url": url, "caBundle": authority}
            if set(webhook["rules"][0]["resources"]) & set(_PATCHED):
                webhook["namespaceSelector"] = {"matchExpressions": [elsewhere]}
    return configurations


def add_flavor(admin: Client, name: str, **spec: object) -> None:
    """A ResourceFlavor: nodeLabels, tolerations."""
    admin.apply(_object("ResourceFlavor", name, spec=spec))


def add_queue(
    admin: Client,
    namespace: str,
    name: str = "team",
    quota: str = "4",
    flavor: str = "default",
    **spec: object,
) -> str:
    """A LocalQueue of its own ClusterQueue with a quota of CPUs; the ClusterQueue's name.

    Args:
        admin: Who makes them.
        namespace: Of the LocalQueue, and of all jobs that may use it.
        name: The LocalQueue's name.
        quota: How many CPUs.
        flavor: A ResourceFlavor; ``default`` is made here.
        spec: More of the ClusterQueue's spec.
    """
    if flavor == "default":
        add_flavor(admin, flavor)
    cluster_queue = f"{namespace}-{name}"
    resources = [
        {"name": "cpu", "nominalQuota": quota},
        {"name": "memory", "nominalQuota": "1Ti"},
        {"name": "nvidia.com/gpu", "nominalQuota": "64"},
    ]
    group = {
        "coveredResources": [each["name"] for each in resources],
        "flavors": [{"name": flavor, "resources": resources}],
    }
    chosen = {"kubernetes.io/metadata.name": namespace}
    admin.apply(
        _object(
            "ClusterQueue",
            cluster_queue,
            spec={"namespaceSelector": {"matchLabels": chosen}, "resourceGroups": [group], **spec},
        )
    )
    local = _object("LocalQueue", name, spec={"clusterQueue": cluster_queue})
    local["metadata"]["namespace"] = namespace
    admin.apply(local)
    eventually(lambda: _active(admin, "LocalQueue", namespace, name))
    return cluster_queue


def add_priority(admin: Client, name: str, value: int) -> None:
    """A WorkloadPriorityClass."""
    admin.apply(_object("WorkloadPriorityClass", name, value=value))


def workloads(admin: Client, namespace: str) -> dict[str, Json]:
    """The Workloads by the name of the JobSet (or other job) that owns them."""
    return {
        owner["name"]: workload
        for workload in admin.list("Workload", namespace)
        for owner in workload["metadata"].get("ownerReferences", [])
    }


def conditions(workload: Json) -> dict[str, Json]:
    """A Workload's conditions by type."""
    return {each["type"]: each for each in workload.get("status", {}).get("conditions", [])}


def admitted(admin: Client, namespace: str, names: Sequence[str]) -> bool:
    """Whether the Workloads of exactly these jobs are admitted now."""
    now = {
        name
        for name, workload in workloads(admin, namespace).items()
        if conditions(workload).get("Admitted", {}).get("status") == "True"
        and conditions(workload).get("Finished", {}).get("status") != "True"
    }
    return now == set(names)


def _active(admin: Client, kind: str, namespace: str, name: str) -> bool:
    status = admin.get(kind, namespace, name).get("status", {})
    return any(
        each["type"] == "Active" and each["status"] == "True"
        for each in status.get("conditions", [])
    )


def _object(kind: str, name: str, **fields: object) -> Json:
    return {"apiVersion": _VERSION, "kind": kind, "metadata": {"name": name}, **fields}


def queued(namespace: str, name: str = "m", priority: str = "", **fields: Any) -> Json:
    """A TrainJob of the LocalQueue ``team``."""
    labels = {QUEUE: "team", **({PRIORITY: priority} if priority else {})}
    return a_job(namespace, name, labels=labels, **fields)
