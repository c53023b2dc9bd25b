"""``trainc install`` applied, and the controller that it would run, with its rights and no more."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster.client import eventually
from tests.cluster.plane import Plane
from tests.cluster.process import Process
from trainc.install.install import Installation, objects
from trainc.install.meta import NAME, NAMESPACE


@contextmanager
def running(plane: Plane, folder: Path) -> Iterator[Process]:
    """Applies what is printed, as kubectl does, and runs the container's command on loopback.

    The Deployment is left out, for its pods would be kwok's.
    """
    admin = plane.client()
    command: list[str] = []
    for manifest in objects(Installation()):
        if manifest["kind"] == "Deployment":
            command = manifest["spec"]["template"]["spec"]["containers"][0]["args"]
        else:
            plane.apply(manifest)
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{NAME}/token"
    bearer = str(admin.call("POST", path, request)["status"]["token"])
    local = {"--health": "127.0.0.1:0", "--progress": "127.0.0.1:0", "--progress-tls": str(folder)}
    words = [word.partition("=") for word in command]
    process = Process(
        "trainc",
        [
            *(sys.executable, "-m", "trainc"),
            *(f"{name}={local.get(name, value)}" if same else name for name, same, value in words),
            f"--kubeconfig={plane.kubeconfig('trainc', bearer=bearer)}",
            f"--lease-namespace={NAMESPACE}",
        ],
        plane.folder / "trainc.log",
    )
    plane.processes["trainc"] = process
    try:
        process.wait_until(lambda: bool(admin.list("Lease", NAMESPACE)))
        eventually(lambda: process.returncode is None)
        yield process
    finally:
        process.stop()
        del plane.processes["trainc"]
