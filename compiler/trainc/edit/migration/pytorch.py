"""PyTorchJob (kubeflow.org/v1) to a TrainJob and its runtime.

Master and workers become the nodes of one job, so their templates must agree. The operator told
programs of their peers by MASTER_ADDR, MASTER_PORT, WORLD_SIZE and RANK; the torch policy does by
PET_*, which only torchrun reads: other programs are started by ``env``, which puts one for the
other.
"""

from __future__ import annotations

import re
from typing import Any

from trainc import names
from trainc.edit.migration.jobs import OldJob, containers_of, template_of
from trainc.edit.migration.part import Lost, Part, keep_comment, new

_REPLICAS = "pytorchReplicaSpecs"
_TORCHRUN = re.compile(r"torchrun|torch\.distributed\.(run|launch)")
_VARIABLES = "MASTER_ADDR|MASTER_PORT|WORLD_SIZE|RANK"
_USED = re.compile(rf"\b({_VARIABLES})\b")
_EXPANDED = re.compile(rf"\$\(({_VARIABLES})\)")


def from_pytorch(root: Any, lost: list[Lost]) -> list[dict[str, Any]]:
    """The TrainJob and the runtime of a PyTorchJob."""
    old = OldJob(root, lost)
    replicas = old.spec.part(_REPLICAS)
    parts = [replicas.part(kind) for kind in ("Master", "Worker") if replicas.node.get(kind)]
    replicas.close()
    if not parts:
        old.spec.lose("has neither Master nor Worker", _REPLICAS)
        return []
    _agree(parts)
    nodes = sum(part.number("replicas", 1) for part in parts)
    template, spec = template_of(parts[0])
    main, containers = containers_of(spec, "pytorch")
    trainer = _trainer(containers, main, nodes, _processes(old.spec))
    template["spec"]["containers"] = containers
    keep_comment(spec.node, "containers", template["spec"], "containers")
    for part in parts:
        part.drop("template", "restartPolicy")
        part.close()
    labels = new(labels={names.ANCESTOR: names.TRAINER})
    job = new(name=names.NODE, template=new(metadata=labels, spec=new(template=template)))
    policy = new(numNodes=nodes)
    policy["torch"] = {}
    return old.finished(trainer, policy, [job])


def _agree(parts: list[Part]) -> None:
    """Sees to it that all nodes are alike."""
    first, last = parts[0], parts[-1]
    for key in ("template", "restartPolicy"):
        path = _difference(first.node.get(key), last.node.get(key), ())
        if path is not None:
            where = ".".join(str(step) for step in (key, *path))
            hint = "all nodes of a TrainJob have one template"
            last.lose(f"Master and Worker differ at {where}", key, hint)


def _difference(one: Any, other: Any, path: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """The path of the first difference, None where there is none."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = [*one, *(key for key in other if key not in one)]
        pairs = [(key, one.get(key), other.get(key)) for key in keys]
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = [(n, a, b) for n, (a, b) in enumerate(zip(one, other, strict=True))]
    else:
        return None if one == other else path
    found = (_difference(a, b, (*path, key)) for key, a, b in pairs)
    return next((each for each in found if each is not None), None)


def _processes(spec: Part) -> int | None:
    """``numProcPerNode``; None where the policy counts the GPUs, as ``auto`` does."""
    value = spec.take("nprocPerNode")
    if value is None or value in ("auto", "gpu"):
        return None
    if str(value).isdigit() and int(str(value)) > 0:
        return int(str(value))
    spec.lose(f"{value} has no counterpart", "nprocPerNode", "write the number of processes")
    return None


def _trainer(
    containers: list[Any], main: Part | None, nodes: int, processes: int | None
) -> dict[str, Any]:
    """``spec.trainer``; what it holds leaves the container."""
    trainer = new()
    if main is None:
        return trainer
    number = next(n for n, each in enumerate(containers) if each.get("name") == names.NODE)
    part, rest = Part(containers[number], main.path, main.lost), new()
    for key in ("image", "command", "args", "env"):
        part.move(key, trainer)
    trainer["numNodes"] = nodes
    part.move("resources", trainer, "resourcesPerNode")
    if processes is not None:
        trainer["numProcPerNode"] = processes
    for key in part.node:
        if key not in ("image", "command", "args", "env", "resources"):
            part.move(key, rest)
    containers[number] = rest
    _told(trainer, main, nodes, processes)
    return trainer


def _told(trainer: dict[str, Any], main: Part, nodes: int, processes: int | None) -> None:
    """Tells a program that is not started by torchrun of its peers."""
    command, args = trainer.get("command") or [], trainer.get("args") or []
    if not (isinstance(command, list) and isinstance(args, list)):
        main.lose("command and args must be lists")
        return
    words = " ".join(str(word) for word in (*command, *args))
    expanded = _EXPANDED.search(words)
    if expanded:
        hint = "write PET_MASTER_ADDR, PET_MASTER_PORT, PET_NNODES, PET_NODE_RANK"
        main.lose(f"{expanded[0]} is not set", "args", hint)
    if (nodes == 1 or _TORCHRUN.search(words)) and not _USED.search(words):
        return
    if not command:
        hint = "write the command of the image's entrypoint, or start torchrun"
        main.lose("MASTER_ADDR, WORLD_SIZE and RANK are not set", "command", hint)
        return
    size = "$(PET_NNODES)" if processes in (None, 1) else str(nodes * (processes or 1))
    command[:0] = [
        "env",
        "MASTER_ADDR=$(PET_MASTER_ADDR)",
        "MASTER_PORT=$(PET_MASTER_PORT)",
        f"WORLD_SIZE={size}",
        "RANK=$(PET_NODE_RANK)",
    ]
