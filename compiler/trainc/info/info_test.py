"""Spec to Info: counts, initializers, env, gangs and progress, as objects show them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from trainc.info.podset import JOB_INDEX, Container, container, env_items
from trainc.sample import REFERENCE, Compiled, compiled, replicated_job, runtime, trainjob
from trainc.spec.compat import SOUND, Compat

STATUS = frozenset({"TrainJobStatus"})
RT = runtime("{torch: {}}")


def node(**raw: Any) -> Container:
    return container({"name": "node", **raw})


def test_a_container_is_read_whole() -> None:
    read = node(
        image="i", command=["a"], args=[], env=[{"name": "A"}], ports=[{"containerPort": 1}]
    )
    assert (read.image, read.command, read.args) == ("i", ("a",), ())
    assert (read.env, read.ports) == (({"name": "A"},), ({"containerPort": 1},))
    assert (node().image, node().command, node().args) == (None, None, None)


def test_env_is_set_in_place_and_the_old_container_stays() -> None:
    old = node(env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}])
    new = old.with_env([{"name": "C", "value": "3"}, {"name": "A", "value": "9"}])
    assert [(item["name"], item["value"]) for item in new.env] == [
        ("A", "9"), ("B", "2"), ("C", "3")]  # fmt: skip
    assert old.env[0]["value"] == "1"


def test_a_mount_is_known_by_its_path() -> None:
    old = node(volumeMounts=[{"name": "a", "mountPath": "/x"}])
    new = old.with_mounts({"name": "b", "mountPath": "/x"}, {"name": "b", "mountPath": "/y"})
    assert [(item["name"], item["mountPath"]) for item in new.mounts] == [("b", "/x"), ("b", "/y")]


def test_a_field_of_the_pod_is_no_value() -> None:
    plain, rank = env_items({"A": "x", "B": JOB_INDEX})
    assert plain == {"name": "A", "value": "x"}
    assert list(rank["valueFrom"]) == ["fieldRef"]


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    texts: tuple[str, ...]
    look: Callable[[Compiled], Any]
    want: Any
    compat: Compat = SOUND
    features: frozenset[str] = frozenset()


MOUNT = "volumeMounts: [{name: initializer, mountPath: /workspace}]"


def initializer(container: str = MOUNT) -> str:
    name, pod = "dataset-initializer", "volumes: [{name: initializer, emptyDir: {}}]"
    jobs = replicated_job() + replicated_job(name, label=name, container=container, pod=pod)
    return runtime("{torch: {}}", jobs=jobs)


def dataset(body: str) -> str:
    return trainjob(f"initializer: {{dataset: {{{body}}}}}")


def loader(made: Compiled) -> Any:
    return made.container("dataset-initializer", "dataset-initializer")


def env_of(name: str = "A") -> Callable[[Compiled], Any]:
    return lambda made: next(i for i in made.container()["env"] if i["name"] == name)


def variable(body: str) -> str:
    return trainjob(trainer=f"{{env: [{{name: A, {body}}}]}}")


CASES = [
    TestCase("a Job's own parallelism counts without mlPolicy", (trainjob(), runtime(
             "null", jobs=replicated_job(job="parallelism: 3"))), lambda made: made.count(), 3),
    TestCase("mlPolicy counts over it", (trainjob(), runtime(
             "{numNodes: 2}", jobs=replicated_job(job="parallelism: 3"))),
             lambda made: made.count(), 2),
    TestCase("mlPolicy without a number is one node", (trainjob(), runtime(
             "{torch: {}}", jobs=replicated_job(job="parallelism: 3"))),
             lambda made: made.count(), 1),
    TestCase("a job that does not train keeps its own count", (trainjob(trainer="{numNodes: 5}"),
             runtime("{numNodes: 2}", jobs=replicated_job() + replicated_job(
                 "x", label="", job="parallelism: 3"))),
             lambda made: (made.count(), made.count("x")), (5, 3)),
    TestCase("only the first trainer takes the job's count", (trainjob(trainer="{numNodes: 5}"),
             runtime("{torch: {}}", jobs=replicated_job() + replicated_job("x"))),
             lambda made: (made.count(), made.count("x")), (5, 1)),
    TestCase("every trainer takes the job's image", (trainjob(trainer="{image: 'example.com/a:2'}"),
             runtime("{torch: {}}", jobs=replicated_job() + replicated_job("x"))),
             lambda made: {made.container(job=job)["image"] for job in ("node", "x")},
             {"example.com/a:2"}),
    TestCase("limits and requests are merged by name", (
             trainjob(trainer="{resourcesPerNode: {limits: {cpu: 3}, requests: {memory: 2Gi}}}"),
             runtime("{torch: {}}", jobs=replicated_job(
                 container="resources: {limits: {cpu: 2, memory: 4Gi}}"))),
             lambda made: made.container()["resources"],
             {"limits": {"cpu": "3", "memory": "4Gi"}, "requests": {"memory": "2Gi"}}),
    TestCase("an initializer gets its address", (dataset("storageUri: 'hf://a/b'"), initializer()),
             lambda made: loader(made)["env"], [{"name": "STORAGE_URI", "value": "hf://a/b"}]),
    TestCase("its env stands over the address", (
             dataset("storageUri: 'hf://a/b', env: [{name: STORAGE_URI, value: 's3://c'}]"),
             initializer()), lambda made: loader(made)["env"],
             [{"name": "STORAGE_URI", "value": "s3://c"}]),
    TestCase("its Secret comes after the runtime's", (dataset("secretRef: {name: mine}"),
             initializer(MOUNT + ", envFrom: [{configMapRef: {name: theirs}}]")),
             lambda made: loader(made)["envFrom"],
             [{"configMapRef": {"name": "theirs"}}, {"secretRef": {"name": "mine"}}]),
    TestCase("an empty value is not printed", (variable("value: ''"), RT), env_of(),
             {"name": "A"}),
    TestCase("the reference prints it", (variable("value: ''"), RT), env_of(),
             {"name": "A", "value": ""}, REFERENCE),
    TestCase("the reference drops a fieldRef's version", (
             variable("valueFrom: {fieldRef: {fieldPath: metadata.name, apiVersion: v1}}"), RT),
             env_of(), {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
             REFERENCE),
    TestCase("and fills a resourceFieldRef", (
             variable("valueFrom: {resourceFieldRef: {resource: limits.cpu}}"), RT), env_of(),
             {"name": "A", "valueFrom": {"resourceFieldRef": {
                 "containerName": "", "divisor": "0", "resource": "limits.cpu"}}}, REFERENCE),
    TestCase("a Secret's key may be optional", (
             variable("valueFrom: {secretKeyRef: {name: s, key: k, optional: true}}"), RT),
             env_of(), {"name": "A", "valueFrom": {"secretKeyRef": {
                 "name": "s", "key": "k", "optional": True}}}),
    TestCase("training code learns where to report", (trainjob(), RT),
             lambda made: {k: v for k, v in made.env().items() if k.startswith("KUBEFLOW")}, {
        "KUBEFLOW_TRAINER_SERVER_URL":
            "https://trainc-controller.trainc-system.svc:10443/apis/trainer.kubeflow.org/v1alpha1"
            "/namespaces/team/trainjobs/m/status",
        "KUBEFLOW_TRAINER_SERVER_CA_CERT": "/var/run/secrets/kubeflow/trainer/ca.crt",
        "KUBEFLOW_TRAINER_SERVER_TOKEN": "/var/run/secrets/kubeflow/trainer/token"},
             features=STATUS),
    TestCase("with a token for this job alone", (trainjob(), RT),
             lambda made: made.pod()["volumes"][0]["projected"]["sources"][0][
                 "serviceAccountToken"], {
        "audience": "trainer.kubeflow.org/v1alpha1/namespaces/team/trainjobs/m/status",
        "expirationSeconds": 3600, "path": "token"}, features=STATUS),
    TestCase("without the feature it learns nothing", (trainjob(), RT),
             lambda made: "volumes" in made.pod(), False),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_compiles(case: TestCase) -> None:
    made = compiled(*case.texts, compat=case.compat, features=case.features)
    assert not made.errors
    assert case.look(made) == case.want


GANG = "  podGroupPolicy: {coscheduling: {}}\n  template:\n"


@pytest.mark.parametrize(
    ("pod", "want"),
    [
        ("restartPolicy: Never", {"cpu": "200m"}),
        ("overhead: {cpu: 10m}", {"cpu": "220m"}),
        ("initContainers: [{name: i, image: x, resources: {requests: {cpu: 1}}}]", {"cpu": "2"}),
        (
            "initContainers: [{name: i, image: x, restartPolicy: Always, "
            "resources: {requests: {cpu: 50m}}}]",
            {"cpu": "300m"},
        ),
        ("resources: {requests: {cpu: 3}}", {"cpu": "6"}),
    ],
    ids=["containers", "overhead", "a larger init container", "a sidecar", "the pod's own"],
)
def test_a_gang_asks_for_what_its_pods_ask_for(pod: str, want: dict[str, str]) -> None:
    jobs = replicated_job(container="resources: {requests: {cpu: 100m}}", pod=pod)
    text = runtime("{numNodes: 2}", jobs=jobs).replace("  template:\n", GANG, 1)
    made = compiled(trainjob(), text)
    assert made.objects["PodGroup"]["spec"]["minResources"] == want
