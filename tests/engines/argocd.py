"""Argo CD: application-controller, repo-server, plugin server and Redis, as documented.

In: a running ``Plane``, the engines, Debian's ``redis-server``. Out: an ``ArgoCD`` with the health
pack in ``argocd-cm``, which syncs by ``examples/gitops/application.yaml``, or through the plugin.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.cluster.binaries import UnavailableError
from tests.cluster.client import Client, eventually
from tests.cluster.jobs import Json
from tests.cluster.plane import Plane, listens
from tests.cluster.process import Process, free_ports
from tests.engines.binaries import Engines

NAMESPACE = "argocd"
EXAMPLE = Path(__file__).parents[2] / "examples/gitops/application.yaml"
_NAMES = (
    "argocd-application-controller",
    "argocd-repo-server",
    "argocd-cmp-server",
    "argocd-git-ask-pass",
)
_REFRESH = "argocd.argoproj.io/refresh"


@dataclass(frozen=True)
class ArgoCD:
    """Running; makes Applications."""

    plane: Plane

    def sync(self, name: str, url: str, namespace: str, path: str = "out") -> Application:
        """Syncs by the example Application."""
        return self.apply(self.example(name, url, namespace, path))

    def example(self, name: str, url: str, namespace: str, path: str = "out") -> Json:
        """The example Application with its three values: repoURL, path and destination."""
        manifest = yaml.safe_load(EXAMPLE.read_text())
        manifest["metadata"]["name"] = name
        manifest["spec"]["source"] |= {"repoURL": url, "path": path}
        manifest["spec"]["destination"]["namespace"] = namespace
        return dict(manifest)

    def apply(self, manifest: Json) -> Application:
        """An Application of one's own; it prunes what it has made when it is deleted."""
        manifest["metadata"]["finalizers"] = ["resources-finalizer.argocd.argoproj.io"]
        admin = self.plane.client()
        admin.apply(manifest)
        return Application(admin, manifest["metadata"]["name"])


@dataclass(frozen=True)
class Application:
    """An Application in the cluster."""

    admin: Client
    name: str

    def get(self) -> Json:
        """As it is now."""
        return self.admin.get("Application", NAMESPACE, self.name)

    def refresh(self, kind: str = "normal") -> None:
        """Compares now with Git; back when it has."""
        annotation = {"metadata": {"annotations": {_REFRESH: kind}}}
        self.admin.merge("Application", NAMESPACE, self.name, annotation)
        eventually(lambda: _REFRESH not in self.get()["metadata"].get("annotations", {}), 60)

    def synced(self, revision: str, seconds: float = 90) -> Json:
        """Refreshes, and waits until the cluster is as the commit says, or its sync has failed."""
        self.refresh()

        def done() -> Json | None:
            status = self.get().get("status", {})
            operation = status.get("operationState", {})
            tried = operation.get("syncResult", {}).get("revision") == revision
            if tried and operation.get("phase") in ("Failed", "Error"):
                return status
            over = operation.get("phase") == "Succeeded" and "operation" not in self.get()
            compared = status.get("sync", {}).get("revision") == revision
            return status if over and compared and status["sync"]["status"] == "Synced" else None

        try:
            found: Json = eventually(done, seconds, 0.2)
        except AssertionError as late:
            raise AssertionError(f"{late}; {self._unfinished()}") from late
        return found

    def _unfinished(self) -> str:
        """The phase of the operation, and what is not as Git says."""
        status = self.get().get("status", {})
        phase = status.get("operationState", {}).get("phase", "no operation")
        resources = status.get("resources", [])
        apart = [f"{r['kind']}/{r['name']}" for r in resources if r.get("status") != "Synced"]
        return f"{phase}; out of sync: {', '.join(apart) or 'nothing'}"

    def health(self) -> str:
        """What Argo CD says of the whole."""
        return str(self.get().get("status", {}).get("health", {}).get("status", ""))

    def health_of(self, kind: str, name: str) -> str:
        """What it says of one object."""
        return str(self.resource(kind, name).get("health", {}).get("status", ""))

    def sync_of(self, kind: str, name: str) -> str:
        """Synced or OutOfSync."""
        return str(self.resource(kind, name).get("status", ""))

    def resource(self, kind: str, name: str) -> Json:
        """Its entry for one object, or an empty one."""
        found = self.get().get("status", {}).get("resources", [])
        return next((each for each in found if (each["kind"], each["name"]) == (kind, name)), {})

    def syncs(self) -> int:
        """How many operations succeeded so far."""
        return len(self.get().get("status", {}).get("history", []))

    def delete(self) -> None:
        """Ends a sync that is tried again, deletes it, and waits until all it made is gone."""
        if self.get().get("status", {}).get("operationState", {}).get("phase") == "Running":
            end = {"status": {"operationState": {"phase": "Terminating"}}}  # as the CLI does
            self.admin.merge("Application", NAMESPACE, self.name, end)
        self.admin.delete("Application", NAMESPACE, self.name)
        eventually(lambda: self.admin.find("Application", NAMESPACE, self.name) is None, 90)


