"""The digest changes with what pods are made from, and with nothing else."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from trainc import names
from trainc.sample import compiled, replicated_job, runtime, trainjob


def patch(body: str, more: str = "") -> str:
    return (
        f"runtimePatches: [{{manager: a.io/x{more}, trainingRuntimeSpec: {{template: {{"
        f"metadata: {{labels: {{l: a}}}}, spec: {{replicatedJobs: [{{name: node, {body}}}]}}}}}}}}]"
    )


def pod_patch(pod: str) -> str:
    return patch(f"template: {{spec: {{template: {{spec: {{{pod}}}}}}}}}")


def noted(job: str, rt: str) -> str:
    """The digest in the JobSet's annotation."""
    made = compiled(job, rt)
    assert not made.errors
    note = made.objects["JobSet"]["metadata"]["annotations"][names.JOB_ANNOTATION]
    digest: str = json.loads(note)["digest"]
    assert digest.startswith("sha256:")
    assert len(digest) == len("sha256:") + 64
    return digest


RT = runtime("{torch: {}}", jobs=replicated_job(container="env: [{name: A, value: b}]"))


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    old: str
    new: str
    old_runtime: str = RT
    new_runtime: str = RT


SAME = [
    TestCase("suspending", trainjob(), trainjob("suspend: true")),
    TestCase("labels of the job", trainjob(), trainjob(metadata="labels: {a: b}")),
    TestCase("annotations of the job", trainjob(), trainjob(metadata="annotations: {a: b}")),
    TestCase("a comment", trainjob(), "# new\n" + trainjob()),
    TestCase("a default that is written down", trainjob(),
             trainjob("managedBy: trainer.kubeflow.org/trainjob-controller")),
    TestCase("a patch's node selector", trainjob(pod_patch("nodeSelector: {a: b}")),
             trainjob(pod_patch("nodeSelector: {a: c}"))),
    TestCase("a patch's tolerations", trainjob(pod_patch("tolerations: [{key: a}]")),
             trainjob(pod_patch("tolerations: []"))),
    TestCase("a patch's affinity", trainjob(pod_patch("affinity: {nodeAffinity: {}}")),
             trainjob(pod_patch("affinity: {}"))),
    TestCase("a patch's scheduling gates", trainjob(pod_patch("schedulingGates: [{name: a.io/b}]")),
             trainjob(pod_patch("schedulingGates: []"))),
    TestCase("a patch's job labels", trainjob(patch("template: {metadata: {labels: {a: b}}}")),
             trainjob(patch("template: {metadata: {labels: {a: c}}}"))),
    TestCase("a patch's pod labels",
             trainjob(patch("template: {spec: {template: {metadata: {labels: {a: b}}}}}")),
             trainjob(patch("template: {spec: {template: {metadata: {labels: {a: c}}}}}"))),
    TestCase("a patch's time", trainjob(pod_patch("nodeSelector: {a: b}")),
             trainjob(patch("template: {spec: {template: {spec: {nodeSelector: {a: b}}}}}",
                            ", time: 2026-01-01T00:00:00Z"))),
    TestCase("a quantity written otherwise",
             trainjob(trainer="{resourcesPerNode: {limits: {cpu: 2, a.io/gpu: '1'}}}"),
             trainjob(trainer="{resourcesPerNode: {limits: {cpu: 2000m, a.io/gpu: 1}}}")),
    TestCase("a label of the runtime", trainjob(), trainjob(), RT,
             RT.replace("{name: rt}", "{name: rt, labels: {a: b}}", 1)),
]  # fmt: skip

OTHER = [
    TestCase("the image", trainjob(), trainjob(trainer="{image: 'example.com/x:1'}")),
    TestCase("an argument", trainjob(trainer="{args: [a]}"), trainjob(trainer="{args: [b]}")),
    TestCase("numNodes", trainjob(trainer="{numNodes: 1}"), trainjob(trainer="{numNodes: 2}")),
    TestCase("an env variable", trainjob(), trainjob(trainer="{env: [{name: B, value: c}]}")),
    TestCase("the deadline", trainjob(), trainjob("activeDeadlineSeconds: 5")),
    TestCase("no trainer at all", trainjob(), trainjob(trainer=None)),
    TestCase("a patch's service account", trainjob(pod_patch("serviceAccountName: a")),
             trainjob(pod_patch("serviceAccountName: b"))),
    TestCase("a patch's grace", trainjob(pod_patch("terminationGracePeriodSeconds: 1")),
             trainjob(pod_patch("terminationGracePeriodSeconds: 2"))),
    TestCase("a patch's volume", trainjob(pod_patch("volumes: [{name: v, emptyDir: {}}]")),
             trainjob(pod_patch("volumes: [{name: w, emptyDir: {}}]"))),
    TestCase("a volume's limit in a patch",
             trainjob(pod_patch("volumes: [{name: v, emptyDir: {}}]")),
             trainjob(pod_patch("volumes: [{name: v, emptyDir: {sizeLimit: 1Gi}}]"))),
    TestCase("the runtime's image", trainjob(), trainjob(), RT, RT.replace("img:1", "img:2")),
    TestCase("the runtime's count", trainjob(), trainjob(), RT,
             RT.replace("{torch", "{numNodes: 2, torch")),
    TestCase("the runtime's gang", trainjob(), trainjob(), RT,
             RT.replace("  template:", "  podGroupPolicy: {coscheduling: {}}\n  template:", 1)),
    TestCase("the runtime's name", trainjob(), trainjob().replace("name: rt", "name: r2"), RT,
             RT.replace("name: rt", "name: r2")),
]  # fmt: skip


@pytest.mark.parametrize("case", SAME, ids=lambda case: case.name)
def test_the_digest_stays(case: TestCase) -> None:
    assert case.old != case.new or case.old_runtime != case.new_runtime
    assert noted(case.old, case.old_runtime) == noted(case.new, case.new_runtime)


@pytest.mark.parametrize("case", OTHER, ids=lambda case: case.name)
def test_the_digest_changes(case: TestCase) -> None:
    assert noted(case.old, case.old_runtime) != noted(case.new, case.new_runtime)
