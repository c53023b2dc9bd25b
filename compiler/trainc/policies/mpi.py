"""MPI: workers that wait for ssh, a launcher that knows them by a hostfile, and a key they share.

Source: ``pkg/runtime/framework/plugins/mpi`` of v2.3.0 and KEP-2170; controlplane facts 3.7.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

from trainc import codes, names
from trainc.errors import Problem
from trainc.info.counts import too_many_hosts
from trainc.info.info import Info
from trainc.info.place import with_job_env, with_resources, with_settings
from trainc.info.podset import PodSet, env_items
from trainc.info.rendezvous import partial, resources_of_node
from trainc.kube.resources import gpus
from trainc.policy import Policy
from trainc.spec.spec import runtime_problem
from trainc.spec.trainjob import Path

RESERVED: Final = frozenset(
    {
        "OMPI_MCA_orte_default_hostfile",
        "OMPI_MCA_plm_rsh_args",
        "OMPI_MCA_orte_keep_fqdn_hostnames",
        "OMPI_MCA_orte_set_default_slots",
        "PRTE_MCA_plm_ssh_args",
        "PRTE_MCA_prte_default_hostfile",
    }
)
_SSH_ARGS: Final = "-o ConnectionAttempts=10"

if TYPE_CHECKING:
    from annotated_types import Ge, Len
_HOSTFILE_DIR: Final = "/etc/mpi"
_SSH_VOLUME: Final = "mpi-ssh-auth"
_HOSTFILE_VOLUME: Final = "mpi-hostfile"


@dataclass(frozen=True)
class Settings:
    """What a runtime may write under ``spec.mlPolicy.mpi``."""

    num_proc_per_node: Annotated[int, Ge(1)] = 1
    mpi_implementation: str = "OpenMPI"
    ssh_auth_mount_path: Annotated[str, Len(0, 4096)] = "/root/.ssh"
    run_launcher_as_node: bool = False


def place(info: Info, settings: Settings) -> Info:
    """Gives counts and resources to the nodes: workers, and a launcher that is a node too."""
    trainer = info.spec.job.trainer
    if info.spec.compat.keeps("mpi-launcher-takes-all"):
        return _place_as_reference(info, settings)
    if trainer is not None:
        info = with_settings(info, trainer)
    info = with_resources(info, lambda pod_set: _is_node(pod_set, settings))
    launcher = info.trainer
    if launcher is not None and launcher.name != names.NODE:
        own = launcher.raw["template"]["spec"].get("parallelism", 1)
        info = info.with_pod_set(launcher.with_count(max(own, 1)))
    nodes = _nodes(info)
    workers = info.pod_set(names.NODE)
    if nodes is None or workers is None:
        return info
    return info.with_pod_set(workers.with_count(_workers(info, settings, nodes)))


def _place_as_reference(info: Info, settings: Settings) -> Info:
    """v2.3.0: the runtime's count and the job's resources go to the job labelled trainer."""
    trainer = info.spec.job.trainer
    before = info.trainer
    if trainer is None:
        return info
    info = with_settings(info, trainer)
    info = with_resources(
        info,
        lambda pod_set: (
            pod_set.ancestor == names.TRAINER
            or (settings.run_launcher_as_node and pod_set.name == names.NODE)
        ),
    )
    if before is not None and before.name != names.NODE and trainer.resources is not None:
        at = ("spec", "trainer", "resourcesPerNode")
        message = f"goes to the job {before.name}, not to the workers"
        if not settings.run_launcher_as_node:
            info = info.with_quirk("mpi-launcher-takes-all", at, message)
    workers = info.pod_set(names.NODE)
    if trainer.num_nodes is None or workers is None:
        return info
    return info.with_pod_set(workers.with_count(_workers(info, settings, trainer.num_nodes)))


def _workers(info: Info, settings: Settings, nodes: int) -> int:
    """Nodes that are workers: all, or all but the launcher."""
    if not settings.run_launcher_as_node:
        return nodes
    return max(nodes - 1, 1 if info.spec.compat.keeps("mpi-lonely-launcher") else 0)


def _is_node(pod_set: PodSet, settings: Settings) -> bool:
    if pod_set.name == names.NODE:
        return True
    return settings.run_launcher_as_node and pod_set.ancestor == names.TRAINER


def _nodes(info: Info) -> int | None:
    """Nodes asked for, by the job or else by the runtime; None where the template says."""
    trainer = info.spec.job.trainer
    if trainer is not None and trainer.num_nodes is not None:
        return trainer.num_nodes
    nodes: int | None = (info.spec.runtime.ml_policy or {}).get("numNodes")
    return nodes


def check(info: Info, settings: Settings) -> Iterator[Problem]:
    """Refuses env that the policy sets itself, a launcher as node without both jobs, counts."""
    spec = info.spec
    for index, item in enumerate(spec.job.env):
        if item["name"] in RESERVED:
            message = f"{item['name']} is set by the mpi policy and must not be set by a job"
            place: Path = ("spec", "trainer", "env", index, "name")
            yield spec.problem(place, message, field="spec.trainer.env", code=codes.POLICY)
    nodes = spec.job.trainer.num_nodes if spec.job.trainer else None
    missing = [n for n in (names.LAUNCHER, names.NODE) if info.pod_set(n) is None]
    if settings.run_launcher_as_node and (nodes or 1) > 1 and missing:
        message = f"{spec.runtime.label} runs its launcher as a node and has no job {missing[0]}"
        yield spec.problem(("spec", "trainer", "numNodes"), message, code=codes.POLICY)
    launcher = info.pod_set(names.LAUNCHER)
    if _has_no_hosts(info, settings) and launcher is not None and launcher.node is not None:
        at = ("spec", "mlPolicy", "mpi", "mpiImplementation")
        yield runtime_problem(
            spec.runtime, at, "must be OpenMPI", hint="remove the field", code=codes.POLICY
        )
    if settings.run_launcher_as_node and _nodes(info) == 1:
        yield from _lonely(info)
    yield from too_many_hosts(info, _hosting(info, settings))


def _has_no_hosts(info: Info, settings: Settings) -> bool:
    """Whether the hostfile stays empty: v2.3.0 writes hosts for a named implementation only."""
    return not settings.mpi_implementation and info.spec.compat.keeps("mpi-implementation")


def _lonely(info: Info) -> Iterator[Problem]:
    at = ("spec", "trainer", "numNodes")
    if info.spec.compat.keeps("mpi-lonely-launcher"):
        yield from info.spec.quirk("mpi-lonely-launcher", at, "one node is asked for, two run")
    else:
        message = "the launcher is the one node, so no worker runs"
        hint = "numNodes counts the launcher, because the runtime sets runLauncherAsNode"
        yield info.spec.problem(at, message, severity="warning", hint=hint, code=codes.POLICY)


def enforce(info: Info, settings: Settings) -> Info:
    """Gives all nodes the ssh key, and the launcher the hostfile and mpirun's settings."""
    workers = info.pod_set(names.NODE)
    info = partial(info, workers or info.trainer)
    slots = _slots(info, settings, workers or info.trainer)
    info = info.with_pod_sets(lambda pod_set: _wired(info, pod_set, settings, slots))
    if settings.run_launcher_as_node:
        # A trainer gets its env later, after all that others set.
        info = with_job_env(info, lambda p: p.name == names.NODE and p.ancestor != names.TRAINER)
    lines = "".join(
        f"{host} slots={slots}\n"
        for pod_set in _hosting(info, settings)
        for host in info.hosts(pod_set)
        if not _has_no_hosts(info, settings)
    )
    hostfile = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"{info.name}-mpi-hostfile"},
        "data": {"hostfile": lines},
    }
    return info.with_object(hostfile).with_secret(f"{info.name}{names.MPI_SSH_SUFFIX}", "ssh")


