"""Inputs that a cluster takes in silence and that never train: found, and nothing beside them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.corpus import ROOT
from tests.lint.lint_test import plan
from trainc.errors import Problem
from trainc.pipeline import Options, compile_sources

CODES = {
    "TRC103", "TRC104", "TRC105", "TRC106", "TRC107", "TRC206", "TRC207", "TRC208", "TRC303",
    "TRC304", "TRC409", "TRC410", "TRC411",
}  # fmt: skip
IMAGE = "ghcr.io/acme/llm:1.0"
GPUS = {"limits": {"nvidia.com/gpu": 4, "rdma/ib": 4}}
SSHD = ["/usr/sbin/sshd", "-De"]


def findings(case: Case) -> list[Problem]:
    """The findings of the new codes."""
    job: dict[str, Any] = {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "metadata": {"name": "llm", "namespace": "ml", **case.metadata},
        "spec": {
            "runtimeRef": {"kind": "TrainingRuntime", "name": "own"},
            "activeDeadlineSeconds": 60,
            "trainer": {"numNodes": case.nodes, **case.trainer},
        },
    }
    runtime = {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainingRuntime",
        "metadata": {"name": "own", "namespace": "ml"},
        "spec": {
            "mlPolicy": {} if case.policy == "plain" else {case.policy: case.settings},
            "template": {"spec": {"replicatedJobs": _jobs(case), **case.jobset}},
        },
    }
    documents = [json.dumps(each) for each in (job, runtime, *case.others)]
    found = plan(documents[0] + "\n", "\n---\n".join(documents[1:]))
    wrong = [str(each) for each in found if each.severity == "error"]
    assert not wrong, wrong
    return [each for each in found if each.code in CODES]


def _jobs(case: Case) -> list[Any]:
    names = ["launcher", "node"] if case.policy == "mpi" else ["node"]
    jobs = []
    for name in names:
        container: dict[str, Any] = {"name": "node", "image": IMAGE, **case.container}
        if case.policy == "mpi" and name == "node":
            container |= {"command": SSHD, **case.worker}
        template = {"metadata": {"annotations": case.notes}, "spec": {"containers": [container]}}
        template["spec"] |= case.pod
        trainer = {"trainer.kubeflow.org/trainjob-ancestor-step": "trainer"}
        labels = trainer if name == names[0] else {}
        metadata = {"labels": labels, "annotations": case.job_notes}
        jobs.append(
            {"name": name, "template": {"metadata": metadata, "spec": {"template": template}}}
        )
    return [*jobs, *case.more]


@dataclass(frozen=True)
class Case:
    """One job.

    Attributes:
        name: What it shows.
        says: Code and message of each finding; empty for a sound job.
    """

    __test__ = False
    name: str
    says: tuple[tuple[str, str], ...] = ()
    policy: str = "torch"
    settings: dict[str, Any] = field(default_factory=dict)
    nodes: int = 2
    trainer: dict[str, Any] = field(default_factory=dict)
    container: dict[str, Any] = field(default_factory=dict)
    worker: dict[str, Any] = field(default_factory=dict)
    pod: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    job_notes: dict[str, str] = field(default_factory=dict)
    jobset: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    more: tuple[Any, ...] = ()
    others: tuple[Any, ...] = ()


def torch(name: str, line: str | list[str], *says: str, nodes: int = 2, **more: Any) -> Case:
    """A job of torch by its command; says are the messages, all of TRC103 where no code is said."""
    words = line if isinstance(line, list) else line.split()
    trainer = {"command": words, **more.pop("trainer", {})}
    return Case(name, _says(says, "TRC103"), nodes=nodes, trainer=trainer, **more)


def mpi(name: str, line: str | list[str], *says: str, **more: Any) -> Case:
    """A job of MPI whose launcher is no node: two nodes of four slots."""
    words = line if isinstance(line, list) else line.split()
    trainer = {"command": words, "resourcesPerNode": GPUS, **more.pop("trainer", {})}
    policy = {"successPolicy": {"operator": "All", "targetReplicatedJobs": ["launcher"]}}
    jobset = more.pop("jobset", policy)
    return Case(name, _says(says, "TRC103"), "mpi", trainer=trainer, jobset=jobset, **more)


def _says(says: tuple[str, ...], code: str) -> tuple[tuple[str, str], ...]:
    found = []
    for each in says:
        own, colon, message = each.partition(": ")
        found.append((own, message) if colon and own in CODES else (code, each))
    return tuple(found)


def sh(script: str) -> list[str]:
    return ["bash", "-c", script]


FOUR = {"resourcesPerNode": GPUS}
TWO_NODES = "waits for nodes that never come: the job has 2 nodes"
SIDE = "reads no PET_*: 2 nodes train 2 models side by side"
COUNTS = [
    torch("more nodes", "torchrun --nnodes=4 t.py", f"--nnodes=4 {TWO_NODES}"),
    torch("two words", "torchrun --nnodes 4 t.py", f"--nnodes=4 {TWO_NODES}"),
    torch("dashes", "torchrun --nproc-per-node=8 t.py", "on a node with 4 GPUs", trainer=FOUR),
    torch("fewer nodes", "torchrun --nnodes=1 t.py", "--nnodes=1 leaves nodes out"),
    torch("a range above", "torchrun --nnodes=3:4 t.py", "--nnodes=3:4 waits for nodes"),
    torch(
        "a module", "python3 -m torch.distributed.run --nnodes=4 t.py", f"--nnodes=4 {TWO_NODES}"
    ),
    torch(
        "a script",
        sh("set -e\ncd /app # go\ntorchrun \\\n  --nnodes=4 t.py && echo done"),
        f"--nnodes=4 {TWO_NODES}",
    ),
    torch(
        "behind wrappers",
        "/usr/bin/tini -- timeout 3600 torchrun --nnodes=4 t.py",
        f"--nnodes=4 {TWO_NODES}",
    ),
    torch(
        "in args", "torchrun", f"--nnodes=4 {TWO_NODES}", trainer={"args": ["--nnodes=4", "t.py"]}
    ),
    torch(
        "fewer processes",
        "torchrun --nproc_per_node=2 t.py",
        "4 GPUs: the others stay idle",
        trainer=FOUR,
    ),
    torch(
        "beside numProcPerNode",
        "torchrun --nproc_per_node=8 t.py",
        "--nproc-per-node=8 goes before spec.trainer.numProcPerNode: 4",
        trainer={**FOUR, "numProcPerNode": 4},
    ),
    torch("a rank for all", "torchrun --node_rank=0 t.py", "--node-rank=0 is the rank of all 2"),
    torch(
        "this machine", "torchrun --master_addr=127.0.0.1 t.py", "is another machine on each of 2"
    ),
    torch(
        "this machine's rendezvous",
        "torchrun --rdzv_backend=c10d --rdzv_endpoint=localhost:0 t.py",
        "--rdzv-endpoint=localhost:0 is another machine",
    ),
    torch("alone", "torchrun --standalone t.py", "--standalone starts 2 worlds"),
    torch(
        "machines",
        "accelerate launch --num_machines=4 --machine_rank=$(PET_NODE_RANK) t.py",
        f"--num-machines=4 {TWO_NODES}",
    ),
    torch(
        "a machine for all",
        "accelerate launch --num_machines 2 --machine_rank 0 t.py",
        "--machine-rank=0 is the rank of all 2 nodes",
    ),
    torch(
        "processes of one node",
        "accelerate launch --num_processes 4 --machine_rank $(PET_NODE_RANK) t.py",
        "--num-processes=4 with 8 GPUs",
        trainer=FOUR,
    ),
    mpi(
        "too many processes",
        "mpirun -np 16 python t.py",
        "16 processes do not fit into 2 x 4 slots",
    ),
    mpi("too few", "mpirun -n 4 python t.py", "4 of 2 x 4 slots are used"),
    mpi("parts", "mpirun -np 6 a : -np 6 b", "12 processes do not fit into 2 x 4 slots"),
    mpi("mpiexec", "mpiexec --np 16 t", "16 processes do not fit"),
    mpi("horovodrun", "horovodrun -np 16 python t.py", "16 processes do not fit"),
    mpi(
        "a script",
        sh("mpirun -np 1 hostname\nmpirun -np 16 python t.py"),
        "16 processes do not fit",
    ),
]
SOUND_COUNTS = [
    torch("the same numbers", "torchrun --nnodes=2 --nproc_per_node=4 t.py", trainer=FOUR),
    torch("variables", "torchrun --nnodes=$(PET_NNODES) --node_rank=$(PET_NODE_RANK) t.py"),
    torch("a range", "torchrun --nnodes=1:4 t.py"),
    torch(
        "one node",
        "torchrun --standalone --nnodes=1 --node_rank=0 --nproc_per_node=gpu t.py",
        nodes=1,
    ),
    torch("flags of the program", "torchrun t.py --nnodes=4 --node_rank=0"),
    torch("flags of a module", "torchrun -m acme.train --nnodes=4"),
    torch(
        "CPUs",
        "torchrun --nproc_per_node=2 t.py",
        trainer={"resourcesPerNode": {"limits": {"cpu": 8}}},
    ),
    torch("a word in a text", ["python", "-c", "import os; print(os.environ['PET_NNODES'])"]),
    torch("quotes that do not close", sh('torchrun t.py "')),
    torch("shell variables", sh("torchrun --nnodes=${PET_NNODES} --nproc_per_node=$N t.py")),
    mpi("all slots", "mpirun -np 8 python t.py"),
    mpi("no number", "mpirun --bind-to none python t.py -np 99"),
    mpi("one a node", "mpirun -np 2 --map-by ppr:1:node python t.py"),
    mpi("one a node, shortly", "mpirun -np 2 -npernode 1 python t.py"),
    mpi("over", "mpirun --oversubscribe -np 16 python t.py"),
    mpi("own hosts", "mpirun -H a,b -np 16 python t.py"),
    mpi("a preflight", sh("mpirun -np 1 hostname && mpirun -np 8 python t.py")),
]
LAUNCHERS = [
    torch("python", "python t.py", f"TRC104: python {SIDE}"),
    torch("python of a version", "/opt/venv/bin/python3.11 -u t.py", f"TRC104: python {SIDE}"),
    torch("accelerate", "accelerate launch t.py", f"TRC104: accelerate launch {SIDE}"),
    torch(
        "accelerate by its module",
        "python -m accelerate.commands.launch t.py",
        f"TRC104: accelerate launch {SIDE}",
    ),
    torch(
        "accelerate without a rank",
        "accelerate launch --num_machines 2 t.py",
        f"TRC104: accelerate launch {SIDE}",
    ),
    torch("deepspeed", "deepspeed --num_gpus 4 t.py", f"TRC104: deepspeed {SIDE}"),
    torch("LLaMA-Factory", "llamafactory-cli train a.yaml", f"TRC104: llamafactory-cli {SIDE}"),
    torch(
        "LLaMA-Factory of one node",
        "llamafactory-cli train a.yaml",
        f"TRC104: llamafactory-cli {SIDE}",
        trainer={"env": [{"name": "FORCE_TORCHRUN", "value": "1"}]},
    ),
    torch("a script", sh("pip install -r r.txt && python t.py"), f"TRC104: python {SIDE}"),
    Case(
        "torchrun without the policy",
        (("TRC104", "torchrun gets no PET_* from"),),
        "plain",
        trainer={"command": ["torchrun", "t.py"]},
    ),
]
SOUND_LAUNCHERS = [
    torch("torchrun", "torchrun t.py"),
    torch("python of one node", "python t.py", nodes=1),
    torch("accelerate of one node", "accelerate launch t.py", nodes=1),
    torch(
        "accelerate that is told",
        sh(
            "accelerate launch --num_machines $PET_NNODES "
            "--machine_rank $PET_NODE_RANK --main_process_ip $PET_MASTER_ADDR t.py"
        ),
    ),
    torch("accelerate by a file", "accelerate launch --config_file a.yaml t.py"),
    torch(
        "LLaMA-Factory that is told",
        "llamafactory-cli train a.yaml",
        trainer={
            "env": [
                {"name": "FORCE_TORCHRUN", "value": "1"},
                {"name": "NNODES", "value": "$(PET_NNODES)"},
                {"name": "NODE_RANK", "value": "$(PET_NODE_RANK)"},
            ]
        },
    ),
    torch("axolotl", "axolotl train a.yaml --launcher torchrun"),
    torch("a program of its own", "/app/run.sh"),
    torch("a script of its own", "bash /app/run.sh"),
    torch("a script and a program", sh("python prepare.py && ./run.sh")),
    torch(
        "python that reads them itself",
        "python t.py",
        trainer={"env": [{"name": "MASTER_ADDR", "value": "$(PET_MASTER_ADDR)"}]},
    ),
    torch("work shared by index", sh("python t.py --shard $JOB_COMPLETION_INDEX")),
    torch("the image's own command", []),
    Case("python and jax", policy="jax", trainer={"command": ["python", "t.py"]}),
    Case(
        "torchrun that is told",
        policy="plain",
        trainer={
            "command": ["torchrun", "--nnodes=2", "--node_rank=$(JOB_COMPLETION_INDEX)", "t.py"]
        },
    ),
]


def of(name: str, *says: str, part: str = "limits", **amounts: Any) -> Case:
    """A job of torchrun with resources; ``_`` stands for what a keyword cannot hold."""
    return torch(name, "torchrun t.py", *says,
                 trainer={"resourcesPerNode": {part: amounts.pop("of", amounts)}})  # fmt: skip


AMOUNTS = [
    of("plural", "TRC105: no node has nvidia.com/gpus", of={"nvidia.com/gpus": 4}),
    of("another vendor's", "TRC105: no node has amd.com/gpus", of={"amd.com/gpus": 4}),
    of("capitals", "TRC105: no node has nvidia.com/GPU", of={"nvidia.com/GPU": 4}),
    of("without the end", "TRC105: no node has nvidia/gpu", of={"nvidia/gpu": 4}),
    of("a slip", "TRC105: no node has nvida.com/gpu", of={"nvida.com/gpu": 4}),
    of("a label", "TRC105: no node has nvidia.com/gpu.count", of={"nvidia.com/gpu.count": 4}),
    of(
        "of former times",
        "TRC105: no node has alpha.kubernetes.io/nvidia-gpu",
        of={"alpha.kubernetes.io/nvidia-gpu": 4},
    ),
    of("TPUs", "TRC105: no node has google.com/tpus", of={"google.com/tpus": 4}),
    of("Gaudi", "TRC105: no node has habana.ai/guadi", of={"habana.ai/guadi": 4}),
    of("EFA", "TRC105: no node has vpc.amazonaws.com/efas", of={"vpc.amazonaws.com/efas": 4}),
    of("bytes", "TRC106: 64 is 64 bytes", memory=64),
    of("a thousandth of a byte", "TRC106: 500m is 0.5 bytes", memory="500m"),
    of("a request", "TRC106: 16 is 16 bytes", part="requests", memory=16),
    of("a disk", "TRC106: 100 is 100 bytes", of={"ephemeral-storage": 100}),
    of("kilobytes", "TRC106: 512k is 512000 bytes", memory="512k"),
    of("thousandths of CPUs", "TRC106: 8000 CPUs are more than any node has", cpu=8000),
    torch(
        "shared memory",
        "torchrun t.py",
        "TRC106: 64 is 64 bytes",
        pod={"volumes": [{"name": "s", "emptyDir": {"medium": "Memory", "sizeLimit": 64}}]},
    ),
    torch(
        "a claim",
        "torchrun t.py",
        "TRC106: 100 is 100 bytes",
        jobset={
            "volumeClaimPolicies": [
                {
                    "templates": [
                        {
                            "metadata": {"name": "c"},
                            "spec": {
                                "accessModes": ["ReadWriteMany"],
                                "resources": {"requests": {"storage": 100}},
                            },
                        }
                    ]
                }
            ]
        },
        container={"volumeMounts": [{"name": "c", "mountPath": "/c"}]},
    ),
    Case(
        "workers of xgboost",
        (("TRC107", "the tracker waits for 8 workers"),),
        "xgboost",
        trainer={"command": ["python", "t.py"], "resourcesPerNode": GPUS},
    ),
]
SOUND_AMOUNTS = [
    of("as they are", of={"nvidia.com/gpu": 4, "memory": "64Gi", "cpu": 8, "rdma/ib": 1}),
    of("small", memory="64Mi", cpu="100m", of={"memory": "1Mi", "cpu": 999}),
    of("nothing", of={"memory": 0}),
    *(
        of(name, of={name: 1})
        for name in (
            "amd.com/gpu",
            "nvidia.com/mig-1g.5gb",
            "nvidia.com/gpu.shared",
            "nvidia.com/pgpu",
            "nvidia.com/hostdev",
            "nvidia.com/rdma_shared_device_a",
            "nvidia.com/GA102GL_A10",
            "nvidia.com/gpu-h100",
            "intel.com/gpu",
            "gpu.intel.com/i915",
            "google.com/tpu",
            "habana.ai/gaudi",
            "aws.amazon.com/neuron",
            "aws.amazon.com/neuroncore",
            "vpc.amazonaws.com/efa",
            "acme.com/gpu",
            "example.com/fpga",
            "github.com/fuse",
            "huawei.com/Ascend910",
            "hugepages-2Mi",
            "openshift.io/sriov",
            "intel.com/sgx_enclave",
        )
        if not name.startswith("hugepages")
    ),
    Case(
        "one GPU a worker",
        policy="xgboost",
        trainer={
            "resourcesPerNode": {"limits": {"nvidia.com/gpu": 1}},
            "command": ["python", "t.py"],
        },
    ),
    Case(
        "a program that counts",
        policy="xgboost",
        trainer={
            "resourcesPerNode": GPUS,
            "command": ["python", "-c", "import os; run(os.environ['DMLC_NUM_WORKER'])"],
        },
    ),
]
A = "a" * 64
BAD_IMAGES = {
    "<registry>/<image>:<tag>": "placeholder", "REGISTRY/IMAGE:TAG": "lower case",
    "ghcr.io/Acme/llm:1": "lower case", "ghcr.io/acme/my llm:1": "blank", "llm:": "no tag",
    "ghcr.io//llm:1": "empty", "https://ghcr.io/acme/llm:1": "no registry", "llm:1:2": "no tag",
    "ghcr.io/acme/llm@sha256:abc": "no digest", "ghcr.io/acme/llm:$(TAG)": "placeholder",
    "ghcr.io/${ORG}/llm:1": "placeholder", "your-registry/llm:1": "placeholder",
    "ghcr.io/your-org/llm:1": "placeholder", "ghcr.io/acme/changeme:1": "placeholder",
    "ghcr.io/acme/llm:your-tag": "placeholder", "gcr.io/PROJECT_ID/llm:1": "lower case", A: "id",
    "my_registry.com/llm:1": "no registry", "ghcr.io/acme/-llm:1": "no name", "TODO": "lower case",
}  # fmt: skip
GOOD_IMAGES = (
    "llm:1", "acme/llm:1", "localhost/llm:1", "localhost:5000/llm:1", "10.0.0.1:5000/a/b/llm:1",
    "ghcr.io/acme/llm:1.0_rc-2", f"ghcr.io/acme/llm@sha256:{A}", f"ghcr.io/acme/llm:1@sha256:{A}",
    "nvcr.io/nvidia/pytorch:24.01-py3", "a__b/c-d.e:V1", "ghcr.io/acme/todo-app:1",
    "123456789012.dkr.ecr.us-east-1.amazonaws.com/llm:1", "[fd00::1]:5000/llm:1",
    "ghcr.io/yourself/llm:1",
)  # fmt: skip
IMAGES = [
    torch(image[:40], "torchrun t.py", f"TRC303: {reason}", trainer={"image": image})
    for image, reason in BAD_IMAGES.items()
]
SOUND_IMAGES = [torch(f, "torchrun t.py", trainer={"image": f}) for f in GOOD_IMAGES]


def env(**values: str) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]


LATER = "is set later in this container"
VARIABLES = [
    torch("in a command", "torchrun t.py --rank $(RANK)", "TRC304: this container sets no RANK"),
    torch(
        "in args",
        "torchrun t.py",
        "TRC304: sets no LOCAL_RANK",
        trainer={"args": ["--rank=$(LOCAL_RANK)"]},
    ),
    torch(
        "in a value", "torchrun t.py", "TRC304: sets no WORLD", trainer={"env": env(A="$(WORLD)")}
    ),
    torch(
        "later in the job",
        "torchrun t.py",
        f"TRC304: $(B) stays as it is: B {LATER}",
        trainer={"env": env(A="$(B)", B="b")},
    ),
    torch(
        "later in the runtime",
        "torchrun t.py",
        f"TRC304: $(B) stays as it is: B {LATER}",
        container={"env": env(A="$(B)", B="b")},
    ),
    torch(
        "itself",
        "torchrun t.py",
        f"TRC304: $(A) stays as it is: A {LATER}",
        trainer={"env": env(A="$(A):/x")},
    ),
    torch("in a script, surely", sh("torchrun --node_rank=$(RANK) t.py"), "TRC304: sets no RANK"),
    torch("after an escape", "torchrun t.py $$$(RANK)", "TRC304: sets no RANK"),
    torch(
        "an index in a value",
        "torchrun t.py",
        f"TRC304: JOB_COMPLETION_INDEX {LATER}",
        trainer={"env": env(A="$(JOB_COMPLETION_INDEX)")},
    ),
]
SOUND_VARIABLES = [
    torch(
        "of the policy",
        "torchrun t.py --world $(PET_NNODES)",
        trainer={"env": env(A="$(PET_NNODES)")},
    ),
    torch(
        "of the policy, in the runtime", "torchrun t.py", container={"env": env(A="$(PET_NNODES)")}
    ),
    torch(
        "of the job, in the runtime",
        "torchrun t.py",
        container={"env": env(A="$(B)")},
        trainer={"env": env(B="b")},
    ),
    torch("earlier", "torchrun t.py", trainer={"env": env(B="b", A="$(B)")}),
    torch(
        "earlier in the job, written over",
        "torchrun t.py",
        container={"env": env(A="x")},
        trainer={"env": env(B="b", A="$(B)")},
    ),
    torch("commands of a shell", sh("torchrun t.py --host $(hostname) --at $(date +%s) $(PWD)")),
    torch("escaped", "torchrun t.py $$(RANK)", trainer={"env": env(A="$$(B)")}),
    torch(
        "from a Secret",
        "torchrun t.py $(TOKEN)",
        container={"envFrom": [{"secretRef": {"name": "s"}}]},
    ),
    torch("of the Job", "torchrun t.py --index $(JOB_COMPLETION_INDEX)"),
    torch("of a Service", "torchrun t.py --db $(DB_SERVICE_HOST):$(DB_PORT_5432_TCP_PORT)"),
]
NEVER = "waits for ssh for ever"
MPI = [
    mpi("no success policy", "mpirun t", f"TRC409: node {NEVER}", jobset={}),
    mpi(
        "all jobs",
        "mpirun t",
        f"TRC409: node {NEVER}",
        jobset={"successPolicy": {"operator": "All"}},
    ),
    mpi(
        "the workers",
        "mpirun t",
        f"TRC409: node {NEVER}",
        jobset={"successPolicy": {"operator": "All", "targetReplicatedJobs": ["node", "launcher"]}},
    ),
    mpi(
        "any of the workers",
        "mpirun t",
        f"TRC409: node {NEVER}",
        jobset={"successPolicy": {"operator": "Any", "targetReplicatedJobs": ["node"]}},
    ),
    mpi(
        "workers that sleep",
        "mpirun t",
        f"TRC409: node {NEVER}",
        jobset={},
        worker={"command": ["sleep", "infinity"]},
    ),
    mpi(
        "the image's own command",
        "mpirun t",
        f"TRC409: node {NEVER}",
        jobset={},
        worker={"command": []},
    ),
    mpi(
        "the launcher's image",
        "mpirun t",
        "TRC207: reaches launcher only",
        trainer={"image": "ghcr.io/acme/other:1.0"},
    ),
    mpi(
        "a variable",
        "mpirun -x A t",
        "TRC208: B does not reach the ranks on other nodes",
        trainer={"env": env(A="a", B="b", OMPI_MCA_x="1")},
    ),
    mpi(
        "several", "mpirun t -x A", "TRC208: A, B do not reach", trainer={"env": env(A="a", B="b")}
    ),
]
SOUND_MPI = [
    mpi("the launcher", "mpirun t"),
    mpi("any", "mpirun t", jobset={"successPolicy": {"operator": "Any"}}),
    mpi("workers that end", "mpirun t", jobset={}, worker={"command": ["/app/worker.sh"]}),
    mpi("one image", "mpirun t", trainer={"image": IMAGE}),
    mpi("handed on", "mpirun -x A -x B=c t", trainer={"env": env(A="a", B="b")}),
    mpi(
        "handed on in a list",
        "mpirun --mca mca_base_env_list A;B=c t",
        trainer={"env": env(A="a", B="b")},
    ),
    mpi("Open MPI's own", "mpirun t", trainer={"env": env(OMPI_MCA_btl="tcp", PMIX_MCA_x="1")}),
    mpi("horovodrun", "horovodrun python t.py", trainer={"env": env(A="a")}),
    mpi("a program of its own", "/app/run.sh", trainer={"env": env(A="a")}),
]


def claim(name: str, namespace: str = "ml") -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"accessModes": ["ReadWriteMany"]}}  # fmt: skip


def mounts(name: str, *says: str, claims: tuple[Any, ...]) -> Case:
    """A job that mounts the claim it is called after."""
    pod = {"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": name}}]}
    return torch(name, "torchrun t.py", *says, pod=pod, others=claims)


NEAR = "TRC206: there is no claim"
CLAIMS = [
    mounts("imagenet-dta", NEAR, claims=(claim("imagenet-data"),)),
    mounts("imagnet-data", NEAR, claims=(claim("imagenet-data"), claim("other"))),
    mounts("data-sets", NEAR, claims=(claim("datasets"),)),
    mounts("dataset", NEAR, claims=(claim("datasets"),)),
]
SOUND_CLAIMS = [
    mounts("imagenet-data", claims=(claim("imagenet-data"), claim("imagenet-date"))),
    mounts("data-1", claims=(claim("data-2"),)),
    mounts("scratch-a", claims=(claim("scratch-b"),)),
    mounts("imagenet-v2", claims=(claim("imagenet-v1"),)),
    mounts("train-data", claims=(claim("eval-data"),)),
    mounts("imagenet-dta", claims=(claim("imagenet-data", "other"),)),
    mounts("data", claims=()),
]
KUEUE = "kueue.x-k8s.io/podset"
RACK, BLOCK = "cloud.example.com/rack", "cloud.example.com/block"


def topology(name: str, *says: str, nodes: int = 8, **notes: str) -> Case:
    """A job with annotations of topology on its pods."""
    written = {f"{KUEUE}-{key.replace('_', '-')}": value for key, value in notes.items()}
    return torch(name, "torchrun t.py", *says, nodes=nodes, notes=written)


def layers(*sizes: int) -> str:
    named = (RACK, BLOCK, "kubernetes.io/hostname", "a")
    return json.dumps([{"topology": t, "size": s} for t, s in zip(named, sizes, strict=False)])


SLICE = {"slice_required_topology": RACK}
TOPOLOGY = [
    topology(
        "two kinds",
        "TRC410: must not stand beside",
        required_topology=RACK,
        preferred_topology=BLOCK,
    ),
    topology(
        "no whole slices",
        "TRC410: 6 pods do not come to whole slices of 4",
        nodes=6,
        slice_size="4",
        **SLICE,
    ),
    topology(
        "slices too large", "TRC410: slices of 16 pods, and there are 8", slice_size="16", **SLICE
    ),
    topology(
        "a size alone",
        "TRC410: needs kueue.x-k8s.io/podset-slice-required-topology",
        slice_size="4",
    ),
    topology("a slice without size", "TRC410: needs kueue.x-k8s.io/podset-slice-size", **SLICE),
    topology("no size", "TRC410: must be a number of pods, got 'four'", slice_size="four", **SLICE),
    topology("no label", "TRC410: is no label of a node", required_topology="the rack"),
    topology("no truth", "TRC410: must be true or false", unconstrained_topology="yes"),
    topology(
        "layers that do not fill",
        "TRC410: slices of 3 do not fill those of 4",
        slice_required_topology_constraints=layers(4, 3),
    ),
    topology(
        "layers and pods",
        "TRC410: 6 pods do not come to whole slices of 4",
        nodes=6,
        slice_required_topology_constraints=layers(4, 2),
    ),
    topology(
        "four layers",
        "TRC410: must be a JSON list of one to 3 layers",
        slice_required_topology_constraints=layers(8, 4, 2, 1),
    ),
    topology(
        "no JSON", "TRC410: must be a JSON list", slice_required_topology_constraints="[" * 9999
    ),
    topology("a group of one", "TRC410: has 1 pod sets", required_topology=RACK, group_name="g"),
    topology(
        "a group and slices",
        "TRC410: must not stand beside",
        "TRC410: must not stand beside",
        "TRC410: has 1 pod sets",
        required_topology=RACK,
        group_name="g",
        slice_size="4",
        **SLICE,
    ),
    torch(
        "beside the pods",
        "torchrun t.py",
        "TRC410: is ignored here",
        job_notes={f"{KUEUE}-required-topology": RACK},
    ),
    torch(
        "too many pod sets",
        "torchrun t.py",
        "TRC411: 20 replicated jobs",
        metadata={"labels": {"kueue.x-k8s.io/queue-name": "gpu"}},
        more=tuple(
            {
                "name": f"n{n}",
                "template": {
                    "spec": {"template": {"spec": {"containers": [{"name": "c", "image": IMAGE}]}}}
                },
            }
            for n in range(19)
        ),
    ),
]
SOUND_TOPOLOGY = [
    topology("required", required_topology=RACK),
    topology("unconstrained", unconstrained_topology="true"),
    topology("slices", slice_size="4", **SLICE),
    topology("slices in a block", slice_size="4", required_topology=BLOCK, **SLICE),
    topology("layers", slice_required_topology_constraints=layers(8, 4, 2)),
    torch(
        "many pod sets without a queue",
        "torchrun t.py",
        more=tuple(
            {
                "name": f"n{n}",
                "template": {
                    "spec": {"template": {"spec": {"containers": [{"name": "c", "image": IMAGE}]}}}
                },
            }
            for n in range(19)
        ),
    ),
]

BAD = [*COUNTS, *LAUNCHERS, *AMOUNTS, *IMAGES, *VARIABLES, *MPI, *CLAIMS, *TOPOLOGY]
SOUND = [
    *SOUND_COUNTS,
    *SOUND_LAUNCHERS,
    *SOUND_AMOUNTS,
    *SOUND_IMAGES,
    *SOUND_VARIABLES,
    *SOUND_MPI,
    *SOUND_CLAIMS,
    *SOUND_TOPOLOGY,
]


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.name)
def test_what_never_trains_is_found(case: Case) -> None:
    found = findings(case)
    assert len(found) == len(case.says), [str(each) for each in found]
    for problem, (code, message) in zip(found, case.says, strict=True):
        assert problem.code == code
        assert message in problem.message
        assert problem.mark is not None
        assert problem.mark.line


@pytest.mark.parametrize("case", SOUND, ids=lambda case: case.name)
def test_what_trains_is_left_alone(case: Case) -> None:
    assert not case.says
    assert [str(each) for each in findings(case)] == []


def test_every_code_is_shown() -> None:
    assert {code for case in BAD for code, _ in case.says} == CODES


def test_a_finding_stands_at_the_word(tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(
        "apiVersion: trainer.kubeflow.org/v1alpha1\nkind: TrainJob\nmetadata: {name: llm}\n"
        "spec:\n  runtimeRef: {name: torch-distributed}\n  trainer:\n    numNodes: 2\n"
        "    command:\n    - torchrun\n    - --nnodes=4\n    - t.py\n"
    )
    (found,) = [p for p in validated(tmp_path / "job.yaml") if p.code == "TRC103"]
    assert found.field == "spec.trainer.command[1]"
    assert found.mark is not None
    assert found.mark.line == 10


@pytest.mark.parametrize(
    "folder",
    sorted(p for p in (ROOT / "examples").iterdir() if (p / "job.yaml").exists()),
    ids=lambda f: f.name,
)
def test_an_example_is_sound(folder: Path) -> None:
    assert [str(p) for p in validated(folder) if p.code in CODES] == []


def validated(path: Path) -> tuple[Problem, ...]:
    """What ``trainc validate`` says of a folder."""
    options = Options(lint="validate", features={"TrainJobStatus": True})
    return compile_sources([str(path)], options).problems
