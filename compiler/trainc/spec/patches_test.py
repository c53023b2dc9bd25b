"""runtimePatches: what is merged how, and what a patch may not do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from trainc.sample import Compiled, compiled, replicated_job, runtime, trainjob


def patches(*bodies: str) -> str:
    """Patches, one manager each, of a whole template."""
    items = (
        f"{{manager: a.io/x{index}, trainingRuntimeSpec: {{template: {{{body}}}}}}}"
        for index, body in enumerate(bodies)
    )
    return f"runtimePatches: [{', '.join(items)}]"


def job(body: str, name: str = "node") -> str:
    return f"spec: {{replicatedJobs: [{{name: {name}, {body}}}]}}"


def pod(body: str) -> str:
    return job(f"template: {{spec: {{template: {{spec: {{{body}}}}}}}}}")


def pod_of(text: str) -> str:
    return runtime("{torch: {}}", jobs=replicated_job(pod=text))


def volumes(made: Compiled) -> list[str]:
    return [volume["name"] for volume in made.pod()["volumes"]]


def named(*names: str) -> str:
    return "volumes: [" + ", ".join(f"{{name: {name}, emptyDir: {{}}}}" for name in names) + "]"


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    patches: str
    runtime: str
    look: Callable[[Compiled], Any]
    want: Any


RT = runtime("{torch: {}}")

CASES = [
    TestCase("labels reach the JobSet, the last one wins",
             patches("metadata: {labels: {a: '1', b: '1'}}", "metadata: {labels: {a: '2'}}"), RT,
             lambda made: {k: v for k, v in made.objects["JobSet"]["metadata"]["labels"].items()
                           if k in "ab"}, {"a": "2", "b": "1"}),
    TestCase("maps are merged by key", patches(pod("nodeSelector: {a: z}")),
             pod_of("nodeSelector: {a: x, b: w}"), lambda made: made.pod()["nodeSelector"],
             {"a": "z", "b": "w"}),
    TestCase("patches are applied one after another",
             patches(pod("nodeSelector: {a: z}"), pod("nodeSelector: {a: v}")), RT,
             lambda made: made.pod()["nodeSelector"], {"a": "v"}),
    TestCase("a map can be replaced", patches(pod("nodeSelector: {$patch: replace, c: x}")),
             pod_of("nodeSelector: {a: x, b: w}"), lambda made: made.pod()["nodeSelector"],
             {"c": "x"}),
    TestCase("a map can be emptied", patches(pod("nodeSelector: {$patch: delete}")),
             pod_of("nodeSelector: {a: x, b: w}"), lambda made: made.pod().get("nodeSelector"),
             None),
    TestCase("new items come first", patches(pod(named("v2"))), pod_of(named("v1")), volumes,
             ["v2", "v1"]),
    TestCase("a merged list is in the patch's order, the base's between",
             patches(pod(named("n2", "v3", "v1", "n1"))),
             pod_of(named("v0", "v1", "v2", "v3", "v4")), volumes,
             ["n2", "v0", "v2", "v3", "v1", "n1", "v4"]),
    TestCase("known items keep their place before new ones",
             patches(pod(named("v3", "n1"))), pod_of(named("v0", "v1", "v2", "v3", "v4")), volumes,
             ["v0", "v1", "v2", "v3", "n1", "v4"]),
    TestCase("tolerations are replaced", patches(pod("tolerations: [{key: a}]")),
             pod_of("tolerations: [{key: b}]"), lambda made: made.pod()["tolerations"],
             [{"key": "a"}]),
    TestCase("a text behind a pointer can be emptied", patches(pod("serviceAccountName: ''")),
             pod_of("serviceAccountName: old"), lambda made: made.pod().get("serviceAccountName"),
             None),
    TestCase("a zero behind a pointer counts", patches(pod("terminationGracePeriodSeconds: 0")),
             pod_of("terminationGracePeriodSeconds: 5"),
             lambda made: made.pod()["terminationGracePeriodSeconds"], 0),
    TestCase("an env value gives way to another source", patches(pod(
             "containers: [{name: side, env: [{name: A, valueFrom: {fieldRef: "
             "{fieldPath: metadata.name}}}]}]")),
             RT + "                - {name: side, image: x, env: [{name: A, value: b}]}\n",
             lambda made: made.env("side")["A"], {"fieldRef": {"fieldPath": "metadata.name"}}),
    TestCase("a patch of nothing but its manager", "runtimePatches: [{manager: a.io/x}]", RT,
             lambda made: made.container()["image"], "example.com/img:1"),
    TestCase("finalizers are joined, those of the patch first",
             patches(job("template: {metadata: {finalizers: [a.io/b]}}")), RT,
             lambda made: made.job()["template"]["metadata"]["finalizers"], ["a.io/b"]),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_merges(case: TestCase) -> None:
    made = compiled(trainjob(case.patches), case.runtime)
    assert not made.errors
    assert case.look(made) == case.want


@dataclass(frozen=True)
class Refusal:
    __test__ = False
    name: str
    patches: str
    want: str


BASE = "spec.runtimePatches[0].trainingRuntimeSpec.template.spec.replicatedJobs[0]"
POD = f"{BASE}.template.spec.template.spec"

REFUSALS = [
    Refusal("a job that is not there", patches(job("template: {}", "nope")), f"{BASE}.name: "),
    Refusal("a container that is not there", patches(pod("containers: [{name: x}]")),
            f"{POD}.containers[0].name: "),
    Refusal("an init container that is not there", patches(pod("initContainers: [{name: x}]")),
            f"{POD}.initContainers[0].name: "),
    Refusal("a directive that does not exist", patches(pod("nodeSelector: {$patch: merge}")),
            f"{POD}.nodeSelector.$patch: "),
    Refusal("a $ key in labels", patches(
            job("template: {metadata: {labels: {$retainKeys: a}}}")),
            f"{BASE}.template.metadata.labels.$retainKeys: "),
    Refusal("env of the trainer", patches(pod(
            "containers: [{name: node, env: [{name: A, value: b}]}]")),
            "spec.runtimePatches: must not set env of the container \"node\""),
    Refusal("a field no patch has", patches(job("replicas: 2")), f"{BASE}.replicas: "),
    Refusal("a manager without a domain",
            patches(pod("nodeSelector: {a: b}")).replace("a.io/x0", "mine"),
            "spec.runtimePatches.manager: "),
    Refusal("a manager without a path",
            patches(pod("nodeSelector: {a: b}")).replace("a.io/x0", "a.io/"),
            "spec.runtimePatches.manager: "),
]  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case.name)
def test_refuses(case: Refusal) -> None:
    made = compiled(trainjob(case.patches), RT)
    assert [e for e in made.errors if e.startswith(case.want)], made.errors


def test_patched_jobs_keep_the_templates_order() -> None:
    jobs = replicated_job("a", label="") + replicated_job("node")
    text = patches("spec: {replicatedJobs: [{name: node}, {name: a}]}")
    made = compiled(trainjob(text), runtime("{torch: {}}", jobs=jobs))
    assert [item["name"] for item in made.jobset["replicatedJobs"]] == ["a", "node"]


def test_a_patch_of_one_job_leaves_the_runtime_as_it_is_for_another() -> None:
    first = trainjob(patches(pod("nodeSelector: {a: b}")))
    second = trainjob().replace("name: m,", "name: z,")
    assert "nodeSelector" not in compiled(first, second, RT).pod()
