"""XGBoost: rank 0 is the tracker, every GPU (or node) a worker.

Source: ``pkg/runtime/framework/plugins/xgboost`` of v2.3.0 and KEP-2598.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trainc import codes
from trainc.errors import Problem
from trainc.info.info import Info
from trainc.info.place import with_job_env
from trainc.info.podset import JOB_INDEX, env_items
from trainc.info.rendezvous import (
    PORT,
    first_host,
    noted,
    opened,
    partial,
    resources_of_node,
    silent,
)
from trainc.kube.resources import gpus
from trainc.policy import Policy

RESERVED = frozenset({"DMLC_TRACKER_URI", "DMLC_TRACKER_PORT", "DMLC_TASK_ID", "DMLC_NUM_WORKER"})


@dataclass(frozen=True)
class Settings:
    """Nothing can be set under ``spec.mlPolicy.xgboost`` (v2.3.0)."""


def check(info: Info, settings: Settings) -> Iterator[Problem]:
    """Refuses env that the policy sets itself."""
    del settings
    for index, item in enumerate(info.spec.job.env):
        if item["name"] in RESERVED:
            message = f"{item['name']} is set by the xgboost policy and must not be set by a job"
            yield info.spec.problem(("spec", "trainer", "env", index), message, code=codes.POLICY)


def enforce(info: Info, settings: Settings) -> Info:
    """Gives every node the tracker's address, its own task and the number of workers."""
    del settings
    trainer = info.trainer
    if trainer is None or trainer.node is None:
        return with_job_env(info)
    info = partial(noted(info, trainer), trainer)
    if silent(info):
        return info
    workers = trainer.count * max(gpus(resources_of_node(info, trainer)), 1)
    env = {
        "DMLC_TRACKER_URI": first_host(info, trainer),
        "DMLC_TRACKER_PORT": str(PORT),
        "DMLC_TASK_ID": JOB_INDEX,
        "DMLC_NUM_WORKER": str(workers),
    }
    node = opened(info, trainer.node.with_env(env_items(env)))
    return info.with_pod_set(trainer.with_node(node))


POLICY = Policy(key="mlPolicy.xgboost", settings=Settings, enforce=enforce, check=check)
