"""What a job starts: how many processes on how many GPUs, and with which words.

In: a compiled job. Out: its world. For torch the ``torchrun`` line that each node's variables stand
for, for MPI the launcher's line and the hostfile, for all others the variables before the command.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from trainc import names
from trainc.info.info import Info
from trainc.info.podset import Container, PodSet
from trainc.kube.digits import COUNT
from trainc.kube.resources import gpus

_MOST: Final = 4096  # nodes whose lines are given one by one
# torchrun's flag for each variable that stands for it.
_FLAGS: Final = {
    "PET_NNODES": "--nnodes",
    "PET_NPROC_PER_NODE": "--nproc-per-node",
    "PET_NODE_RANK": "--node-rank",
    "PET_MASTER_ADDR": "--master-addr",
    "PET_MASTER_PORT": "--master-port",
}
_LONELY: Final = (
    "the command does not call torchrun: it must start the processes of its node itself"
)
_SHELLS: Final = ("sh", "bash", "/bin/sh", "/bin/bash")


class World(NamedTuple):
    """What is started.

    Attributes:
        policy: ``torch``, ``mpi``, ...
        nodes: Pods that train.
        processes: Of one node: a number, or a word where the GPUs decide and there are none.
        size: Processes in all; None where that is known only on the nodes.
        gpus_asked: GPUs of all pods of the job.
        gpus_used: Those that some process of the job can use.
        lines: Name of a node or launcher -> what is run there.
        more: Nodes beyond those in ``lines``; each runs the same with its own rank.
        hostfile: Of MPI; empty else.
        note: What does not fit together; empty where all does.
    """

    policy: str
    nodes: int
    processes: int | str
    size: int | None
    gpus_asked: int
    gpus_used: int
    lines: tuple[tuple[str, str], ...]
    more: int = 0
    hostfile: str = ""
    note: str = ""


def world(info: Info) -> World:
    """The world of a job."""
    policy = next(
        (key for key in info.spec.runtime.ml_policy or {} if key != "numNodes"), "plainml"
    )
    asked = sum(_pods(pod_set) * _gpus(pod_set) for pod_set in info.pod_sets)
    if policy == "mpi":
        return _mpi(info, asked)
    trainer = info.trainer
    node = trainer.node if trainer else None
    if trainer is None or node is None:
        return World(policy, 0, 0, 0, asked, asked, ())
    nodes, per_node = _pods(trainer), gpus(node.resources)
    processes = _processes(policy, info, node, per_node)
    each = processes if isinstance(processes, int) else per_node or None
    idle = 0 if policy != "torch" or each is None else nodes * max(per_node - each, 0)
    lines = tuple(_lines(policy, info, trainer, node))
    words = (*(node.command or ()), *(node.args or ()))
    lonely = policy == "torch" and words and processes != 1 and not _torchrun(words, {})
    return World(
        policy,
        nodes,
        processes,
        None if each is None else nodes * each,
        asked,
        asked - idle,
        lines,
        max(nodes - len(lines), 0),
        note=_LONELY if lonely else "",
    )


def _pods(pod_set: PodSet) -> int:
    return pod_set.count * pod_set.replicas


def _gpus(pod_set: PodSet) -> int:
    return sum(gpus(each.resources) for each in pod_set.containers)


def _processes(policy: str, info: Info, node: Container, per_node: int) -> int | str:
    """Processes of one node, as the policy tells them."""
    env = {item["name"]: str(item.get("value", "")) for item in node.env}
    if policy == "torch":
        told = env.get("PET_NPROC_PER_NODE", "1")
        return int(told) if COUNT.fullmatch(told) else told
    trainer = info.trainer
    if (
        policy == "xgboost"
        and COUNT.fullmatch(env.get("DMLC_NUM_WORKER", ""))
        and trainer is not None
    ):
        return int(env["DMLC_NUM_WORKER"]) // max(_pods(trainer), 1)
    if policy == "flux":
        wanted = info.spec.job.trainer
        own = ((info.spec.runtime.ml_policy or {}).get("flux") or {}).get("numProcPerNode")
        return (wanted.num_proc_per_node if wanted else None) or own or 1
    return 1


def _lines(policy: str, info: Info, trainer: PodSet, node: Container) -> Iterator[tuple[str, str]]:
    """What each node runs, the first of them."""
    words = [*(node.command or ()), *(node.args or ())]
    for rank, host in zip(range(_MOST), info.hosts(trainer), strict=False):
        env = _env(node, rank % max(trainer.count, 1))
        line = _torchrun(words, env) if policy == "torch" else ""
        yield host.partition(".")[0], line or _with_env(words, env, info)


def _env(node: Container, rank: int) -> dict[str, str]:
    """The variables that are known before the pods are, the rank of a node among them."""
    out = {}
    for item in node.env:
        source = (item.get("valueFrom") or {}).get("fieldRef") or {}
        if source.get("fieldPath") == names.JOB_INDEX_FIELD:
            out[item["name"]] = str(rank)
        elif "valueFrom" not in item:
            out[item["name"]] = str(item.get("value", ""))
    return out


def _torchrun(words: Sequence[str], env: Mapping[str, str]) -> str:
    """The torchrun line with its flags in words; empty where the command does not call it."""
    flags = [f"{flag}={env[name]}" for name, flag in _FLAGS.items() if name in env]
    for index, word in enumerate(words):
        if word.rpartition("/")[2] == "torchrun" or word == "torch.distributed.run":
            return shlex.join([*words[: index + 1], *flags, *words[index + 1 :]])
    if len(words) > 2 and words[0] in _SHELLS and "torchrun" in words[2]:
        script = words[2].replace("torchrun", f"torchrun {shlex.join(flags)}", 1)
        return shlex.join([*words[:2], script, *words[3:]])
    if list(words[:2]) == ["tune", "run"]:
        known = {word.partition("=")[0].replace("_", "-") for word in words}
        more = [flag for flag in flags if flag.partition("=")[0] not in known]
        return shlex.join([*words[:2], *more, *words[2:]])
    return ""


def _with_env(words: Sequence[str], env: Mapping[str, str], info: Info) -> str:
    """The variables that neither job nor runtime wrote, then the command."""
    written = {item["name"] for item in info.spec.job.env}
    trainer = info.trainer
    node = trainer.node if trainer else None
    written |= {item["name"] for item in (node.raw.get("env") or () if node else ())}
    told = [f"{name}={shlex.quote(value)}" for name, value in env.items() if name not in written]
    return " ".join([*told, shlex.join(words) if words else "(the image's own command)"])


def _mpi(info: Info, asked: int) -> World:
    """The launcher's line, and the slots of its hostfile."""
    hostfile = next((_data(each) for each in info.objects if _is_hostfile(each)), "")
    slots = [int(line.rpartition("slots=")[2]) for line in hostfile.splitlines()]
    launcher = info.pod_set(names.LAUNCHER) or info.trainer
    workers = info.pod_set(names.NODE)
    per_node = _gpus(workers) if workers else 0
    node = launcher.node if launcher else None
    words = [*(node.command or ()), *(node.args or ())] if node else []
    line = shlex.join(words) if words else "(the image's own command)"
    lines = ((f"{info.name}-{launcher.name}-0-0", line),) if launcher else ()
    return World(
        "mpi",
        len(slots),
        slots[0] if slots else 0,
        sum(slots),
        asked,
        asked - sum(max(per_node - count, 0) for count in slots),
        lines,
        hostfile=hostfile,
    )


def _is_hostfile(manifest: Mapping[str, Any]) -> bool:
    return manifest["kind"] == "ConfigMap" and "hostfile" in (manifest.get("data") or {})


def _data(manifest: Mapping[str, Any]) -> str:
    return str(manifest["data"]["hostfile"])
