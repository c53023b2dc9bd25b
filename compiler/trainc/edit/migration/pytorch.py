"""PyTorchJob (kubeflow.org/v1) to a TrainJob and its runtime.

Source: Training Operator v1.9 ``pytorch/envvar.go`` and ``pytorch/master.go``. Where there is a
Master, one node or more, the operator told every container of its peers by MASTER_ADDR,
MASTER_PORT, WORLD_SIZE and RANK; the torch policy tells the main one by PET_*, which only torchrun
reads.
"""

from __future__ import annotations

from typing import Any

from trainc import names
from trainc.edit.migration.elastic import Elastic
from trainc.edit.migration.environment import (
    Program,
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
from trainc.edit.migration.processes import devices_of
from trainc.edit.migration.torchrun import counts_processes, is_torchrun
from trainc.kube.digits import COUNT

_KIND = Kind("pytorchReplicaSpecs", "pytorch", "OnFailure", ("Master", "Worker"))
_PORT = "29500"  # of the torch policy
_NPROC = "PET_NPROC_PER_NODE"
_RESERVED = frozenset({"PET_NNODES", _NPROC, "PET_NODE_RANK", "PET_MASTER_ADDR", "PET_MASTER_PORT"})
_MOST_TARGETS = 8  # names in one target of envInjection


def from_pytorch(root: Any, lost: list[Lost], *, fixed_nodes: bool) -> list[dict[str, Any]]:
    """The TrainJob and the runtime of a PyTorchJob."""
    old = OldJob(root, lost)
    nodes = Nodes(old, _KIND)
    elastic = Elastic(old.spec, nodes, fixed=fixed_nodes)
    processes = _processes(old.spec, elastic)
    if not nodes.parts:
        return []
    template, main, containers = nodes.template()
    policy = new(numNodes=nodes.count)
    policy["torch"] = {}
    trainer = new()
    if main is not None:
        number = processes if isinstance(processes, int) else None
        program = program_of(main)
        trainer, rest = trainer_of(containers, main, nodes.count, number)
        variables = _variables(nodes, number or 1, elastic)
        _keep_reserved(trainer, main, variables)
        assignments = {} if is_torchrun(program) else dict(variables.words)
        assignments.update(_assignments(trainer, main, program, processes))
        tell_main(trainer, rest, program, variables, assignments)
        beside = tell_others(template, containers, variables)
        policy["torch"] = _injection(beside)
    job = nodes.job(template, containers, elastic=elastic.is_written)
    return old.result(trainer, policy, [job])


def _processes(spec: Part, elastic: Elastic) -> int | str:
    """``nprocPerNode``: a number, or how torchrun is to count."""
    value = spec.take("nprocPerNode")
    if value is None:
        return "auto" if elastic.processes is None else elastic.processes
    if value in ("auto", "gpu", "cpu"):
        return str(value)
    if COUNT.fullmatch(str(value)) and int(str(value)) > 0:
        return int(str(value))
    spec.lose(f"{value} has no counterpart", "nprocPerNode", "write the number of processes")
    return 1


def _variables(nodes: Nodes, processes: int, elastic: Elastic) -> Variables:
    """What the operator set in every container, as it would for the pods of today."""
    if not nodes.has_master:
        return Variables(elastic.items, {}, _RESERVED)
    size = str(nodes.count * processes)
    items: dict[str, Value] = {
        "MASTER_PORT": _PORT,
        "MASTER_ADDR": nodes.hosts.host("master"),
        "WORLD_SIZE": size,
        "RANK": index_source(),
    }
    words = {
        "MASTER_ADDR": "$(PET_MASTER_ADDR)",
        "MASTER_PORT": "$(PET_MASTER_PORT)",
        "WORLD_SIZE": "$(PET_NNODES)" if processes == 1 else size,
        "RANK": "$(PET_NODE_RANK)",
    }
    return Variables({**items, **elastic.items}, words, _RESERVED)


def _keep_reserved(trainer: dict[str, Any], main: Part, variables: Variables) -> None:
    """Lists variables of the policy that the job sets to something of its own.

    With a Master the operator wrote over all of them, without one over two.
    """
    written = {"PET_NNODES", _NPROC} if not variables.words else variables.reserved
    env = trainer.get("env")
    for index, item in enumerate(env if isinstance(env, list) else []):
        name = variable_name(item)
        if name not in variables.reserved - written or name == "PET_MASTER_PORT":
            continue
        value, source = item.get("value"), item.get("valueFrom")
        field = source.get("fieldRef") if isinstance(source, dict) else None
        is_rank = isinstance(field, dict) and field.get("fieldPath") == names.JOB_INDEX_FIELD
        host = f"-{names.NODE}-0-0."
        if not (is_rank if name == "PET_NODE_RANK" else isinstance(value, str) and host in value):
            place = (*main.path, "env", index)
            message = f"{name} is set by the torch policy and must not be set by a job"
            main.lost.append(Lost(place, message, "remove it"))


def _assignments(
    trainer: dict[str, Any], main: Part, program: Program, processes: int | str
) -> dict[str, str]:
    """Lets torchrun count its processes itself where the policy would count otherwise.

    The policy says ``auto`` for a node with GPUs, and without them one process for each CPU of the
    container; torchrun's own ``auto`` counts the machine's.
    """
    devices = devices_of(trainer.get("resourcesPerNode"))
    if devices is None or isinstance(processes, int):
        return {}  # what is no quantity the build refuses
    if devices[0] and processes != "cpu":
        return {}
    if not counts_processes(program):
        return {}
    if program.command:
        return {_NPROC: processes}
    if processes == "auto":
        message = "torchrun starts a process for each CPU of the container, not of the machine"
        main.warn(message, "", "where the image's entrypoint is torchrun: write nprocPerNode")
    else:
        hint = "write the container's command, or the number of processes"
        main.lose(f"nprocPerNode: {processes} has no counterpart", "", hint)
    return {}


def _injection(beside: list[str]) -> dict[str, Any]:
    """The torch policy, with the containers beside the trainer that have PET_* too."""
    targets = [
        new(jobName=names.NODE, containerNames=beside[start : start + _MOST_TARGETS])
        for start in range(0, len(beside), _MOST_TARGETS)
    ]
    return new(envInjection=new(targets=targets)) if targets else {}
