"""XGBoostJob (kubeflow.org/v1) to a TrainJob and its runtime.

Source: Training Operator v1.9 ``xgboost/xgboost.go``: the Master is the tracker, rank 0; LightGBM
jobs read the addresses of the Workers. The xgboost policy tells the main container by DMLC_*.
"""

from __future__ import annotations

from typing import Any

from trainc.edit.migration.environment import (
    Value,
    Variables,
    index_source,
    program_of,
    tell_main,
    tell_others,
    variable_name,
)
from trainc.edit.migration.jobs import OldJob
from trainc.edit.migration.nodes import Kind, Nodes, trainer_of
from trainc.edit.migration.part import Lost, Part, new

_KIND = Kind("xgbReplicaSpecs", "xgboost", "Never", ("Master", "Worker"))
_PORT = "29500"  # of the xgboost policy
_WORKER_PORT = 9999
_WORKER_PORT_NAME = "xgboostjob-port"
_POLICY = ("DMLC_TRACKER_URI", "DMLC_TRACKER_PORT", "DMLC_TASK_ID", "DMLC_NUM_WORKER")


def from_xgboost(root: Any, lost: list[Lost]) -> list[dict[str, Any]]:
    """The TrainJob and the runtime of an XGBoostJob."""
    old = OldJob(root, lost)
    nodes = Nodes(old, _KIND)
    if nodes.parts and not nodes.has_master:
        old.spec.lose("has no Master", _KIND.replicas)
    if not nodes.has_master:
        return []
    template, main, containers = nodes.template()
    trainer = new()
    if main is not None:
        program = program_of(main)
        _keep_policy(main)
        trainer, rest = trainer_of(containers, main, nodes.count, None)
        variables = _variables(nodes, main)
        tell_main(trainer, rest, program, variables, variables.words)
        tell_others(template, containers, variables)
    policy = new(numNodes=nodes.count)
    policy["xgboost"] = {}
    return old.result(trainer, policy, [nodes.job(template, containers)])


def _variables(nodes: Nodes, main: Part) -> Variables:
    """What the operator set in every container, as it would for the pods of today."""
    items: dict[str, Value] = {
        "MASTER_PORT": _PORT,
        "MASTER_ADDR": nodes.hosts.host("master"),
        "WORLD_SIZE": str(nodes.count),
        "RANK": index_source(),
    }
    words = {
        "MASTER_PORT": "$(DMLC_TRACKER_PORT)",
        "MASTER_ADDR": "$(DMLC_TRACKER_URI)",
        "WORLD_SIZE": str(nodes.count),
        "RANK": "$(DMLC_TASK_ID)",
    }
    if nodes.count > 1:
        workers = nodes.groups["worker"].size if "worker" in nodes.groups else 0
        hosts = [nodes.hosts.host("worker", number) for number in range(workers)]
        more = {"WORKER_PORT": _worker_port(main), "WORKER_ADDRS": ",".join(hosts)}
        items.update(more)
        words.update(more)
    return Variables(items, words)


def _worker_port(main: Part) -> str:
    """The port of that name, or the operator's own."""
    ports = main.node.get("ports")
    for port in ports if isinstance(ports, list) else []:
        if isinstance(port, dict) and port.get("name") == _WORKER_PORT_NAME:
            return str(port.get("containerPort"))
    return str(_WORKER_PORT)


def _keep_policy(main: Part) -> None:
    """Lists variables of the policy that the job sets itself."""
    env = main.node.get("env")
    for index, item in enumerate(env if isinstance(env, list) else []):
        name = variable_name(item)
        if name in _POLICY:
            message = f"{name} is set by the xgboost policy and must not be set by a job"
            main.lost.append(Lost((*main.path, "env", index), message, "remove it"))
