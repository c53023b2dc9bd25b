"""Every bullet of the sound mode, in both modes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from trainc.sample import REFERENCE, Compiled, compiled, replicated_job, runtime, trainjob
from trainc.spec.compat import SOUND, Compat

Look = Callable[[Compiled], Any]
GPU = "resources: {limits: {nvidia.com/gpu: 4}}"


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    texts: tuple[str, ...]
    look: Look
    reference: Any
    sound: Any
    quirk: str = ""


def mpi(more: str = "", **job: str) -> str:
    jobs = replicated_job("launcher", label="trainer") + replicated_job("node", label="", **job)
    return runtime(f"{{numNodes: 3, mpi: {{{more}}}}}", jobs=jobs)


def hostfile(made: Compiled) -> list[str]:
    lines: list[str] = made.objects["ConfigMap"]["data"]["hostfile"].splitlines()
    return lines


def ports(made: Compiled) -> list[int]:
    return [port["containerPort"] for port in made.container().get("ports", ())]


def patch(body: str) -> str:
    return (
        "runtimePatches: [{manager: a.io/x, trainingRuntimeSpec: {template: {spec: "
        f"{{replicatedJobs: [{body}]}}}}}}}}]"
    )


def pod_patch(pod: str, job: str = "node") -> str:
    return patch(f"{{name: {job}, template: {{spec: {{template: {{spec: {{{pod}}}}}}}}}}}")


CASES = [
    TestCase(
        "a user's port without a name is kept",
        (trainjob(), runtime("{torch: {}}", jobs=replicated_job(
            container="ports: [{containerPort: 8080}]"))),
        ports, [29500], [8080, 29500], "",
    ),
    TestCase(
        "no port is doubled",
        (trainjob(), runtime("{torch: {}}", jobs=replicated_job(
            container="ports: [{containerPort: 29500, name: rdzv}, {containerPort: 8080}]"))),
        ports, [8080, 8080], [29500, 8080],
    ),
    TestCase(
        "processes follow the merged resources",
        (trainjob(trainer="{resourcesPerNode: {requests: {memory: 1Gi}}}"),
         runtime("{torch: {}}", jobs=replicated_job(container=GPU))),
        lambda made: made.env()["PET_NPROC_PER_NODE"], "1", "auto", "partial-resources",
    ),
    TestCase(
        "the trainer gets its env without spec.trainer",
        (trainjob(trainer=None), runtime("{numNodes: 2, torch: {}}")),
        lambda made: made.env().get("PET_NNODES"), None, "2", "no-trainer-no-env",
    ),
    TestCase(
        "jax too",
        (trainjob(trainer=None), runtime("{numNodes: 2, jax: {}}")),
        lambda made: made.env().get("JAX_NUM_PROCESSES"), None, "2", "no-trainer-no-env",
    ),
    TestCase(
        "the first node's name is that of the real job",
        (trainjob(), runtime("{torch: {}}", jobs=replicated_job("worker"))),
        lambda made: made.env(job="worker")["PET_MASTER_ADDR"],
        "m-node-0-0.m", "m-worker-0-0.m", "fixed-host",
    ),
    TestCase(
        "and its domain the real subdomain",
        (trainjob(), runtime("{jax: {}}", template="network: {subdomain: ring}")),
        lambda made: made.env()["JAX_COORDINATOR_ADDRESS"],
        "m-node-0-0.m:29500", "m-node-0-0.ring:29500", "fixed-host",
    ),
    TestCase(
        "resourcesPerNode works without mlPolicy",
        (trainjob(trainer="{resourcesPerNode: {requests: {cpu: 2}}}"),
         runtime("null")),
        lambda made: made.container().get("resources"),
        None, {"requests": {"cpu": "2"}}, "resources-need-policy",
    ),
    TestCase(
        "and keeps claims",
        (trainjob(trainer="{resourcesPerNode: {requests: {cpu: 2}}}"),
         runtime("{torch: {}}", jobs=replicated_job(
             container="resources: {claims: [{name: c}]}",
             pod="resourceClaims: [{name: c, resourceClaimTemplateName: t}]"))),
        lambda made: made.container()["resources"].get("claims"),
        None, [{"name": "c"}], "claims-lost",
    ),
    TestCase(
        "patching a volume's source replaces it",
        (trainjob(pod_patch("volumes: [{name: v, persistentVolumeClaim: {claimName: c}}]")),
         runtime("{torch: {}}", jobs=replicated_job(pod="volumes: [{name: v, emptyDir: {}}]"))),
        lambda made: sorted(made.pod()["volumes"][0]),
        ["emptyDir", "name", "persistentVolumeClaim"], ["name", "persistentVolumeClaim"],
    ),
    TestCase(
        "fileKeyRef survives",
        (trainjob(trainer="{env: [{name: A, valueFrom: {fileKeyRef: "
                          "{volumeName: v, path: p, key: k}}}]}"),
         runtime("{torch: {}}", jobs=replicated_job(pod="volumes: [{name: v, emptyDir: {}}]"))),
        lambda made: made.env()["A"],
        {}, {"fileKeyRef": {"volumeName": "v", "path": "p", "key": "k", "optional": False}},
    ),
    TestCase(
        "MPI workers get the runtime's count",
        (trainjob(), mpi()),
        lambda made: (made.count("launcher"), made.count("node")), (3, 1), (1, 3),
    ),
    TestCase(
        "and the job's resources",
        (trainjob(trainer="{resourcesPerNode: {requests: {cpu: 2}}}"), mpi()),
        lambda made: ["resources" in made.container(job=job) for job in ("launcher", "node")],
        [True, False], [False, True], "mpi-launcher-takes-all",
    ),
    TestCase(
        "a launcher that is a node counts as one",
        (trainjob(trainer="{numNodes: 4}"), mpi("runLauncherAsNode: true")),
        lambda made: hostfile(made)[0], "m-launcher-0-0.m slots=1", "m-launcher-0-0.m slots=1",
    ),
    TestCase(
        "alone it has one line in the hostfile",
        (trainjob(trainer="{numNodes: 1}"), mpi("runLauncherAsNode: true")),
        lambda made: [line.split("-")[1] for line in hostfile(made)],
        ["launcher", "launcher", "launcher", "node"], ["launcher"], "mpi-lonely-launcher",
    ),
    TestCase(
        "replicas stays as written",
        (trainjob(), runtime("{torch: {}}", jobs=replicated_job() + replicated_job(
            "extra", label="", more="replicas: 0"))),
        lambda made: made.job("extra").get("replicas"), None, 0,
    ),
    TestCase(
        "an initializer is found by name",
        (trainjob("initializer: {dataset: {storageUri: 'hf://a/b'}}"),
         runtime("{torch: {}}", jobs=replicated_job() + replicated_job(
             "dataset-initializer", label="dataset-initializer",
             container="volumeMounts: [{name: initializer, mountPath: /workspace}]",
             pod="volumes: [{name: initializer, emptyDir: {}}]",
         ).replace("ancestor-step: dataset-initializer", "ancestor-step: none"))),
        lambda made: made.env("dataset-initializer", "dataset-initializer").get("STORAGE_URI"),
        None, "hf://a/b", "initializer-by-label",
    ),
    TestCase(
        "Kueue's labels reach the JobSet",
        (trainjob(metadata="labels: {kueue.x-k8s.io/queue-name: q, app: x}"),
         runtime("{torch: {}}")),
        lambda made: (made.objects["JobSet"]["metadata"].get("labels", {}).get(
            "kueue.x-k8s.io/queue-name"), "suspend" in made.jobset),
        (None, True), ("q", False),
    ),
    TestCase(
        "other labels of the TrainJob do not",
        (trainjob(metadata="labels: {app: x}"), runtime("{torch: {}}")),
        lambda made: made.objects["JobSet"]["metadata"].get("labels", {}).get("app"), None, None,
    ),
    TestCase(
        "flux mounts /dev/shm writable",
        (trainjob(trainer="{numNodes: 2}"), runtime("{flux: {}}")),
        lambda made: [m.get("readOnly", False) for m in made.container()["volumeMounts"]
                      if m["mountPath"] == "/dev/shm"],
        [True], [False], "flux-shm",
    ),
    TestCase(
        "flux asks for a task's share of the GPUs",
        (trainjob(trainer="{numNodes: 2, numProcPerNode: 2}"),
         runtime("{flux: {}}", jobs=replicated_job(container=GPU))),
        lambda made: " -g 2 " in made.objects["ConfigMap"]["data"]["entrypoint.sh"],
        False, True, "flux-gpus",
    ),
    TestCase(
        "flux passes arguments on as they are",
        (trainjob(trainer="{numNodes: 2, command: [sh, -c, 'a b']}"), runtime("{flux: {}}")),
        lambda made: (made.container()["command"][2:], made.container().get("args")),
        (["sh -c a b"], None), ([], ["sh", "-c", "a b"]), "flux-quoting",
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_both_modes(case: TestCase) -> None:
    reference, sound = compiled(*case.texts, compat=REFERENCE), compiled(*case.texts)
    assert case.look(reference) == case.reference
    assert case.look(sound) == case.sound
    if case.quirk:
        assert case.quirk in reference.warned
        assert case.quirk not in sound.warned


@dataclass(frozen=True)
class Refusal:
    __test__ = False
    name: str
    texts: tuple[str, ...]
    sound: str
    reference: str = ""


REFUSALS = [
    Refusal("an unknown job in a patch", (trainjob(pod_patch("nodeSelector: {a: b}", "nope")),
            runtime("{torch: {}}")), ".replicatedJobs[0].name: the runtime has no job"),
    Refusal("an unknown container in a patch",
            (trainjob(pod_patch("containers: [{name: x}]")), runtime("{torch: {}}")),
            '.containers[0].name: job "node" has no container "x"'),
    Refusal("a bad directive",
            (trainjob(pod_patch("nodeSelector: {$patch: remove}")),
             runtime("{torch: {}}", jobs=replicated_job(pod="nodeSelector: {a: b}"))),
            ".nodeSelector.$patch: $patch must be", ".nodeSelector.$patch: $patch must be"),
    Refusal("a $ key", (trainjob(pod_patch("nodeSelector: {$retainKeys: x}")),
            runtime("{torch: {}}")), ".nodeSelector.$retainKeys: "),
    Refusal("no nodes", (trainjob(trainer="{numNodes: 0}"), runtime("{torch: {}}")),
            "spec.trainer.numNodes: "),
    Refusal("no nodes in a runtime", (trainjob(), runtime("{numNodes: 0, torch: {}}")),
            "spec.mlPolicy.numNodes: "),
    Refusal("no processes", (trainjob(trainer="{numProcPerNode: 0}"), runtime("{torch: {}}")),
            "spec.trainer.numProcPerNode: "),
    Refusal("no processes in a runtime", (trainjob(), mpi("numProcPerNode: 0")),
            "spec.mlPolicy.mpi.numProcPerNode: "),
    Refusal("the reference fails on an empty implementation", (trainjob(), mpi(
            "mpiImplementation: ''")), "", "spec.mlPolicy.mpi.mpiImplementation: "),
    Refusal("the reference crashes on flux without nodes", (trainjob(trainer=None),
            runtime("{numNodes: 2, flux: {}}")), "", "spec.trainer.numNodes: "),
    Refusal("torchtune on as many nodes as the runtime says",
            (trainjob(trainer="{command: [tune, run]}").replace("rt}", "torchtune-llama3.2-1b}"),
             runtime("{numNodes: 2, torch: {}}", name="torchtune-llama3.2-1b")),
            "spec.trainer.numNodes: torchtune trains llama3_2/1B on one node, got 2"),
    Refusal("no image", (trainjob(trainer="{image: ''}"), runtime("{torch: {}}")),
            "spec.trainer.image: "),
]  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case.name)
def test_refusals(case: Refusal) -> None:
    for compat, want in ((SOUND, case.sound), (REFERENCE, case.reference)):
        errors = compiled(*case.texts, compat=compat).errors
        if want:
            assert any(want in error for error in errors), errors
        else:
            assert not errors


def test_two_gangs_are_refused() -> None:
    gangs = runtime("{torch: {}}").replace(
        "  template:\n    spec:",
        "  podGroupPolicy: {coscheduling: {}, volcano: {}}\n  template:\n    spec:",
        1,
    )
    assert any("spec.podGroupPolicy: " in error for error in compiled(trainjob(), gangs).errors)
    assert compiled(trainjob(), gangs, compat=REFERENCE).warned == {"two-gangs"}


@pytest.mark.parametrize("compat", [SOUND, REFERENCE], ids=["sound", "reference"])
def test_a_job_alone_needs_its_runtime(compat: Compat) -> None:
    made = compiled(trainjob(), compat=compat)
    assert made.errors == ['spec.runtimeRef: no ClusterTrainingRuntime "rt" among the inputs']
    assert not made.objects
