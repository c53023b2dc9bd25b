"""What the old operators made of a job: the pods, what runs in them, how often they start again.

Written down from the Training Operator v1.9 (``pkg/controller.v1``, ``core/job.go``) and the MPI
Operator v0.6 (``pkg/controller``), independently of ``trainc migrate``, which is held to it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.gitops.kubelet import Run, run

SPECS = {
    "PyTorchJob": ("pytorchReplicaSpecs", "pytorch", "pytorchjob-port", 23456, "OnFailure"),
    "JAXJob": ("jaxReplicaSpecs", "jax", "jaxjob-port", 6666, "Never"),
    "XGBoostJob": ("xgbReplicaSpecs", "xgboost", "xgboostjob-port", 9999, "Never"),
}
Env = list[tuple[str, str]]


@dataclass
class OldPod:
    """A pod of an old job.

    Attributes:
        host: The name that others reach it by.
        index: Its rank, as the operator counts.
        runs: What runs in each container, the main one under ``node``.
        inits: The same of init containers.
    """

    host: str
    index: int
    kind: str
    runs: dict[str, Run] = field(default_factory=dict)
    inits: dict[str, Run] = field(default_factory=dict)


def replicas_of(job: Any) -> dict[str, Any]:
    """The replicas of a job by kind, Master or Launcher first."""
    key = "mpiReplicaSpecs" if job["kind"] == "MPIJob" else SPECS[job["kind"]][0]
    specs = job["spec"][key]
    return {kind: specs[kind] for kind in ("Launcher", "Master", "Worker") if specs.get(kind)}


def old_pods(job: Any) -> Iterator[OldPod]:
    """The pods of a job, and what runs in each container."""
    rank = 0
    for kind, replica in replicas_of(job).items():
        for number in range(replica.get("replicas", 1)):
            name = f"{job['metadata']['name']}-{kind.lower()}"
            alone = job["kind"] == "MPIJob" and kind == "Launcher"
            host = name if alone else f"{name}-{number}"
            pod = OldPod(host, rank, kind)
            labels = {"replica-index": str(number), "job-name": job["metadata"]["name"]}
            labels["replica-type"] = kind.lower()
            fields = {"metadata.name": host}
            for key, value in labels.items():
                fields[f"metadata.labels['training.kubeflow.org/{key}']"] = value
            spec = replica["template"]["spec"]
            more = variables(job, kind, rank)
            main = main_of(job, spec)
            for container in spec["containers"]:
                mine = "node" if container["name"] == main else container["name"]
                own = more if job["kind"] != "MPIJob" or mine == "node" else []
                pod.runs[mine] = run(_with_defaults(job, kind, container), own, fields)
            for container in spec.get("initContainers", ()):
                pod.inits[container["name"]] = run(container, [], fields)
            yield pod
            rank += 1


def main_of(job: Any, spec: Any) -> str:
    """The name of a pod's main container."""
    if job["kind"] in SPECS:
        return SPECS[job["kind"]][1]
    main: str = spec["containers"][0]["name"]
    return main


def variables(job: Any, kind: str, rank: int) -> Env:
    """What the operator appends to the env of a container."""
    return {
        "PyTorchJob": _pytorch,
        "JAXJob": _jax,
        "XGBoostJob": _xgboost,
        "MPIJob": _mpi,
    }[job["kind"]](job, kind, rank)


def _total(job: Any) -> int:
    return sum(replica.get("replicas", 1) for replica in replicas_of(job).values())


def _port(job: Any, kind: str) -> str:
    _, main, name, port, _ = SPECS[job["kind"]]
    for container in replicas_of(job)[kind]["template"]["spec"]["containers"]:
        for each in container.get("ports", ()) if container["name"] == main else ():
            if each.get("name") == name:
                return str(each["containerPort"])
    return str(port)


