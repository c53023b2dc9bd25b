"""Flux: source-controller and kustomize-controller, a registry, and what the examples ask of them.

In: a running ``Plane``, the engines and a host of Git repositories. Out: a ``Flux`` that syncs by
the documented manifests (``examples/gitops/kustomization.yaml``), from Git or from an artifact that
was pushed as docs/flux.md says.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.cluster.client import Client, eventually
from tests.cluster.jobs import Json
from tests.cluster.plane import Plane, listens
from tests.cluster.process import Process, free_ports
from tests.engines.binaries import Engines

NAMESPACE = "flux-system"
EXAMPLE = Path(__file__).parents[2] / "examples/gitops/kustomization.yaml"
_ASKED = "reconcile.fluxcd.io/requestedAt"


@dataclass(frozen=True)
class Flux:
    """The running controllers, and where the registry is."""

    plane: Plane
    engines: Engines
    registry: str  # HOST:PORT

    def sync_git(self, name: str, url: str, path: str = "./out") -> Sync:
        """A GitRepository in the example's place of the OCIRepository, and its Kustomization."""
        _, kustomization = _example(name)
        source = {
            "apiVersion": "source.toolkit.fluxcd.io/v1",
            "kind": "GitRepository",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {"interval": "5m", "url": url, "ref": {"branch": "main"}},
        }
        kustomization["spec"] |= {"path": path}
        kustomization["spec"]["sourceRef"]["kind"] = "GitRepository"
        return self._sync(source, kustomization)

    def sync_artifact(self, name: str) -> Sync:
        """The example as it is, but for the registry, which speaks HTTP here."""
        source, kustomization = _example(name)
        source["spec"] |= {"url": f"oci://{self.registry}/{name}", "insecure": True}
        return self._sync(source, kustomization)

    def push(self, name: str, folder: Path, origin: str, revision: str) -> str:
        """Does what ``flux push artifact`` does; the digest."""
        url = f"oci://{self.registry}/{name}:main"
        command = [self.engines.programs / "push", url, folder, origin, f"main@sha1:{revision}"]
        out = subprocess.run(command, capture_output=True, text=True, check=False)
        assert out.returncode == 0, out.stderr
        return out.stdout.strip()

    def _sync(self, source: Json, kustomization: Json) -> Sync:
        admin = self.plane.client()
        admin.apply(source)
        admin.apply(kustomization)
        return Sync(admin, source["kind"], kustomization["metadata"]["name"])


@dataclass(frozen=True)
class Sync:
    """A source and its Kustomization, both of the same name."""

    admin: Client
    source: str  # its kind
    name: str

    def reconcile(self, revision: str = "") -> Json:
        """What ``flux reconcile kustomization NAME --with-source`` does; the Kustomization.

        Args:
            revision: A part of the revision that must have been applied, or nothing.
        """
        self._ask(self.source)
        eventually(lambda: self._answered(self.source), 60)
        self._ask("Kustomization")
        return self.applied(revision)

    def applied(self, revision: str = "", seconds: float = 60) -> Json:
        """Waits until the last request was handled, and the revision applied or refused."""

        def handled() -> Json | None:
            now = self.kustomization()
            tried = now.get("status", {}).get("lastAttemptedRevision", "")
            over = _condition(now, "Ready").get("status") in ("True", "False")
            return now if over and _answers(now) and revision in tried else None

        found: Json = eventually(handled, seconds)
        return found

    def kustomization(self) -> Json:
        """As it is now."""
        return self.admin.get("Kustomization", NAMESPACE, self.name)

    def patch(self, **spec: object) -> None:
        """Changes fields of the Kustomization's spec."""
        self.admin.merge("Kustomization", NAMESPACE, self.name, {"spec": spec})

    def delete(self) -> None:
        """Deletes it, and waits until all that it applied is pruned."""
        self.admin.delete("Kustomization", NAMESPACE, self.name)
        gone = lambda: self.admin.find("Kustomization", NAMESPACE, self.name) is None  # noqa: E731
        eventually(gone, 60)

    def _ask(self, kind: str) -> None:
        annotation = {_ASKED: str(time.time_ns())}
        self.admin.merge(kind, NAMESPACE, self.name, {"metadata": {"annotations": annotation}})

    def _answered(self, kind: str) -> bool:
        return _answers(self.admin.get(kind, NAMESPACE, self.name))


def ready(kustomization: Json) -> tuple[str, str]:
    """Its Ready condition: the status, and the reason with its message."""
    found = _condition(kustomization, "Ready")
    return found["status"], f"{found['reason']}: {found['message']}"


def _condition(manifest: Json, kind: str) -> Json:
    conditions = manifest.get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == kind), {})


def _answers(manifest: Json) -> bool:
    asked = manifest["metadata"].get("annotations", {}).get(_ASKED)
    return asked is None or manifest.get("status", {}).get("lastHandledReconcileAt") == asked


@contextmanager
def running(plane: Plane, engines: Engines, folder: Path) -> Iterator[Flux]:
    """The registry and both controllers, until the block ends."""
    for name in ("source-controller", "kustomize-controller"):
        for file in sorted((engines.manifests / name).glob("*.yaml")):
            plane.apply_file(file)
    plane.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    artifacts, registry = free_ports(2)
    env = {"KUBECONFIG": str(plane.kubeconfig()), "RUNTIME_NAMESPACE": NAMESPACE}
    programs = engines.programs
    (folder / "artifacts").mkdir(parents=True)
    with ExitStack() as stack:
        for name, port, command in (
            ("registry", registry, [programs / "registry", "serve", _registry(folder, registry)]),
            (
                "source-controller",
                artifacts,
                [
                    programs / "source-controller",
                    f"--storage-path={folder}/artifacts",
                    f"--storage-addr=127.0.0.1:{artifacts}",
                    f"--storage-adv-addr=127.0.0.1:{artifacts}",
                ],
            ),
            (
                "kustomize-controller",
                0,
                [
                    programs / "kustomize-controller",
                    "--watch-all-namespaces",
                    "--enable-leader-election=false",
                    "--metrics-addr=0",
                    "--health-addr=0",
                ],
            ),
        ):
            process = stack.enter_context(_process(plane, name, command, env))
            if port:
                process.wait_until(lambda port=port: listens(port))  # type: ignore[misc]
        yield Flux(plane, engines, f"127.0.0.1:{registry}")


@contextmanager
def _process(
    plane: Plane, name: str, command: list[str | Path], env: dict[str, str]
) -> Iterator[Process]:
    process = Process(name, command, plane.folder / f"{name}.log", env)
    plane.processes[name] = process
    try:
        yield process
    finally:
        process.stop()
        del plane.processes[name]


def _registry(folder: Path, port: int) -> Path:
    config = {
        "version": 0.1,
        "log": {"level": "warn"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "registry")}},
        "http": {"addr": f"127.0.0.1:{port}"},
    }
    file = folder / "registry.json"
    file.write_text(json.dumps(config))
    return file


def _example(name: str) -> tuple[Json, Json]:
    """The documented OCIRepository and Kustomization, under another name."""
    source, kustomization = yaml.safe_load_all(EXAMPLE.read_text())
    for each in (source, kustomization):
        each["metadata"]["name"] = name
    kustomization["spec"]["sourceRef"]["name"] = name
    return source, kustomization
