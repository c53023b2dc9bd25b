"""The mpi policy: counts, hostfile, key and settings of the launcher."""

from __future__ import annotations

import pytest

from trainc.sample import (
    Compiled,
    Refusal,
    TestCase,
    compiled,
    replicated_job,
    runtime,
    trainjob,
)

GPUS = "resources: {limits: {nvidia.com/gpu: 4}}"


def mpi(
    settings: str = "", *, node: str = "", launcher: str = "", template: str = "", more: str = "",
) -> str:  # fmt: skip
    jobs = replicated_job("launcher", label="trainer", container=launcher)
    jobs += replicated_job("node", label="", container=node, more=more)
    return runtime(f"{{numNodes: 2, mpi: {{{settings}}}}}", jobs=jobs, template=template)


def hostfile(made: Compiled) -> list[str]:
    lines: list[str] = made.objects["ConfigMap"]["data"]["hostfile"].splitlines()
    return lines


def mounts(made: Compiled, job: str) -> dict[str, str]:
    return {m["name"]: m["mountPath"] for m in made.container(job=job)["volumeMounts"]}


CASES = [
    TestCase("one line a worker", (trainjob(), mpi()), hostfile,
             ["m-node-0-0.m slots=1", "m-node-0-1.m slots=1"]),
    TestCase("the job's count wins", (trainjob(trainer="{numNodes: 3}"), mpi()),
             lambda made: (made.count("node"), made.count("launcher"), len(hostfile(made))),
             (3, 1, 3)),
    TestCase("hosts have the subdomain", (trainjob(), mpi(template="network: {subdomain: s}")),
             lambda made: hostfile(made)[0], "m-node-0-0.s slots=1"),
    TestCase("every replica of the workers has hosts", (trainjob(), mpi(more="replicas: 2")),
             lambda made: [line.partition(".")[0] for line in hostfile(made)],
             ["m-node-0-0", "m-node-0-1", "m-node-1-0", "m-node-1-1"]),
    TestCase("a slot for each GPU", (trainjob(), mpi(node=GPUS)),
             lambda made: hostfile(made)[0], "m-node-0-0.m slots=4"),
    TestCase("the runtime's own slots are kept", (trainjob(), mpi("numProcPerNode: 2", node=GPUS)),
             lambda made: hostfile(made)[0], "m-node-0-0.m slots=2"),
    TestCase("the job's slots win", (trainjob(trainer="{numProcPerNode: 7}"),
             mpi("numProcPerNode: 2", node=GPUS)),
             lambda made: (hostfile(made)[0], made.env(job="launcher")[
                 "OMPI_MCA_orte_set_default_slots"]), ("m-node-0-0.m slots=7", "7")),
    TestCase("the launcher as node is the first host", (trainjob(trainer="{numNodes: 3}"),
             mpi("runLauncherAsNode: true")), lambda made: [
                 line.partition(".")[0] for line in hostfile(made)],
             ["m-launcher-0-0", "m-node-0-0", "m-node-0-1"]),
    TestCase("mpirun is told where its hosts stand", (trainjob(), mpi()),
             lambda made: made.env(job="launcher"), {
        "OMPI_MCA_orte_default_hostfile": "/etc/mpi/hostfile",
        "OMPI_MCA_orte_keep_fqdn_hostnames": "true",
        "OMPI_MCA_orte_set_default_slots": "1",
        "OMPI_MCA_plm_rsh_args": "-o ConnectionAttempts=10",
        "PRTE_MCA_plm_ssh_args": "-o ConnectionAttempts=10",
        "PRTE_MCA_prte_default_hostfile": "/etc/mpi/hostfile"}),
    TestCase("workers are told nothing", (trainjob(), mpi()), lambda made: made.env(), {}),
    TestCase("both hold the key, the launcher the hostfile",
             (trainjob(), mpi("sshAuthMountPath: /home/u/.ssh")),
             lambda made: (mounts(made, "node"), mounts(made, "launcher")),
             ({"mpi-ssh-auth": "/home/u/.ssh"},
              {"mpi-ssh-auth": "/home/u/.ssh", "mpi-hostfile": "/etc/mpi"})),
    TestCase("the key is readable by its owner", (trainjob(), mpi()),
             lambda made: (made.pod()["volumes"][0]["secret"]["defaultMode"],
                           [i["mode"] for i in made.pod()["volumes"][0]["secret"]["items"]]),
             (0o400, [0o600, 0o644, 0o644])),
    TestCase("the job's command runs on the launcher", (trainjob(
             trainer="{command: [mpirun, x]}"), mpi(node="command: [sleep]")),
             lambda made: (made.container(job="launcher")["command"],
                           made.container()["command"]), (["mpirun", "x"], ["sleep"])),
    TestCase("resources reach a launcher that is a node", (
             trainjob(trainer="{numNodes: 2, resourcesPerNode: {requests: {cpu: 1}}}"),
             mpi("runLauncherAsNode: true")),
             lambda made: [made.container(job=job)["resources"] for job in ("launcher", "node")],
             [{"requests": {"cpu": "1"}}] * 2),
]  # fmt: skip

REFUSALS = [
    *(
        Refusal(f"{name} is the policy's",
                (trainjob(trainer=f"{{env: [{{name: {name}, value: x}}]}}"), mpi()),
                f"spec.trainer.env: {name} is set by the mpi policy")
        for name in ("OMPI_MCA_orte_default_hostfile", "OMPI_MCA_plm_rsh_args",
                     "OMPI_MCA_orte_keep_fqdn_hostnames", "OMPI_MCA_orte_set_default_slots",
                     "PRTE_MCA_plm_ssh_args", "PRTE_MCA_prte_default_hostfile")
    ),
    Refusal("a launcher as node in a runtime without one", (trainjob(trainer="{numNodes: 2}"),
            runtime("{mpi: {runLauncherAsNode: true}}")),
            "spec.trainer.numNodes: ClusterTrainingRuntime/rt runs its launcher as a node and has"
            " no job launcher"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_compiles(case: TestCase) -> None:
    made = compiled(*case.texts)
    assert not made.errors
    assert case.look(made) == case.want


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case.name)
def test_refuses(case: Refusal) -> None:
    made = compiled(*case.texts)
    assert [e for e in made.errors if e.startswith(case.want)], made.errors
    assert not made.objects
