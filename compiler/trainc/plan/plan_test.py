"""From Info to objects: the JobSet, the annotation, Secrets, and the places of late problems."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from trainc import names
from trainc.compile import Inputs, compile_documents
from trainc.info.info import SecretRequest
from trainc.plan.plan import Output, Plan
from trainc.plan.secret import secret
from trainc.sample import REFERENCE, compiled, replicated_job, runtime, trainjob
from trainc.source.parse import parse
from trainc.spec.compat import SOUND, Compat
from trainc.spec.spec import Settings

STATUS = frozenset({"TrainJobStatus"})
RT, MPI, FLUX = runtime("{torch: {}}"), runtime("{mpi: {}}"), runtime("{flux: {}}")

REFER = Output()


def plan(*texts: str, output: Output = REFER, compat: Compat = SOUND,
         features: frozenset[str] = frozenset()) -> Plan:  # fmt: skip
    documents, _ = parse("\n---\n".join(texts).encode(), "jobs.yaml")
    return compile_documents(Inputs(tuple(documents)), Settings(compat, features), output)


def annotation(made: Plan) -> dict[str, Any]:
    (jobset,) = (o.manifest for o in made.objects if o.manifest["kind"] == "JobSet")
    known: dict[str, Any] = json.loads(jobset["metadata"]["annotations"][names.JOB_ANNOTATION])
    return known


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    texts: tuple[str, ...]
    want: dict[str, Any]
    output: Output = Output()
    features: frozenset[str] = frozenset()


CASES = [
    TestCase("a plain job", (trainjob(), RT), {}),
    TestCase("a deadline", (trainjob("activeDeadlineSeconds: 9"), RT), {"deadlineSeconds": 9}),
    TestCase("an ssh key to mint", (trainjob(), MPI),
             {"secrets": [{"kind": "ssh", "name": "m-mpi-ssh-auth"}]}),
    TestCase("a curve certificate to mint", (trainjob(), FLUX),
             {"secrets": [{"kind": "curve", "name": "m-flux-curve"}]}),
    TestCase("a feature, and the CA it needs", (trainjob(), RT),
             {"features": ["TrainJobStatus"], "secrets": [{"kind": "ca", "name": "m-tls-config"}]},
             features=STATUS),
    TestCase("a CA that is given", (trainjob(), RT), {"features": ["TrainJobStatus"]},
             Output(status_ca="PEM"), STATUS),
    TestCase("Secrets that are printed", (trainjob(), MPI), {}, Output(secrets="inline")),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_the_controller_is_told(case: TestCase) -> None:
    known = annotation(plan(*case.texts, output=case.output, features=case.features))
    assert known.pop("digest").startswith("sha256:")
    assert known == {"trainjob": "m", "version": 1, **case.want}


def test_the_reference_has_no_annotation_and_no_label() -> None:
    (item,) = plan(trainjob(), RT, compat=REFERENCE).objects
    assert item.manifest["metadata"] == {"name": "m", "namespace": "team"}


def test_every_object_is_marked_placed_and_of_known_origin() -> None:
    made = plan(trainjob(), FLUX, output=Output(secrets="inline"), features=STATUS)
    kinds = [item.manifest["kind"] for item in made.objects]
    assert sorted(kinds) == ["ConfigMap", "ConfigMap", "JobSet", "Secret"]
    for item in made.objects:
        assert item.origin == "jobs.yaml (TrainJob m, ClusterTrainingRuntime/rt)"
        assert item.trainjob == ("team", "m")
        assert item.manifest["metadata"]["namespace"] == "team"
        assert item.manifest["metadata"]["labels"][names.MANAGED_BY_LABEL] == "trainc"


def test_the_trainjob_beside_its_jobset() -> None:
    made = plan(trainjob(metadata="labels: {a: b}"), RT, output=Output(emit="both"))
    job = made.objects[-1].manifest
    assert job["kind"] == "TrainJob"
    assert job["metadata"]["labels"] == {"a": "b", names.MANAGED_BY_LABEL: "trainc"}
    kinds = [o.manifest["kind"] for o in plan(trainjob(), RT, output=Output(emit="both"),
                                              compat=REFERENCE).objects]  # fmt: skip
    assert kinds == ["JobSet"]


def test_a_trainjob_read_from_a_cluster_can_be_applied_to_one() -> None:
    read = (
        'annotations: {a: b}, uid: u, resourceVersion: "5", generation: 2, creationTimestamp: null'
    )
    owned = "ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: c, uid: u}]"
    made = plan(trainjob(metadata=f"{read}, {owned}"), RT, output=Output(emit="both"))
    assert made.objects[-1].manifest["metadata"] == {
        "name": "m",
        "namespace": "team",
        "annotations": {"a": "b"},
        "labels": {names.MANAGED_BY_LABEL: "trainc"},
    }


@pytest.mark.parametrize("more", ["", "a: b, kueue.x-k8s.io/priority-class: high, "])
def test_a_queued_job_is_one_workload(more: str) -> None:
    queue = f"labels: {{{more}kueue.x-k8s.io/queue-name: gpu}}"
    made = plan(trainjob(metadata=queue), RT, output=Output(emit="both"))
    jobset, job = (item.manifest for item in made.objects[-2:])
    assert jobset["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "gpu"
    kept = {"a": "b"} if more else {}
    assert job["metadata"]["labels"] == {**kept, names.MANAGED_BY_LABEL: "trainc"}
    assert "suspend" not in job["spec"]
    assert "suspend" not in jobset["spec"]


@pytest.mark.parametrize(("kind", "keys"), [("ssh", {"ssh-privatekey", "ssh-publickey"}),
                                            ("curve", {"curve.cert"})])  # fmt: skip
def test_secrets_are_fresh(kind: str, keys: set[str]) -> None:
    first, second = (secret(SecretRequest("s", kind), "m", "team") for _ in range(2))
    assert first["metadata"]["name"] == "s"
    assert set(first["stringData"]) == keys
    assert all(first["stringData"][key] != second["stringData"][key] for key in keys)


def test_a_secret_of_another_kind_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="no Secret of kind ca"):
        secret(SecretRequest("s", "ca"), "m", "team")


def test_counts_stand_in_every_job() -> None:
    jobs = replicated_job() + replicated_job("extra", label="", job="parallelism: 3")
    made = compiled(trainjob(trainer="{numNodes: 2}"), runtime("{torch: {}}", jobs=jobs))
    for name, count in (("node", 2), ("extra", 3)):
        spec = made.job(name)["template"]["spec"]
        assert (spec["parallelism"], spec["completions"]) == (count, count)


@pytest.mark.parametrize("suspend", [True, False])
def test_suspend_is_the_jobs_and_printed_where_it_is_true(suspend: bool) -> None:
    rt = runtime("{torch: {}}", template=f"suspend: {str(not suspend).lower()}")
    job = trainjob(f"suspend: {str(suspend).lower()}")
    assert compiled(job, rt).jobset.get("suspend") is (True if suspend else None)
    assert compiled(job, rt, compat=REFERENCE).jobset["suspend"] is suspend


@pytest.mark.parametrize("field", ["command", "args"])
def test_an_empty_list_clears_the_runtimes(field: str) -> None:
    rt = runtime("{torch: {}}", jobs=replicated_job(container=f"{field}: [a]"))
    assert compiled(trainjob(), rt).container()[field] == ["a"]
    assert field not in compiled(trainjob(trainer=f"{{{field}: []}}"), rt).container()


@dataclass(frozen=True)
class Late:
    """A problem of the compiled pods, and the field it is told at."""

    __test__ = False
    name: str
    job: str
    runtime: str
    object: str
    field: str


POD = "spec.template.spec.replicatedJobs[0].template.spec.template.spec"
PATCH = (
    "runtimePatches: [{manager: a.io/x, trainingRuntimeSpec: {template: {spec: {replicatedJobs: "
    "[{name: node, template: {spec: {template: {spec: {%s}}}}}]}}}}]"
)

LATE = [
    Late("the job's env", trainjob(trainer="{env: [{name: A}, {name: 'b=c'}]}"), RT,
         "TrainJob/m", "spec.trainer.env[1].name"),
    Late("the job's image", trainjob(trainer="{image: ''}"), RT, "TrainJob/m",
         "spec.trainer.image"),
    Late("the job's resources", trainjob(
         trainer="{resourcesPerNode: {requests: {cpu: 2}, limits: {cpu: 1}}}"), RT,
         "TrainJob/m", "spec.trainer.resourcesPerNode.requests.cpu"),
    Late("a patched volume", trainjob(PATCH % "volumes: [{name: V_1}]"), RT, "TrainJob/m",
         "spec.runtimePatches[0].trainingRuntimeSpec.template.spec.replicatedJobs[0]"
         ".template.spec.template.spec.volumes[0].name"),
    Late("the runtime's mount", trainjob(), runtime("{torch: {}}", jobs=replicated_job(
         container="volumeMounts: [{name: v, mountPath: /v}]")), "ClusterTrainingRuntime/rt",
         f"{POD}.containers[0].volumeMounts[0].name"),
]  # fmt: skip


@pytest.mark.parametrize("case", LATE, ids=lambda case: case.name)
def test_a_late_problem_is_told_where_it_was_written(case: Late) -> None:
    (problem,) = compiled(case.job, case.runtime).problems
    assert (problem.object, problem.field) == (case.object, case.field), problem.message
    assert problem.mark is not None
    assert problem.mark.line > 1
    assert not compiled(case.job, case.runtime, compat=REFERENCE).errors


def test_a_jobset_says_what_its_webhook_would_add_to_a_list() -> None:
    """Client-side apply sends lists whole, and the webhook acts on creation alone."""
    made = compiled(
        trainjob(), runtime("{torch: {}}", jobs=replicated_job(pod="hostNetwork: true"))
    )
    assert made.job()["template"]["spec"]["completionMode"] == "Indexed"
    assert made.pod()["restartPolicy"] == "OnFailure"
    own = compiled(trainjob(), runtime("{torch: {}}", jobs=replicated_job()))
    assert own.pod()["restartPolicy"] == "Never"
    theirs = compiled(trainjob(), RT, compat=REFERENCE).job()["template"]["spec"]
    assert "completionMode" not in theirs
