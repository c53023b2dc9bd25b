"""Lints on worlds that do not form: flags against the job's counts, launchers that read none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from trainc import names
from trainc.errors import Problem
from trainc.info.podset import Container, PodSet
from trainc.kube.digits import COUNT
from trainc.kube.resources import gpus
from trainc.lint.launcher import Call, Flag, calls, text
from trainc.lint.lint import POD, Job, Lint
from trainc.policies.torch.policy import RESERVED

_LOCAL: Final = re.compile(r"(?:localhost|127\.\d+\.\d+\.\d+|::1|\[::1\])(?::\d+)?")
_AUTO: Final = "leave the flag out: torchrun reads it from what the torch policy sets"
_VARIABLES: Final = {
    "machine_rank": "PET_NODE_RANK",
    "main_process_ip": "PET_MASTER_ADDR",
    "master_addr": "PET_MASTER_ADDR",
    "node_rank": "PET_NODE_RANK",
    "num_machines": "PET_NNODES",
    "num_nodes": "PET_NNODES",
}
_READS: Final = ("PET_", "torchrun", "torch.distributed.run", "JOB_COMPLETION_INDEX")
# Variables by which a program that is no launcher finds its peers.
_OWN: Final = frozenset({"MASTER_ADDR", "NNODES", "NODE_RANK", "RANK", "WORLD_SIZE"})
_LONELY: Final = frozenset({"accelerate", "deepspeed", "llamafactory", "python"})
_LAUNCHERS: Final = frozenset({"torchrun", *_LONELY})
# Commands of a script that start no training.
_HARMLESS: Final = frozenset({
    ".", "[", "apt-get", "cat", "cd", "chmod", "cp", "date", "df", "done", "echo", "eval", "exit",
    "export", "fi", "free", "git", "hostname", "huggingface-cli", "ln", "ls", "mkdir", "mv",
    "nvidia-smi", "pip", "pip3", "pwd", "rm", "set", "sleep", "source", "test", "trap", "true",
    "ulimit", "umask", "unset", "wait", "}",
})  # fmt: skip


class _Node(NamedTuple):
    """The container that starts the processes, with its place."""

    pod_set: PodSet
    container: Container
    calls: tuple[Call, ...]


def counts(job: Job) -> Iterator[Problem]:
    """Flags of a launcher that say another number, rank or address than the job."""
    policy = _policy(job)
    node = _node(job, job.info.pod_set(names.LAUNCHER) if policy == "mpi" else None)
    if node is None or not any(call.flags for call in node.calls):
        return
    for call in node.calls:
        if call.program == "torchrun" and policy != "mpi":
            found = [*_nodes(call, "nnodes", job), *_ranks(job, call), *_per_node(job, call, node)]
        elif call.program == "accelerate" and policy != "mpi":
            found = [*_nodes(call, "num_machines", job), *_ranks(job, call), *_all(job, call, node)]
        elif call.program == "deepspeed":
            found = [*_nodes(call, "num_nodes", job), *_ranks(job, call)]
        else:
            continue
        for flag, message in found:
            yield _at(job, node, flag.place, message, _remedy(policy, call, flag))
    if policy == "mpi":
        yield from _slots(job, node)


_Found = tuple[Flag, str]


def _remedy(policy: str, call: Call, flag: Flag) -> str:
    """How to fix a flag; empty where the policy gives nothing that could stand for it."""
    if call.program == "torchrun":
        return _AUTO if policy == "torch" else ""
    variable = _VARIABLES.get(flag.name, "") if policy == "torch" else ""
    return f"write {_shown(flag._replace(value=f'$({variable})'))}" if variable else ""


def _nodes(call: Call, name: str, job: Job) -> Iterator[_Found]:
    """A number of nodes, or a range of them, that is not the job's."""
    flag, nodes = call.flag(name), _count(job)
    if flag is None:
        return
    least, _, most = flag.value.partition(":")
    if not COUNT.fullmatch(least) or not COUNT.fullmatch(most or least):
        return
    if int(least) <= nodes <= int(most or least):
        return
    what = "waits for nodes that never come" if int(least) > nodes else "leaves nodes out"
    yield flag, f"{_shown(flag)} {what}: the job has {_plural(nodes, 'node')}"


def _count(job: Job) -> int:
    if _policy(job) == "mpi":
        return len(_hostfile(job)) or 1
    trainer = job.info.trainer
    return trainer.count if trainer else 1


