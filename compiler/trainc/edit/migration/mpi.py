"""MPIJob (kubeflow.org/v1 and v2beta1) to a TrainJob and its runtime.

Launcher and workers become two jobs of the runtime, joined by the mpi policy: a hostfile, and SSH
with a key of the job's own. Under v1 workers were reached without SSH, so their image needs sshd.
"""

from __future__ import annotations

from typing import Any

from trainc import names
from trainc.edit.migration.jobs import OldJob, clean_pods, containers_of, template_of
from trainc.edit.migration.part import Lost, Part, keep_comment, new

_REPLICAS = "mpiReplicaSpecs"
_NEVER = "Never"
_SSHD = {"command": ["/usr/sbin/sshd"], "args": ["-De"]}


def from_mpi(root: Any, lost: list[Lost]) -> list[dict[str, Any]]:
    """The TrainJob and the runtime of an MPIJob."""
    old = OldJob(root, lost)
    spec = old.spec
    clean_pods(spec)
    replicas = spec.part(_REPLICAS)
    launcher, worker = replicas.part("Launcher"), replicas.part("Worker")
    replicas.close()
    if not (launcher.node and worker.node):
        spec.lose("needs both Launcher and Worker", _REPLICAS)
        return []
    if launcher.number("replicas", 1) != 1:
        launcher.lose("a TrainJob has one launcher", "replicas")
    is_node = spec.take("runLauncherAsWorker") is True
    nodes = worker.number("replicas", 1) + is_node
    trainer = new(numNodes=nodes, numProcPerNode=spec.number("slotsPerWorker", 1))
    # v2beta1 restarts a launcher, as a JobSet does.
    restart = _NEVER if root["apiVersion"] == "kubeflow.org/v1" else ""
    jobs = [_worker(worker), _launcher(launcher, spec, trainer, restart)]
    old.jobset["network"] = new(publishNotReadyAddresses=True)
    old.jobset["successPolicy"] = new(operator="All", targetReplicatedJobs=[names.LAUNCHER])
    return old.finished(trainer, new(numNodes=nodes, mpi=_policy(spec, is_node)), jobs)


def _policy(spec: Part, is_node: bool) -> dict[str, Any]:
    policy = new(mpiImplementation="OpenMPI")
    if spec.take("mpiImplementation", "OpenMPI") != "OpenMPI":
        spec.lose("is not supported", "mpiImplementation", "OpenMPI alone is")
    spec.move("sshAuthMountPath", policy)
    policy["runLauncherAsNode"] = is_node
    return policy


def _worker(replica: Part) -> dict[str, Any]:
    template, spec = template_of(replica, _NEVER)
    main, containers = containers_of(spec, "")
    if main is not None and not main.node.get("command"):
        if main.node.get("args"):
            main.lose("are of an entrypoint that starts no sshd", "args", "write its command")
        containers[0].update({key: list(words) for key, words in _SSHD.items()})
    template["spec"]["containers"] = containers
    keep_comment(spec.node, "containers", template["spec"], "containers")
    replica.close()
    return new(name=names.NODE, template=new(spec=new(template=template)))


def _launcher(replica: Part, spec: Part, trainer: dict[str, Any], restart: str) -> dict[str, Any]:
    template, pod = template_of(replica, restart)
    main, containers = containers_of(pod, spec.take("mainContainer", ""))
    for number, container in enumerate(containers):
        if main is not None and container.get("name") == names.NODE:
            part, rest = Part(container, main.path, main.lost), new()
            for key in container:
                part.move(key, trainer if key in ("command", "args") else rest)
            containers[number] = rest
    template["spec"]["containers"] = containers
    keep_comment(pod.node, "containers", template["spec"], "containers")
    replica.close()
    job = new(name=names.LAUNCHER)
    if spec.take("launcherCreationPolicy", "") != "AtStartup":
        job["dependsOn"] = [new(name=names.NODE, status="Ready")]
    labels = new(labels={names.ANCESTOR: names.TRAINER})
    job["template"] = new(metadata=labels, spec=new(template=template))
    return job
