"""What a job did under the old operators, it does after its migration; what it cannot, is said."""

from dataclasses import dataclass
from typing import Any

import pytest

from trainc.edit.migration.rewrite import Migrated, migrated
from trainc.edit.migration.work import Options
from trainc.edit.text import of_bytes
from trainc.source.files import File
from trainc.source.parse import parse

GPU = "resources: {limits: {nvidia.com/gpu: 1}}"


def job(
    *, kind: str = "PyTorchJob", master: bool = False, policy: str = "", run: str = "",
    container: str = "command: [torchrun, t.py]", spec: str = "", pod: str = "", workers: int = 2,
) -> str:  # fmt: skip
    """An old job as YAML; the arguments are flow-style extras."""
    key, name = {
        "PyTorchJob": ("pytorch", "pytorch"), "JAXJob": ("jax", "jax"),
        "XGBoostJob": ("xgb", "xgboost"),
    }[kind]  # fmt: skip
    policy = f"restartPolicy: {policy}, " if policy else ""
    main = f'name: {name}, image: "example.com/t:1", {GPU}, {container}'
    template = f"template: {{spec: {{containers: [{{{main}}}]{pod}}}}}"
    one = f"    Master: {{{policy}replicas: 1, {template}}}\n" if master else ""
    some = f"    Worker: {{{policy}replicas: {workers}, {template}}}\n" if workers else ""
    return (
        f"apiVersion: kubeflow.org/v1\nkind: {kind}\nmetadata: {{name: j}}\nspec:\n"
        f"  runPolicy: {{{run}}}\n{spec}  {key}ReplicaSpecs:\n{one}{some}"
    )


def mpi(
    version: str = "v2beta1", *, launcher: str = "", worker: str = "", run: str = "",
    program: str = "command: [mpirun, t]", node: str = "",
) -> str:  # fmt: skip
    """An MPIJob as YAML; the arguments are flow-style extras."""
    container = 'image: "example.com/m:1"'
    return (
        f"apiVersion: kubeflow.org/{version}\nkind: MPIJob\nmetadata: {{name: j}}\nspec:\n"
        f"  runPolicy: {{{run}}}\n  mpiReplicaSpecs:\n"
        f"    Launcher: {{{launcher}replicas: 1, template: {{spec: {{containers: "
        f"[{{name: l, {container}, {program}}}]}}}}}}\n"
        f"    Worker: {{{worker}replicas: 2, template: {{spec: {{containers: "
        f"[{{name: w, {container}{node}}}]}}}}}}\n"
    )


def migrate(text: str, *, fixed_nodes: bool = False) -> Migrated:
    file = of_bytes(text.encode(), File("a.yaml", "a.yaml", True))
    return migrated(file, Options("acme.com/a", fixed_nodes))


def roots(text: str, *, fixed_nodes: bool = False) -> tuple[Any, Any]:
    """The TrainJob and the runtime that a job becomes."""
    done = migrate(text, fixed_nodes=fixed_nodes)
    assert done.objects, done.problems
    trainjob, runtime = (each.root for each in parse(done.text.encode(), "")[0])
    return trainjob, runtime


@dataclass(frozen=True)
class Restart:
    """A restartPolicy with a backoffLimit, and what they become.

    Attributes:
        text: The old job.
        job: Which replicated job is looked at.
        want: restartPolicy, backoffLimit of the Job and maxRestarts of the JobSet.
    """

    __test__ = False
    text: str
    job: int
    want: tuple[str, int | None, int | None]