def _ranks(job: Job, call: Call) -> Iterator[_Found]:
    """A rank or an address that is the same on every node."""
    nodes = _count(job)
    if nodes < 2:
        return
    rank = call.flag("node_rank", "machine_rank")
    if rank is not None and rank.number is not None:
        yield rank, f"{_shown(rank)} is the rank of all {nodes} nodes"
    for name in ("master_addr", "main_process_ip", "rdzv_endpoint"):
        flag = call.flag(name)
        if flag is not None and _LOCAL.fullmatch(flag.value):
            yield flag, f"{_shown(flag)} is another machine on each of {nodes} nodes"
    alone = call.flag("standalone") if call.program == "torchrun" else None
    if alone is not None:
        yield alone, f"--standalone starts {nodes} worlds of one node each"


def _per_node(job: Job, call: Call, node: _Node) -> Iterator[_Found]:
    """A number of processes that is neither what the job says nor one a GPU."""
    flag = call.flag("nproc_per_node")
    if flag is None or flag.number is None:
        return
    trainer = job.info.spec.job.trainer
    wanted = trainer.num_proc_per_node if trainer else None
    devices = gpus(node.container.resources)
    if wanted is not None and flag.number != wanted:
        yield flag, f"{_shown(flag)} goes before spec.trainer.numProcPerNode: {wanted}"
    elif wanted is None and devices and flag.number != devices:
        what = "the others stay idle" if flag.number < devices else "processes without a GPU fail"
        yield flag, f"{_shown(flag)} on a node with {_plural(devices, 'GPU')}: {what}"


def _all(job: Job, call: Call, node: _Node) -> Iterator[_Found]:
    """A number of all processes that is not one a GPU of all nodes."""
    flag, devices = call.flag("num_processes"), gpus(node.container.resources)
    if flag is None or flag.number is None or not devices:
        return
    world = _count(job) * devices
    if flag.number != world and (_count(job) > 1 or flag.number > world):
        yield flag, f"{_shown(flag)} with {_plural(world, 'GPU')}: it counts those of all nodes"


def _slots(job: Job, node: _Node) -> Iterator[Problem]:
    """``mpirun -np`` beside the slots of the hostfile."""
    slots = _hostfile(job)
    found = [call for call in node.calls if call.program in ("mpirun", "horovodrun")]
    if not slots or any(call.flag("host", "H", "hostfile", "machinefile") for call in found):
        return
    asked = [(call, flag) for call in found if (flag := call.flag("np", "n", "c"))]
    numbers = [flag.number for _, flag in asked]
    free = any(_oversubscribed(call) for call in found) or None in numbers
    if not asked or free or len(asked) < len(found):
        return
    (call, flag), parts = asked[-1], [number for number in numbers if number is not None]
    # Parts of one command run together, commands of a script one after the other.
    ranks = max(parts) if flag.place == call.place else sum(parts)
    size = f"{len(slots)} x {slots[0]} slots" if len({*slots}) == 1 else f"{sum(slots)} slots"
    if ranks > sum(slots):
        message = f"{ranks} processes do not fit into {size}: mpirun refuses to start"
    elif ranks < sum(slots) and not any(map(_is_mapped, found)):
        message = f"{ranks} of {size} are used: the others stay idle"
    else:
        return
    yield _at(job, node, flag.place, message, "leave the flag out: mpirun takes all slots")


def _oversubscribed(call: Call) -> bool:
    mapped = call.flag("map_by")
    if mapped is not None and "OVERSUBSCRIBE" in mapped.value.upper():
        return True
    return call.flag("oversubscribe") is not None


def _is_mapped(call: Call) -> bool:
    """Whether a call says itself how many processes a node gets."""
    mapped = call.flag("map_by")
    if mapped is not None and mapped.value.lower().startswith("ppr"):
        return True
    return call.flag("N", "npernode", "pernode", "ppn", "rankfile", "rf") is not None


def _hostfile(job: Job) -> tuple[int, ...]:
    """The slots of each node that mpirun knows."""
    for each in job.info.objects:
        if each["kind"] == "ConfigMap" and "hostfile" in (each.get("data") or {}):
            lines = str(each["data"]["hostfile"]).splitlines()
            return tuple(int(line.rpartition("slots=")[2]) for line in lines)
    return ()


