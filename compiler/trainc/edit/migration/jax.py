"""JAXJob (kubeflow.org/v1) to a TrainJob and its runtime.

Source: Training Operator v1.9 ``jax/envvar.go``: host and port of the coordinator in two variables,
in every container. The jax policy tells the main one by JAX_*.
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
)
from trainc.edit.migration.jobs import OldJob
from trainc.edit.migration.nodes import Kind, Nodes, trainer_of
from trainc.edit.migration.part import Lost, new

_KIND = Kind("jaxReplicaSpecs", "jax", "Never", ("Worker",))
_PORT = "29500"  # of the jax policy


def from_jax(root: Any, lost: list[Lost]) -> list[dict[str, Any]]:
    """The TrainJob and the runtime of a JAXJob."""
    old = OldJob(root, lost)
    nodes = Nodes(old, _KIND)
    if not nodes.parts:
        return []
    template, main, containers = nodes.template()
    trainer = new()
    if main is not None:
        program = program_of(main)
        trainer, rest = trainer_of(containers, main, nodes.count, None)
        host = nodes.hosts.host("worker")
        items: dict[str, Value] = {
            "COORDINATOR_PORT": _PORT,
            "COORDINATOR_ADDRESS": host,
            "NUM_PROCESSES": str(nodes.count),
            "PROCESS_ID": index_source(),
        }
        words = {
            "COORDINATOR_PORT": _PORT,
            "COORDINATOR_ADDRESS": host,
            "NUM_PROCESSES": "$(JAX_NUM_PROCESSES)",
            "PROCESS_ID": "$(JAX_PROCESS_ID)",
        }
        variables = Variables(items, words)
        tell_main(trainer, rest, program, variables, words)
        tell_others(template, containers, variables)
    policy = new(numNodes=nodes.count)
    policy["jax"] = {}
    return old.result(trainer, policy, [nodes.job(template, containers)])