LIMIT = 2**31 - 1
RESTARTS = [
    Restart(job(policy="Never"), 0, ("Never", 0, None)),
    Restart(job(policy="Never", run="backoffLimit: 5"), 0, ("Never", 0, None)),
    Restart(job(policy="OnFailure", run="backoffLimit: 3"), 0, ("Never", 0, 3)),
    Restart(job(policy="OnFailure", run="backoffLimit: 0"), 0, ("Never", 0, None)),
    Restart(job(), 0, ("OnFailure", LIMIT, None)),
    Restart(job(pod=", restartPolicy: Never"), 0, ("OnFailure", LIMIT, None)),
    Restart(job(kind="JAXJob"), 0, ("Never", 0, None)),
    Restart(job(kind="XGBoostJob", master=True), 0, ("Never", 0, None)),
    Restart(mpi("v1"), 0, ("Never", 0, None)),
    Restart(mpi("v1"), 1, ("Never", 0, None)),
    Restart(mpi("v1", launcher="restartPolicy: OnFailure, ", run="backoffLimit: 2"), 1,
            ("OnFailure", 2, None)),
    Restart(mpi("v1", worker="restartPolicy: OnFailure, ", run="backoffLimit: 2"), 1,
            ("Never", 0, None)),
    Restart(mpi("v1", launcher="restartPolicy: OnFailure, ", worker="restartPolicy: OnFailure, ",
                run="backoffLimit: 2"), 1, ("Never", 0, 2)),
    Restart(mpi(), 0, ("Never", 0, None)),
    Restart(mpi(), 1, ("OnFailure", None, None)),
    Restart(mpi(run="backoffLimit: 20"), 1, ("OnFailure", 20, None)),
    Restart(mpi(launcher="restartPolicy: Never, ", run="backoffLimit: 1"), 1, ("Never", 1, None)),
]  # fmt: skip


@pytest.mark.parametrize("case", RESTARTS, ids=lambda case: str(case.want))
def test_a_job_starts_again_as_often(case: Restart) -> None:
    spec = roots(case.text)[1]["spec"]["template"]["spec"]
    template = spec["replicatedJobs"][case.job]["template"]["spec"]
    policy = template["template"]["spec"]["restartPolicy"]
    times = spec.get("failurePolicy", {}).get("maxRestarts")
    assert (policy, template.get("backoffLimit"), times) == case.want


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (job(master=True, run="cleanPodPolicy: Running"), [{"succeededIndexes": "0"}]),
        (job(master=True, run="cleanPodPolicy: None"), None),
        (job(run="cleanPodPolicy: Running"), None),
        (job(run="cleanPodPolicy: Running", spec="  elasticPolicy: {}\n"), [{"succeededCount": 1}]),
    ],
)
def test_a_job_ends_when_it_did(text: str, want: Any) -> None:
    spec = roots(text, fixed_nodes=True)[1]["spec"]["template"]["spec"]
    policy = spec["replicatedJobs"][0]["template"]["spec"].get("successPolicy", {})
    assert policy.get("rules") == want


@dataclass(frozen=True)
class Word:
    """What stands in a container's command, and what becomes of it."""

    __test__ = False
    old: str
    new: str
    master: bool = False


WORDS = [
    Word("j-worker-1:23456", "j-node-0-1.j:23456"),
    Word("tcp://j-worker-0.team.svc:1", "tcp://j-node-0-0.j.team.svc:1"),
    Word("j-worker-0 j-master-0", "j-node-0-1.j j-node-0-0.j", master=True),
    Word("/data/j-worker-0/x", "/data/j-worker-0/x"),
    Word("my-j-worker-0 j-worker-0-data j-worker", "my-j-worker-0 j-worker-0-data j-worker"),
    Word("$(RANK) $$(RANK) $(OTHER)", "$(PET_NODE_RANK) $$(RANK) $(OTHER)", master=True),
    Word("$(RANK)", "$(RANK)"),
]


@pytest.mark.parametrize("case", WORDS, ids=lambda case: case.old)
def test_names_follow(case: Word) -> None:
    text = job(container=f'command: [torchrun, "{case.old}"]', master=case.master)
    assert roots(text)[0]["spec"]["trainer"]["command"][-1] == case.new


