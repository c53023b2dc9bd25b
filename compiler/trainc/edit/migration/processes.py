"""``numProcPerNode`` as Trainer 2.0 and 2.1 had it: a number, or ``auto``, ``cpu`` and ``gpu``.

Since 2.2 it is a number of the job alone (kubeflow/trainer#3239); without one the torch policy
counts as ``auto`` did: torchrun's own ``auto`` on nodes with GPUs, else one process a CPU.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trainc import names
from trainc.edit.migration.part import Lost, Path
from trainc.kube.quantity import QuantityError
from trainc.kube.resources import cpus, gpus

KEY = "numProcPerNode"
WORDS = ("auto", "cpu", "gpu")
_UNKNOWN = "the node's resources are not in this file: write the number of processes"


def count_of(word: str, resources: Any, path: Path, lost: list[Lost]) -> int | None:
    """The number that a word stands for; None where the policy counts the same by itself.

    Args:
        word: ``auto``, ``cpu`` or ``gpu``.
        resources: What a node gets; None where nobody knows.
        path: Where the word stands.
        lost: Takes what cannot be said.
    """
    if word == "auto":
        return None
    if not isinstance(resources, dict):
        lost.append(Lost(path, f"{word} has no counterpart", _UNKNOWN))
        return None
    amounts = devices_of(resources)
    if amounts is None:
        lost.append(Lost(path, f"{word} has no counterpart", "write the number of processes"))
        return None
    devices, count = amounts
    if word == "gpu" and not devices:
        message, hint = "gpu has no counterpart", "the node asks for no GPU: write a number"
        lost.append(Lost(path, message, hint))
    return count if word == "cpu" and devices else None


def devices_of(resources: Any) -> tuple[int, int] | None:
    """GPUs, and CPUs or 1, that a node asks for; None where the resources are no quantities."""
    if not isinstance(resources, dict):
        return 0, 1
    if not all(isinstance(resources.get(key), dict | None) for key in ("limits", "requests")):
        return None
    try:
        return gpus(resources), max(1, cpus(resources))
    except QuantityError:
        return None


def node_resources(runtime: Any) -> Any:
    """The resources of a runtime's trainer; None where it has none that can be seen."""
    jobs = _at(runtime, "spec", "template", "spec", "replicatedJobs")
    for job in jobs if isinstance(jobs, list) else []:
        if _at(job, "template", "metadata", "labels", names.ANCESTOR) != names.TRAINER:
            continue
        containers = _at(job, "template", "spec", "template", "spec", "containers")
        for container in containers if isinstance(containers, list) else []:
            if isinstance(container, dict) and container.get("name") == names.NODE:
                return container.get("resources") or {}
    return None


def _at(node: Any, *steps: str) -> Any:
    for step in steps:
        node = node.get(step) if isinstance(node, Mapping) else None
    return node
