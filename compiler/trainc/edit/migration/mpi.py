"""MPIJob (kubeflow.org/v1 and v2beta1) to a TrainJob and its runtime.

Launcher and workers become two jobs of the runtime, joined by the mpi policy: a hostfile, and SSH
with a key of the job's own. Source: Training Operator v1.9 ``mpi/mpijob_controller.go`` (v1:
kubectl exec in place of SSH, workers that sleep) and MPI Operator v0.6 (v2beta1: SSH, a Job for the
launcher).
"""

from __future__ import annotations

import re
from typing import Any

from trainc import names
from trainc.edit.migration.environment import Program, program_of, with_env
from trainc.edit.migration.hosts import Group, Hosts
from trainc.edit.migration.jobs import OldJob, containers_of, template_of
from trainc.edit.migration.part import Lost, Part, keep_comment, new
from trainc.edit.migration.renaming import Renaming
from trainc.edit.migration.restarts import RestartPolicy, Restarts, policy_of, restarts
from trainc.edit.migration.sequence import list_like, quoted

_REPLICAS = "mpiReplicaSpecs"
_SSHD = {"command": ["/usr/sbin/sshd"], "args": ["-De"]}
_STARTS_SSHD = re.compile(r"\bsshd\b|\bservice\s+ssh\b|/init\.d/ssh\b|\bsystemctl\s+start\s+ssh")
# What the old operators put there, and the mpi policy does not.
_GONE = re.compile(r"kubexec\.sh|discover_hosts\.sh|/opt/kube\b")
_INTEL = "I_MPI_"
_GPU = re.compile("gpu")
# The old operators hid the GPUs of its node from a launcher that has none.
_NO_GPUS = ("NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES")
_ROLE = "K_MPI_JOB_ROLE"


class _Mpi:
    """An MPIJob that is taken apart."""

    def __init__(self, root: Any, lost: list[Lost]) -> None:
        self.old = OldJob(root, lost)
        self.is_first = root["apiVersion"] == "kubeflow.org/v1"
        spec = self.old.spec
        self.old.clean_pods(spec)
        replicas = spec.part(_REPLICAS)
        self.launcher, self.worker = replicas.part("Launcher"), replicas.part("Worker")
        replicas.close()
        self.main = spec.text("mainContainer") if self.is_first else ""

    def check(self) -> bool:
        """Whether both kinds of replicas are there, in numbers that a TrainJob can have."""
        if not (self.launcher.node and self.worker.node):
            self.old.spec.lose("needs both Launcher and Worker", _REPLICAS)
            return False
        if self.launcher.number("replicas", 1) != 1:
            self.launcher.lose("a TrainJob has one launcher", "replicas")
        self.workers = self.worker.number("replicas", 0)
        if self.workers < 1:
            self.worker.lose("must be at least 1", "replicas", "without a number there are none")
        self.is_node = self.old.spec.flag("runLauncherAsWorker") or (
            self.is_first and _has_gpus(self.launcher)
        )
        groups = {
            "worker": Group(names.NODE, 0, max(self.workers, 1)),
            "launcher": Group(names.LAUNCHER, 0, 1),
        }
        renaming = Renaming(Hosts(self.old.name, groups, mpi=True), groups, self.old.lost)
        renaming.template(self.worker, "worker")
        renaming.template(self.launcher, "launcher")
        return True

    def restarts(self) -> tuple[Restarts, Restarts]:
        """How the workers' Job and the launcher's start again."""
        worker = policy_of(self.worker, "Never")
        launcher = policy_of(self.launcher, "Never" if self.is_first else "OnFailure")
        limit = self.old.limit
        if not self.is_first:  # backoffLimit is that of the launcher's Job
            return restarts(worker, None), Restarts(launcher, limit)
        if limit and worker != launcher:
            return _in_place(worker, limit), _in_place(launcher, limit)
        both = restarts(worker, limit), restarts(launcher, limit)
        self.old.restart_all(both[0].job_set)
        return both


def _in_place(policy: RestartPolicy, limit: int) -> Restarts:
    """One of two Jobs restarts: it counts containers as the operator counted them."""
    return Restarts(policy, limit if policy == "OnFailure" else 0)


def from_mpi(root: Any, lost: list[Lost]) -> list[dict[str, Any]]:
    """The TrainJob and the runtime of an MPIJob."""
    mpi = _Mpi(root, lost)
    if not mpi.check():
        return []
    old, spec = mpi.old, mpi.old.spec
    nodes = mpi.workers + mpi.is_node
    trainer = new(numNodes=nodes, numProcPerNode=spec.number("slotsPerWorker", 1))
    worker, launcher = mpi.restarts()
    jobs = [_worker(mpi, worker), _launcher(mpi, trainer, launcher)]
    old.jobset["network"] = new(publishNotReadyAddresses=True)
    old.jobset["successPolicy"] = new(operator="All", targetReplicatedJobs=[names.LAUNCHER])
    if mpi.is_first:
        hint = "and ssh in the launcher's image must take the keys of new hosts"
        message = "workers are reached by SSH now: their image needs /usr/sbin/sshd and Open MPI"
        old.whole.warn(message, "", hint)
    return old.result(trainer, new(numNodes=nodes, mpi=_policy(spec, mpi.is_node)), jobs)