@contextmanager
def running(plane: Plane, engines: Engines, folder: Path) -> Iterator[ArgoCD]:
    """All of Argo CD's programs, until the block ends.

    Raises:
        UnavailableError: if Debian's ``redis-server`` is not there.
    """
    redis = shutil.which("redis-server")
    if redis is None:
        raise UnavailableError("needs redis-server: apt-get install redis-server")
    for file in sorted((engines.manifests / "argocd").glob("*-crd.yaml")):
        plane.apply_file(file)
    for manifest in _settings():
        plane.apply(manifest)
    pack = yaml.safe_load(_trainc("argocd", "health"))
    plane.client().merge("ConfigMap", NAMESPACE, "argocd-cm", pack)
    store, repo, metrics, more = free_ports(4)
    env = _environment(plane, engines, folder)
    programs = folder / "bin"
    with ExitStack() as stack:

        def start(name: str, command: list[str | Path], port: int = 0) -> None:
            process = Process(name, command, plane.folder / f"{name}.log", env)
            plane.processes[name] = process
            stack.callback(plane.processes.pop, name)
            stack.callback(process.stop)
            if port:
                process.wait_until(lambda: listens(port))

        quiet = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder]
        start("redis", [redis, "--port", str(store), *quiet], store)
        start("argocd-cmp-server", [programs / "argocd-cmp-server", f"--config-dir-path={folder}"])
        options = [f"--redis=127.0.0.1:{store}", f"--namespace={NAMESPACE}", "--loglevel=warn"]
        start(
            "argocd-repo-server",
            [
                *(programs / "argocd-repo-server", f"--redis=127.0.0.1:{store}"),
                *("--address=127.0.0.1", f"--port={repo}"),
                *("--metrics-address=127.0.0.1", f"--metrics-port={metrics}"),
                *("--plugin-tar-exclude=.git/*", "--loglevel=warn"),
            ],
            repo,
        )
        start(
            "argocd-application-controller",
            [
                *(programs / "argocd-application-controller", *options),
                *(f"--repo-server=127.0.0.1:{repo}", f"--metrics-port={more}"),
                "--persist-resource-health",
            ],
            more,
        )
        yield ArgoCD(plane)


def _settings() -> list[Json]:
    """What its installation brings: namespace, project and settings."""
    labels = {"app.kubernetes.io/part-of": "argocd"}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _named("argocd-cm", labels)}
    project = {
        "sourceRepos": ["*"],
        "destinations": [{"server": "*", "namespace": "*"}],
        "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
    }
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "AppProject",
            "metadata": _named("default"),
            "spec": project,
        },
        config,
        *(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _named(name, labels)}
            for name in ("argocd-rbac-cm", "argocd-gpg-keys-cm")
        ),
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": _named("argocd-secret", labels),
            "stringData": {"server.secretkey": secrets.token_hex(16)},
        },
    ]


def _named(name: str, labels: Json | None = None) -> Json:
    return {"name": name, "namespace": NAMESPACE, **({"labels": labels} if labels else {})}


def _environment(plane: Plane, engines: Engines, folder: Path) -> dict[str, str]:
    """The programs by the names they are called, and folders that are of this run alone."""
    for name in ("bin", "tls", "ssh", "plugins", "work", "tmp"):
        (folder / name).mkdir(parents=True)
    for name in _NAMES:
        (folder / "bin" / name).symlink_to(engines.programs / "argocd")
    wrapper = folder / "bin/git-verify-wrapper.sh"
    shutil.copy(engines.manifests / "argocd-hack/git-verify-wrapper.sh", wrapper)
    wrapper.chmod(0o755)
    (folder / "plugin.yaml").write_text(_trainc("argocd", "plugin"))
    (folder / "ssh/ssh_known_hosts").write_text("")
    path = [str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
    return {
        "KUBECONFIG": str(plane.kubeconfig()),
        "PATH": os.pathsep.join(path),
        "TMPDIR": str(folder / "tmp"),
        "ARGOCD_FAKE_IN_CLUSTER": "true",
        "ARGOCD_GPG_ENABLED": "false",
        "ARGOCD_TLS_DATA_PATH": str(folder / "tls"),
        "ARGOCD_SSH_DATA_PATH": str(folder / "ssh"),
        "ARGOCD_PLUGINSOCKFILEPATH": str(folder / "plugins"),
        "ARGOCD_CMP_WORKDIR": str(folder / "work"),
        "ARGOCD_ASK_PASS_SOCK": str(folder / "ask-pass.sock"),
        "ARGOCD_REPO_SERVER_CLIENT_CA_PATH": "",
        "ARGOCD_RECONCILIATION_JITTER": "0",
    }


def _trainc(*arguments: str) -> str:
    command = [sys.executable, "-m", "trainc", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