def test_labels_follow() -> None:
    old = "training.kubeflow.org"
    labels = f"matchLabels: {{{old}/job-name: j, {old}/replica-type: worker, a: b}}"
    keys = f"matchLabelKeys: [{old}/replica-index]"
    pod = f", topologySpreadConstraints: [{{labelSelector: {{{labels}}}, {keys}, maxSkew: 1, "
    pod += "topologyKey: zone, whenUnsatisfiable: DoNotSchedule}]"
    runtime = roots(job(pod=pod))[1]
    jobs = runtime["spec"]["template"]["spec"]["replicatedJobs"]
    spread = jobs[0]["template"]["spec"]["template"]["spec"]["topologySpreadConstraints"][0]
    assert spread["labelSelector"]["matchLabels"] == {
        "jobset.sigs.k8s.io/jobset-name": "j",
        "jobset.sigs.k8s.io/replicatedjob-name": "node",
        "a": "b",
    }
    assert spread["matchLabelKeys"] == ["batch.kubernetes.io/job-completion-index"]


def test_an_elastic_job_meets_at_its_first_node() -> None:
    policy = "  elasticPolicy: {rdzvBackend: c10d, maxRestarts: 5, rdzvId: x, nProcPerNode: 4}\n"
    trainer = roots(job(spec=policy, workers=3), fixed_nodes=True)[0]["spec"]["trainer"]
    assert (trainer["numNodes"], trainer["numProcPerNode"]) == (3, 4)
    assert {item["name"]: item["value"] for item in trainer["env"]} == {
        "PET_RDZV_BACKEND": "c10d",
        "PET_RDZV_ENDPOINT": "j-node-0-0.j:29500",
        "PET_MAX_RESTARTS": "5",
        "PET_RDZV_ID": "x",
    }


@pytest.mark.parametrize(
    ("container", "spec", "want"),
    [
        ("command: [torchrun, t.py]", "", ["torchrun"]),
        ("command: [python3, -m, torch.distributed.run, t.py]", "", ["python3"]),
        ("command: [python, t.py]", "", ["env", "MASTER_ADDR=$(PET_MASTER_ADDR)"]),
        ("command: [torchrun, t.py]", "  nprocPerNode: cpu\n", ["env", "PET_NPROC_PER_NODE=cpu"]),
        ("command: [torchrun, --nproc_per_node=2, t]", "  nprocPerNode: cpu\n", ["torchrun"]),
        ("args: [$(RANK)]", "", None),
    ],
)
def test_a_program_is_told_what_it_was(container: str, spec: str, want: list[str] | None) -> None:
    trainer = roots(job(container=container, spec=spec, master=True))[0]["spec"]["trainer"]
    assert trainer.get("command", [])[: len(want or ())] == (want or [])
    names = [item["name"] for item in trainer.get("env", ())]
    assert ("RANK" in names) is (want is None)


def test_a_launcher_with_gpus_is_a_node_under_v1() -> None:
    limits = "command: [mpirun, t], resources: {limits: {nvidia.com/gpu: 1}}"
    trainjob, runtime = roots(mpi("v1", program=limits))
    assert trainjob["spec"]["trainer"]["numNodes"] == 3
    assert runtime["spec"]["mlPolicy"]["mpi"]["runLauncherAsNode"] is True


@dataclass(frozen=True)
class Refused:
    """An old job that stays, and why."""

    __test__ = False
    name: str
    text: str
    want: str


