"""``elasticPolicy`` of a PyTorchJob, where a fixed number of nodes is wanted.

Source: Training Operator v1.9 ``pytorch/elastic.go``, which sets torchrun's ``PET_RDZV_*`` and
``PET_MAX_RESTARTS``. No autoscaler is left: the job has as many nodes as it has replicas.
"""

from __future__ import annotations

from typing import Any

from trainc.edit.migration.environment import Value
from trainc.edit.migration.nodes import Nodes
from trainc.edit.migration.part import Part

KEY = "elasticPolicy"
_PORT = 29500  # what the torch policy opens
_FIXED = "a TrainJob has a fixed number of nodes: --fixed-nodes takes the number of replicas"


class Elastic:
    """What an elastic policy says of a job whose number of nodes is fixed."""

    def __init__(self, spec: Part, nodes: Nodes, *, fixed: bool) -> None:
        """Takes the policy of a job's spec.

        Args:
            spec: The job's spec.
            nodes: Its nodes.
            fixed: Whether the user wants as many nodes as there are replicas.
        """
        self.is_written = spec.node.get(KEY) is not None
        self.items: dict[str, Value] = {}
        self.processes: int | None = None
        if not self.is_written:
            spec.drop(KEY)
        elif not fixed:
            spec.take(KEY)
            spec.lose("has no counterpart", KEY, _FIXED)
        else:
            self._take(spec.part(KEY), nodes)

    def _take(self, policy: Part, nodes: Nodes) -> None:
        policy.drop("minReplicas", "maxReplicas")
        backend = policy.text("rdzvBackend", "c10d")
        if backend != "c10d":
            policy.lose(f"{backend} is not supported", "rdzvBackend", "c10d needs no server")
        self.items["PET_RDZV_BACKEND"] = "c10d"
        self.items["PET_RDZV_ENDPOINT"] = self._endpoint(policy, nodes)
        if policy.node.get("maxRestarts") is not None:
            self.items["PET_MAX_RESTARTS"] = str(policy.number("maxRestarts", 0))
        if policy.node.get("rdzvId") is not None:
            self.items["PET_RDZV_ID"] = policy.text("rdzvId")
        settings = [
            f"{each.text('key')}={_shown(each.take('value', ''))}"
            for each in policy.items("rdzvConf")
        ]
        if settings:
            self.items["PET_RDZV_CONF"] = ",".join(settings)
        if policy.node.get("nProcPerNode") is not None:
            self.processes = policy.number("nProcPerNode", 1)
        if policy.flag("standalone"):
            policy.lose("has no counterpart", "standalone", "remove it")
        policy.drop("maxRestarts", "rdzvId", "nProcPerNode")
        if policy.node.get("metrics") == []:
            policy.drop("metrics")
        policy.close({"metrics": "no autoscaler changes the number of nodes of a TrainJob"})

    def _endpoint(self, policy: Part, nodes: Nodes) -> str:
        """Where the nodes meet: at the first Worker, as the operator has it."""
        port = policy.number("rdzvPort", _PORT)
        host = policy.text("rdzvHost") or f"{nodes.hosts.name}-worker-0"
        if "worker" not in nodes.groups:
            policy.lose("needs Workers")
            return ""
        name = nodes.hosts.renamed(host, (*policy.path, "rdzvHost"), policy.lost)
        if name == host:
            policy.lose(f"{host} is no pod of this job", "rdzvHost", "remove it")
        return f"{name}:{port}"


def _shown(value: Any) -> str:
    """A setting as the operator writes it: they are texts there."""
    return str(value).lower() if isinstance(value, bool) else str(value)