def _pytorch(job: Any, kind: str, rank: int) -> Env:
    name, spec, replicas = job["metadata"]["name"], job["spec"], replicas_of(job)
    elastic = spec.get("elasticPolicy")
    written = spec.get("nprocPerNode")
    nproc = written or ("auto" if not elastic or "nProcPerNode" not in elastic else None)
    size = _total(job) * (int(nproc) if nproc and nproc.isdigit() else 1)
    env: Env = [("PYTHONUNBUFFERED", "1")]
    if "Master" in replicas:
        host, port = f"{name}-master-0", _port(job, "Master")
        env += [("MASTER_PORT", port), ("PET_MASTER_PORT", port), ("MASTER_ADDR", host)]
        env += [("PET_MASTER_ADDR", host), ("WORLD_SIZE", str(size)), ("RANK", str(rank))]
        env += [("PET_NODE_RANK", str(rank))]
    if nproc is not None:
        env += [("PET_NPROC_PER_NODE", nproc)]
    if not elastic:
        return [*env, ("PET_NNODES", str(_total(job)))]
    host = elastic.get("rdzvHost", f"{name}-worker-0")
    env += [("PET_RDZV_ENDPOINT", f"{host}:{elastic.get('rdzvPort', _port(job, 'Worker'))}")]
    env += [("PET_RDZV_BACKEND", elastic.get("rdzvBackend", "c10d"))]
    if "maxRestarts" in elastic:
        env += [("PET_MAX_RESTARTS", str(elastic["maxRestarts"]))]
    if "nProcPerNode" in elastic:
        env += [("PET_NPROC_PER_NODE", str(elastic["nProcPerNode"]))]
    if "rdzvConf" in elastic:
        settings = ",".join(f"{each['key']}={each['value']}" for each in elastic["rdzvConf"])
        env += [("PET_RDZV_CONF", settings)]
    return env


def _jax(job: Any, kind: str, rank: int) -> Env:
    return [
        ("PYTHONUNBUFFERED", "1"),
        ("COORDINATOR_PORT", _port(job, "Worker")),
        ("COORDINATOR_ADDRESS", f"{job['metadata']['name']}-worker-0"),
        ("NUM_PROCESSES", str(_total(job))),
        ("PROCESS_ID", str(rank)),
    ]


def _xgboost(job: Any, kind: str, rank: int) -> Env:
    name, total = job["metadata"]["name"], _total(job)
    env: Env = [
        ("MASTER_PORT", _port(job, "Master")),
        ("MASTER_ADDR", f"{name}-master-0"),
        ("WORLD_SIZE", str(total)),
        ("RANK", str(rank)),
        ("PYTHONUNBUFFERED", "1"),
    ]
    if total > 1:
        hosts = ",".join(f"{name}-worker-{number}" for number in range(total - 1))
        env += [("WORKER_PORT", _port(job, "Worker")), ("WORKER_ADDRS", hosts)]
    return env


def _mpi(job: Any, kind: str, rank: int) -> Env:
    first = job["apiVersion"] == "kubeflow.org/v1"
    limits = [
        str(key)
        for each in replicas_of(job)["Launcher"]["template"]["spec"]["containers"]
        for key in each.get("resources", {}).get("limits", {})
    ]
    is_node = any("gpu" in key for key in limits) if first else job["spec"].get(
        "runLauncherAsWorker", False
    )  # fmt: skip
    env: Env = [] if first else [("K_MPI_JOB_ROLE", kind.lower())]
    if kind == "Launcher":
        env += [("OMPI_MCA_orte_default_hostfile", "/etc/mpi/hostfile")]
        if not is_node:
            env += [("NVIDIA_VISIBLE_DEVICES", ""), ("NVIDIA_DRIVER_CAPABILITIES", "")]
    return env


def _with_defaults(job: Any, kind: str, container: Any) -> Any:
    """A worker without a command waits to be reached; sshd stands in for v1's sleep."""
    if job["kind"] != "MPIJob" or kind != "Worker" or container.get("command"):
        return container
    return {**container, "command": ["/usr/sbin/sshd"], "args": ["-De"]}


def restarts_of(job: Any, kind: str) -> float:
    """How many starts after the first a failing job has, before it has failed."""
    replica = replicas_of(job)[kind]
    limit = job["spec"].get("runPolicy", {}).get("backoffLimit")
    if job["kind"] != "MPIJob":
        default = SPECS[job["kind"]][4]
    elif job["apiVersion"] == "kubeflow.org/v1" or kind == "Worker":
        default = "Never"
    else:
        return 6 if limit is None else limit  # of the launcher's Job
    if replica.get("restartPolicy", default) == "Never":
        return 0
    if job["apiVersion"] != "kubeflow.org/v1" or limit is None:
        return float("inf")
    return float(limit)