def unlaunched(job: Job) -> Iterator[Problem]:
    """Several nodes of torch, and a command that starts each as a world of its own."""
    trainer = job.info.trainer
    if trainer is None or trainer.count < 2 or _policy(job) == "mpi":
        return
    node = _node(job)
    if node is None or not _LAUNCHERS & {call.program for call in node.calls}:
        return
    call = _lonely(job, node)
    if call is None:
        return
    message = f"{_NAMES.get(call.program, call.program)} reads no PET_*: {trainer.count} nodes "
    hint = "start it with torchrun, or pass it $(PET_NNODES), $(PET_NODE_RANK), $(PET_MASTER_ADDR)"
    if call.program == "torchrun":
        message = f"torchrun gets no PET_* from {job.info.spec.runtime.label}: the nodes "
        hint = "add torch: {} to the runtime's mlPolicy, or pass it --nnodes and --node-rank"
    yield _at(job, node, call.place, f"{message}train {trainer.count} models side by side", hint)


_NAMES: Final = {"accelerate": "accelerate launch", "llamafactory": "llamafactory-cli"}


def _lonely(job: Job, node: _Node) -> Call | None:
    """The call that knows nothing of the other nodes; None where one may know of them."""
    if _policy(job) != "torch":
        return _without_policy(node)
    found = [call for call in node.calls if call.program in _LONELY]
    others = {call.program for call in node.calls} - _LONELY - _HARMLESS
    if others or not found or any(map(_is_told, found)):
        return None
    env = {item["name"] for item in node.container.env} - RESERVED
    if env & _OWN or any(word in text(node.container) for word in _READS):
        return None
    return found[-1]


def _is_told(call: Call) -> bool:
    """Whether a call says itself where its peers are."""
    return call.flag("config_file", "hostfile", "H", "machine_rank", "node_rank") is not None


def _without_policy(node: _Node) -> Call | None:
    """A torchrun under a policy that sets no PET_*, without flags that say the same."""
    if {item["name"] for item in node.container.env} & {"PET_NNODES", "PET_RDZV_ENDPOINT"}:
        return None
    found = [call for call in node.calls if call.program == "torchrun"]
    return next((call for call in found if not call.flag("nnodes")), None)


def idle_workers(job: Job) -> Iterator[Problem]:
    """XGBoost that waits for one worker a GPU, of pods that start one program each."""
    trainer = job.info.trainer
    node = trainer.node if trainer else None
    if trainer is None or node is None or _policy(job) != "xgboost":
        return
    per_node = gpus(node.resources)
    if per_node < 2 or "DMLC_NUM_WORKER" in text(node):
        return
    number = next((n for n, c in enumerate(trainer.containers) if c.name == names.NODE), 0)
    index = job.info.pod_sets.index(trainer)
    pods = trainer.count * trainer.replicas
    yield job.at(
        ("spec", "replicatedJobs", index, *POD, "containers", number, "resources"),
        f"the tracker waits for {pods * per_node} workers, one a GPU, and {_plural(pods, 'pod')} "
        "start one program each: it waits for ever unless each starts "
        f"{_plural(per_node, 'worker')}",
        "ask for one GPU a node and more nodes, or start a worker for each GPU",
    )


def _policy(job: Job) -> str:
    keys = job.info.spec.runtime.ml_policy or {}
    return next((key for key in keys if key != "numNodes"), "")


def _node(job: Job, pod_set: PodSet | None = None) -> _Node | None:
    pod_set = pod_set or job.info.trainer
    container = pod_set.node if pod_set else None
    if pod_set is None or container is None:
        return None
    return _Node(pod_set, container, calls(container))


def _at(job: Job, node: _Node, place: tuple[str, int], message: str, hint: str) -> Problem:
    index = job.info.pod_sets.index(node.pod_set)
    number = node.pod_set.containers.index(node.container)
    path = ("spec", "replicatedJobs", index, *POD, "containers", number, *place)
    return job.at(path, message, hint)


def _shown(flag: Flag) -> str:
    """A flag as it is written, ``--nproc-per-node`` for both of its spellings."""
    return f"--{flag.name.replace('_', '-')}" + (f"={flag.value}" if flag.value else "")


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


LINTS = (
    Lint("TRC103", "warning", counts),
    Lint("TRC104", "warning", unlaunched),
    Lint("TRC107", "warning", idle_workers),
)
