"""The LeaderWorkerSet controller v0.8.0 with its webhooks, beside a plane that runs.

In: the Go tool module ``lws/``, which is one of its own because it wants an older
controller-runtime than the plane's operators. Out: its manager on loopback. ``python -m
tests.cluster.lws`` builds it.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.binaries import BuildError, UnavailableError, cache_root, go
from tests.cluster.plane import Plane, listens
from tests.cluster.process import Process, free_ports

HERE = Path(__file__).with_name("lws")
_MODULE = "sigs.k8s.io/lws"
_FLAGS = ["-p", "2", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w"]


def find(build: bool = True) -> Path:
    """The folder with the program ``manager``, and its manifests.

    Raises:
        UnavailableError: if it is not there and may not or cannot be built.
    """
    digest = hashlib.sha256((HERE / "go.sum").read_bytes()).hexdigest()[:16]
    folder = cache_root() / f"lws-{digest}"
    if (folder / "manager").exists():
        return folder
    if not build:
        raise UnavailableError("not built: LeaderWorkerSet; `python -m tests.cluster.lws` builds")
    if shutil.which("go") is None:
        raise UnavailableError("needs Go to build LeaderWorkerSet's manager")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        module = Path(json.loads(go(["mod", "download", "-json", _MODULE], HERE))["Dir"])
        for name, path in {"webhook": "webhook/manifests", "crd": f"crd/bases/{_CRD}"}.items():
            text = (module / "config" / f"{path}.yaml").read_text()
            (folder / f"{name}.yaml").write_text(text)
        go(["build", *_FLAGS, "-o", str(folder / "building"), f"{_MODULE}/cmd"], HERE)
        (folder / "building").rename(folder / "manager")
    return folder


_CRD = "leaderworkerset.x-k8s.io_leaderworkersets"


@contextmanager
def running(plane: Plane, folder: Path) -> Iterator[Process]:
    """The manager and its webhooks, until the block ends."""
    plane.apply_file(folder / "crd.yaml")
    (port,) = free_ports(1)
    program = Process(
        "lws",
        [folder / "manager", f"--config={_config(plane.folder, port)}", "--zap-log-level=info"],
        plane.folder / "lws.log",
        {"KUBECONFIG": str(plane.kubeconfig())},
    )
    plane.processes["lws"] = program
    try:
        program.wait_until(lambda: listens(port))
        for configuration in _webhooks(folder, plane.ca_file, port):
            plane.apply(configuration)
        yield program
    finally:
        admin = plane.client()
        for configuration in _webhooks(folder, plane.ca_file, port):
            admin.delete(configuration["kind"], "", configuration["metadata"]["name"])
        program.stop()
        del plane.processes["lws"]


def _config(folder: Path, port: int) -> Path:
    config = {
        "apiVersion": "config.lws.x-k8s.io/v1alpha1",
        "kind": "Configuration",
        "leaderElection": {"leaderElect": False},
        "internalCertManagement": {"enable": False},
        "webhook": {"port": port, "host": "127.0.0.1", "certDir": str(folder)},
        "metrics": {"bindAddress": "0"},
        "health": {"healthProbeBindAddress": "0"},
    }
    file = folder / "lws.json"
    file.write_text(json.dumps(config))
    return file


def _webhooks(folder: Path, ca_file: Path, port: int) -> list[dict[str, Any]]:
    """Its webhook configurations, each service replaced by its address on loopback."""
    authority = base64.b64encode(ca_file.read_bytes()).decode()
    found = list(yaml.safe_load_all((folder / "webhook.yaml").read_text()))
    for configuration in found:
        configuration["metadata"]["name"] = f"lws-{configuration['metadata']['name']}"
        for webhook in configuration["webhooks"]:
            path = webhook["clientConfig"]["service"]["path"]
            url = f"https://127.0.0.1:{port}{path}"
            webhook["clientConfig"] = {"url": url, "caBundle": authority}
            if webhook["rules"][0]["resources"] == ["pods"]:
                # As its kustomize patches do: only its own pods pass through it.
                key = "leaderworkerset.sigs.k8s.io/name"
                webhook["objectSelector"] = {
                    "matchExpressions": [{"key": key, "operator": "Exists"}]
                }
    return found


if __name__ == "__main__":
    try:
        sys.stderr.write(f"{find()}\n")
    except UnavailableError as why:
        sys.stderr.write(f"no LeaderWorkerSet: {why}\n")
        sys.exit(int(isinstance(why, BuildError)))
