"""A Kubernetes control plane on loopback: etcd, API server, controllers, JobSet, kwok.

In: ``Binaries`` and an empty folder. Out: a running ``Plane`` with a kubeconfig and clients. Every
program listens on 127.0.0.1 at a free port, logs into the folder, and is stopped by its process id.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.cluster.binaries import Binaries
from tests.cluster.client import ApiError, Client, eventually
from tests.cluster.jobset import add_node, kwok_config, manager_config, webhooks
from tests.cluster.process import Process, free_ports
from trainc.kube.keys import tls_pair, token

ISSUER = "https://kubernetes.default.svc.cluster.local"


@dataclass(frozen=True)
class User:
    """Whom a token of the token file stands for."""

    name: str
    groups: tuple[str, ...]
    token: str


class Plane:
    """The control plane; ``start`` and ``stop`` it once."""

    def __init__(self, binaries: Binaries, folder: Path, crds: Sequence[Path] = ()) -> None:
        """Prepares certificates and tokens in ``folder``; ``crds`` are applied at the start."""
        self.binaries = binaries
        self.folder = folder
        self._crds = crds
        self.processes: dict[str, Process] = {}
        self.users = {
            "admin": User("admin", ("system:masters",), token()),
            "controller-manager": User("system:kube-controller-manager", (), token()),
            "scheduler": User("system:kube-scheduler", (), token()),
        }
        self._write_credentials()

    @property
    def server(self) -> str:
        """The API server's address."""
        return f"https://127.0.0.1:{self._api_port}"

    @property
    def ca_file(self) -> Path:
        """The CA of the API server's certificate."""
        return self.folder / "ca.crt"

    def client(self, user: str = "admin") -> Client:
        """A client that speaks as ``user``."""
        return Client(self.server, str(self.ca_file), self.users[user].token)

    def client_with(self, bearer: str) -> Client:
        """A client that speaks with a token of its own."""
        return Client(self.server, str(self.ca_file), bearer)

    def kubeconfig(self, user: str = "admin", bearer: str = "", namespace: str = "") -> Path:
        """A kubeconfig of ``user``, or of whom ``bearer`` stands for."""
        context = {"cluster": "plane", "user": user}
        if namespace:
            context["namespace"] = namespace
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "plane",
            "clusters": [
                {
                    "name": "plane",
                    "cluster": {
                        "server": self.server,
                        "certificate-authority": str(self.ca_file),
                    },
                }
            ],
            "users": [{"name": user, "user": {"token": bearer or self.users[user].token}}],
            "contexts": [{"name": "plane", "context": context}],
        }
        file = self.folder / f"kubeconfig-{user}-{namespace}"
        file.write_text(json.dumps(config))
        return file

    def start(self, operators: bool = True) -> None:
        """Starts everything, and is back when pods can run.

        Args:
            operators: Whether JobSet's manager and kwok run too.

        Raises:
            DiedError: with the log's end, if a program does not get ready.
        """
        self._start_etcd()
        self.start_apiserver()
        for crd in self._crds:
            self.apply_file(crd)
        # After the kinds: the garbage collector asks what kinds there are only twice a minute.
        self._start_controllers()
        if operators:
            self._start_jobset()
            self._start_kwok()

    def stop(self) -> None:
        """Ends every program, the last started first."""
        for process in reversed(self.processes.values()):
            process.stop()

    def start_apiserver(self) -> None:
        """Starts the API server, again where it was killed."""
        path = self.folder
        self._run(
            "kube-apiserver",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",
            f"--secure-port={self._api_port}",
            f"--etcd-servers=http://127.0.0.1:{self._etcd_port}",
            f"--tls-cert-file={path}/tls.crt",
            f"--tls-private-key-file={path}/tls.key",
            f"--token-auth-file={path}/tokens.csv",
            "--authorization-mode=Node,RBAC",
            f"--service-account-issuer={ISSUER}",
            f"--service-account-key-file={path}/accounts.key",
            f"--service-account-signing-key-file={path}/accounts.key",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--profiling=false",
            f"--cert-dir={path}",
        )
        self.processes["kube-apiserver"].wait_until(self.client().ready, 120)

    def kill_apiserver(self) -> None:
        """Ends the API server as a crash would."""
        self.processes["kube-apiserver"].kill()

    def apply_file(self, file: Path) -> None:
        """Applies every document of a YAML file."""
        for manifest in yaml.safe_load_all(file.read_text()):
            if manifest:
                self.apply(manifest)

    def apply(self, manifest: dict[str, Any]) -> None:
        """Applies an object; a kind is waited for until it is served."""
        admin = self.client()
        admin.apply(manifest)
        if manifest["kind"] == "CustomResourceDefinition":
            spec = manifest["spec"]
            path = f"/apis/{spec['group']}/{spec['versions'][0]['name']}/{spec['names']['plural']}"
            eventually(lambda: _served(admin, path))

    def logs(self) -> str:
        """The end of every program's log, for a failure's report."""
        parts = [f"--- {name} ({p.log})\n{p.tail()}" for name, p in self.processes.items()]
        return "\n".join(parts)

    def _run(self, name: str, *arguments: str, env: dict[str, str] | None = None) -> Process:
        command = [self.binaries.programs[name], *arguments]
        process = Process(name, command, self.folder / f"{name}.log", env)
        self.processes[name] = process
        return process

    def _write_credentials(self) -> None:
        self._etcd_port, peer, self._api_port, self._webhook_port, self._kubelet_port = free_ports(
            5
        )
        self._peer_port = peer
        pair = tls_pair(["127.0.0.1", "localhost"], datetime.now(UTC))
        key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        files = {
            "ca.crt": pair.ca,
            "tls.crt": pair.certificate,
            "tls.key": pair.key,
            "accounts.key": key.decode(),
            "tokens.csv": "".join(
                f'{user.token},{user.name},{name},"{",".join(user.groups)}"\n'
                for name, user in self.users.items()
            ),
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (self.folder / name).write_text(text)

    def _start_etcd(self) -> None:
        client, peer = (f"http://127.0.0.1:{port}" for port in (self._etcd_port, self._peer_port))
        self._run(
            "etcd",
            f"--data-dir={self.folder}/etcd",
            "--unsafe-no-fsync",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--log-level=warn",
        )

    def _start_controllers(self) -> None:
        self._run(
            "kube-controller-manager",
            f"--kubeconfig={self.kubeconfig('controller-manager')}",
            "--use-service-account-credentials=true",
            f"--service-account-private-key-file={self.folder}/accounts.key",
            f"--root-ca-file={self.ca_file}",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            "--secure-port=0",
            # While the API server is down no node tells that it lives; its pods shall stay.
            "--node-monitor-grace-period=1h",
            # The tests wait for what follows; the defaults suit clusters of thousands of nodes.
            "--concurrent-gc-syncs=5",
            "--kube-api-qps=200",
            "--kube-api-burst=400",
        )
        self._run(
            "kube-scheduler",
            f"--kubeconfig={self.kubeconfig('scheduler')}",
            f"--authentication-kubeconfig={self.kubeconfig('scheduler')}",
            f"--authorization-kubeconfig={self.kubeconfig('scheduler')}",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            f"--secure-port={free_ports(1)[0]}",
            "--kube-api-qps=200",
            "--kube-api-burst=400",
        )
        admin = self.client()
        self.processes["kube-controller-manager"].wait_until(
            lambda: admin.find("ServiceAccount", "default", "default") is not None
        )

    def _start_jobset(self) -> None:
        manager = self._run(
            "jobset",
            f"--config={manager_config(self.folder, self._webhook_port)}",
            env={"KUBECONFIG": str(self.kubeconfig())},
        )
        manager.wait_until(lambda: listens(self._webhook_port))
        for configuration in webhooks(self.binaries.manifests, self.ca_file, self._webhook_port):
            self.apply(configuration)

    def _start_kwok(self) -> None:
        kwok = self._run(
            "kwok",
            f"--kubeconfig={self.kubeconfig()}",
            f"--config={kwok_config(self.binaries, self.folder)}",
            "--manage-all-nodes=true",
            "--node-ip=127.0.0.1",
            f"--node-port={self._kubelet_port}",
            f"--server-address=127.0.0.1:{self._kubelet_port}",
            f"--tls-cert-file={self.folder}/tls.crt",
            f"--tls-private-key-file={self.folder}/tls.key",
            "--node-lease-duration-seconds=40",
        )
        admin = self.client()
        add_node(admin)
        self.apply_file(self.binaries.manifests / "kwok-stage/volume/fast/storage-class.yaml")
        kwok.wait_until(lambda: _node_ready(admin))


def _served(admin: Client, path: str) -> bool:
    try:
        admin.call("GET", path, limit="1")
    except ApiError:
        return False
    return True


def listens(port: int) -> bool:
    """Whether somebody listens on that port of loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _node_ready(admin: Client) -> bool:
    conditions = admin.get("Node", "", "kwok-0").get("status", {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
