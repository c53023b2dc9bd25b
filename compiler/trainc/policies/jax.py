"""JAX: one process a node, told where the coordinator is.

Source: ``pkg/runtime/framework/plugins/jax`` of v2.3.0 and KEP-2442.
"""

from __future__ import annotations

from dataclasses import dataclass

from trainc.info.info import Info
from trainc.info.place import with_job_env
from trainc.info.podset import JOB_INDEX, env_items
from trainc.info.rendezvous import PORT, first_host, noted, opened, silent
from trainc.policy import Policy


@dataclass(frozen=True)
class Settings:
    """Nothing can be set under ``spec.mlPolicy.jax`` (v2.3.0)."""


def enforce(info: Info, settings: Settings) -> Info:
    """Gives every node the process count, its own index and the coordinator; the job's env wins."""
    del settings
    trainer = info.trainer
    if trainer is None or trainer.node is None:
        return with_job_env(info)
    info = noted(info, trainer)
    if silent(info):
        return info
    env = {
        "JAX_NUM_PROCESSES": str(trainer.count),
        "JAX_PROCESS_ID": JOB_INDEX,
        "JAX_COORDINATOR_ADDRESS": f"{first_host(info, trainer)}:{PORT}",
    }
    node = opened(info, trainer.node.with_env(env_items(env)))
    return info.with_pod_set(trainer.with_node(node))


POLICY = Policy(key="mlPolicy.jax", settings=Settings, enforce=enforce)