OLD = "training.kubeflow.org"
REFUSED = [
    Refused("a name with a variable", job(container='command: [sh, -c, "ping j-worker-$i"]'),
            "command[2]: j-worker-... is put together to the name of an old pod"),
    Refused("a name of variables", job(container='command: [sh, -c, "ping ${JOB}-master-0"]'),
            "${JOB}-master... is put together"),
    Refused("a pod that is not there", job(container="command: [torchrun, j-worker-7]"),
            "j-worker-7 is no pod of this job [TRC041]\n    hint: it has 2"),
    Refused("the index behind a Master", job(master=True, container="env: [{name: I, valueFrom: "
            f'{{fieldRef: {{fieldPath: "metadata.labels[\'{OLD}/replica-index\']"}}}}}}]'),
            "no pod has this label of the old operator"),
    Refused("another job's pods", job(pod=", affinity: {podAffinity: {requiredDuringScheduling"
            "IgnoredDuringExecution: [{topologyKey: zone, labelSelector: {matchLabels: "
            "{training.kubeflow.org/job-name: other}}}]}}"), "no pod has this label"),
    Refused("the workers' Service", mpi(program="command: [mpirun, --host, j-worker]"),
            "j-worker was the Service of the old job"),
    Refused("a worker that sleeps", mpi("v1", node=", command: [sleep, 1d]"), "starts no sshd"),
    Refused("a sleeper of v2beta1", mpi(node=", command: [sleep, 1d]"), "starts no sshd"),
    Refused("arguments of an entrypoint", mpi(node=", args: [x]"), "starts no sshd"),
    Refused("another MPI by its variables", mpi("v1", program="command: [mpirun], env: "
            "[{name: I_MPI_DEBUG, value: '1'}]"), "is for Intel MPI"),
    Refused("a variable of the policy", job(container="env: [{name: PET_NODE_RANK, value: '1'}]"),
            "PET_NODE_RANK is set by the torch policy"),
    Refused("what does not build", job(container="command: [torchrun], bogus: 1"),
            "what it becomes does not build: "),
    Refused("two jobs of one name", job() + "---\n" + job(kind="JAXJob"),
            "metadata.name: PyTorchJob/j of this file has the name that the TrainJob would have"),
    Refused("a Service of the job", job() + "---\napiVersion: v1\nkind: Service\n"
            "spec: {selector: {training.kubeflow.org/job-name: j}}\n",
            "11:19: error: spec.selector.training.kubeflow.org/job-name: no pod"),
    Refused("a script about it", job() + "---\nkind: ConfigMap\ndata: {a: ping j-worker-0}\n",
            "names a pod of j as the old operator called it"),
]  # fmt: skip


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_what_would_change_is_refused_at_its_place(case: Refused) -> None:
    done = migrate(case.text)
    assert (done.text, done.objects) == (case.text, ())
    assert case.want in "\n".join(map(str, done.problems))


def test_a_label_of_another_job_is_nobodys_business() -> None:
    other = "apiVersion: v1\nkind: Service\nspec: {selector: {training.kubeflow.org/job-name: k}}\n"
    assert migrate(f"{job()}---\n{other}").text.endswith(other)


LISTS = [
    ("items: [%s]", "", "between brackets"),
    ("items:\n# above\n- %s\n- {a:   1}  # kept\n", "# above\n- apiVersion: trainer", "in a block"),
]


@pytest.mark.parametrize(("form", "want", "name"), LISTS, ids=[each[-1] for each in LISTS])
def test_items_of_a_list_are_migrated(form: str, want: str, name: str) -> None:
    root = parse(job().encode(), "")[0][0].root
    text = "apiVersion: v1\nkind: List\n" + form % str(root).replace("None", "null")
    done = migrate(text)
    items = parse(done.text.encode(), "")[0][0].root["items"]
    assert [item.get("kind") for item in items][:2] == ["TrainJob", "TrainingRuntime"]
    assert want in done.text
    assert name != "in a block" or done.text.endswith("- {a:   1}  # kept\n")


def test_a_typed_list_becomes_a_list_of_any_kind() -> None:
    item = job().partition("metadata")[2].replace("\n", "\n  ")
    text = f"apiVersion: kubeflow.org/v1\nkind: PyTorchJobList\nitems:\n- metadata{item.rstrip()}\n"
    done = migrate(text)
    assert done.text.startswith("apiVersion: v1\nkind: List\nitems:\n- apiVersion: trainer")