def _policy(spec: Part, is_node: bool) -> dict[str, Any]:
    policy = new(mpiImplementation="OpenMPI")
    if spec.take("mpiImplementation", "OpenMPI") != "OpenMPI":
        spec.lose("is not supported", "mpiImplementation", "OpenMPI alone is")
    spec.move("sshAuthMountPath", policy)
    policy["runLauncherAsNode"] = is_node
    return policy


def _worker(mpi: _Mpi, how: Restarts) -> dict[str, Any]:
    template, spec = template_of(mpi.worker)
    main, containers = containers_of(spec, template, mpi.main)
    if main is not None:
        container = _node(containers)
        _start_sshd(mpi, main, container)
        if not mpi.is_first:
            with_env(container, [new(name=_ROLE, value="worker")])
    _finish(mpi.worker, template, spec, containers)
    return new(name=names.NODE, template=new(spec=how.job(template)))


def _start_sshd(mpi: _Mpi, main: Part, container: dict[str, Any]) -> None:
    """Sees to it that a worker can be reached.

    Without a command the operator of v1 let workers sleep, whatever args there were; that of
    v2beta1 started sshd unless there were args.
    """
    program = program_of(main)
    if not program.command and (mpi.is_first or not program.args):
        container.pop("args", None)
        container.update({key: list(words) for key, words in _SSHD.items()})
    elif not _STARTS_SSHD.search(program.text):
        hint = "remove it: sshd is started then" if program.command else "write its command"
        key = "command" if program.command else "args"
        main.lose("starts no sshd, by which workers are reached", key, hint)


def _launcher(mpi: _Mpi, trainer: dict[str, Any], how: Restarts) -> dict[str, Any]:
    template, spec = template_of(mpi.launcher)
    main, containers = containers_of(spec, template, "")
    if main is not None:
        _check_program(main, program_of(main))
        number = next(n for n, each in enumerate(containers) if each.get("name") == names.NODE)
        part, rest = Part(containers[number], main.path, main.lost), new()
        for key in part.node:
            part.move(key, trainer if key in ("command", "args") else rest)
        env = [new(name=name, value=quoted("")) for name in (() if mpi.is_node else _NO_GPUS)]
        role = [] if mpi.is_first else [new(name=_ROLE, value="launcher")]
        with_env(rest, [*role, *env])
        containers[number] = rest
    _finish(mpi.launcher, template, spec, containers)
    job = new(name=names.LAUNCHER)
    if mpi.old.spec.take("launcherCreationPolicy", "") != "AtStartup":
        job["dependsOn"] = [new(name=names.NODE, status="Ready")]
    labels = new(labels={names.ANCESTOR: names.TRAINER})
    job["template"] = new(metadata=labels, spec=how.job(template))
    return job


def _finish(replica: Part, template: dict[str, Any], spec: Part, containers: list[Any]) -> None:
    template["spec"]["containers"] = list_like(containers)
    keep_comment(spec.node, "containers", template["spec"], "containers")
    replica.close()


def _check_program(main: Part, program: Program) -> None:
    """Lists what a launcher uses that is not there any more."""
    for key, words in (("command", program.command), ("args", program.args)):
        match = _GONE.search(" ".join(words))
        if match is not None:
            hint = "the hosts are in /etc/mpi/hostfile, and mpirun uses ssh"
            main.lose(f"{match[0]} is not there any more", key, hint)
    env = main.node.get("env")
    for index, item in enumerate(env if isinstance(env, list) else []):
        if isinstance(item, dict) and str(item.get("name")).startswith(_INTEL):
            place = (*main.path, "env", index)
            main.lost.append(Lost(place, "is for Intel MPI", "OpenMPI alone is supported"))


def _node(containers: list[Any]) -> dict[str, Any]:
    node: dict[str, Any] = next(each for each in containers if each.get("name") == names.NODE)
    return node


def _has_gpus(replica: Part) -> bool:
    """Whether a container asks for GPUs, as the operator of v1 looked at it: by its limits."""
    template = replica.node.get("template")
    spec = template.get("spec") if isinstance(template, dict) else None
    containers = spec.get("containers") if isinstance(spec, dict) else None
    for each in containers if isinstance(containers, list) else []:
        resources = each.get("resources") if isinstance(each, dict) else None
        limits = resources.get("limits") if isinstance(resources, dict) else None
        if isinstance(limits, dict) and any(_GPU.search(str(name)) for name in limits):
            return True
    return False