def _hosting(info: Info, settings: Settings) -> list[PodSet]:
    """The pod sets that mpirun starts processes on."""
    hosts = {names.NODE, names.LAUNCHER} if settings.run_launcher_as_node else {names.NODE}
    return [pod_set for pod_set in info.pod_sets if pod_set.name in hosts]


def _slots(info: Info, settings: Settings, nodes: PodSet | None) -> int:
    trainer = info.spec.job.trainer
    if trainer is not None and trainer.num_proc_per_node is not None:
        return trainer.num_proc_per_node
    gpu = gpus(resources_of_node(info, nodes))
    return gpu if settings.num_proc_per_node == 1 and gpu > 1 else settings.num_proc_per_node


def _wired(info: Info, pod_set: PodSet, settings: Settings, slots: int) -> PodSet:
    if pod_set.name not in (names.NODE, names.LAUNCHER):
        return pod_set
    launcher = pod_set.name == names.LAUNCHER
    compat = info.spec.compat
    volumes = [_ssh_volume(info.name, 0o640 if compat.keeps("mpi-key-mode") else 0o600)]
    mounts = [{"name": _SSH_VOLUME, "mountPath": settings.ssh_auth_mount_path}]
    env: dict[str, str] = {}
    if launcher:
        volumes.append(_hostfile_volume(info.name))
        mounts.append({"name": _HOSTFILE_VOLUME, "mountPath": _HOSTFILE_DIR})
        env = {
            "OMPI_MCA_orte_default_hostfile": f"{_HOSTFILE_DIR}/hostfile",
            "OMPI_MCA_orte_keep_fqdn_hostnames": "true",
            "OMPI_MCA_orte_set_default_slots": str(slots),
            "OMPI_MCA_plm_rsh_args": _SSH_ARGS,
        }
        if not compat.keeps("openmpi-5"):
            # Not prte_keep_fqdn_hostnames: PRRTE would then ssh to its own launcher, and fail.
            env["PRTE_MCA_plm_ssh_args"] = _SSH_ARGS
            env["PRTE_MCA_prte_default_hostfile"] = f"{_HOSTFILE_DIR}/hostfile"
    pod_set = pod_set.with_volumes(*volumes)
    node = pod_set.node
    if node is None:
        return pod_set
    return pod_set.with_node(node.with_mounts(*mounts).with_env(env_items(env)))


def _ssh_volume(name: str, mode: int) -> dict[str, Any]:
    """The key pair; ssh refuses a private key of its own user that the group can read."""
    return {
        "name": _SSH_VOLUME,
        "secret": {
            "secretName": f"{name}{names.MPI_SSH_SUFFIX}",
            "items": [
                {"key": "ssh-privatekey", "path": "id_rsa", "mode": mode},
                {"key": "ssh-publickey", "path": "id_rsa.pub", "mode": 0o644},
                {"key": "ssh-publickey", "path": "authorized_keys", "mode": 0o644},
            ],
            "defaultMode": 0o400,
        },
    }


def _hostfile_volume(name: str) -> dict[str, Any]:
    return {
        "name": _HOSTFILE_VOLUME,
        "configMap": {
            "name": f"{name}-mpi-hostfile",
            "items": [{"key": "hostfile", "path": "hostfile", "mode": 0o444}],
        },
    }


POLICY = Policy(key="mlPolicy.mpi", settings=Settings, enforce=enforce, check=check, place=place)
