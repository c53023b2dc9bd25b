"""runtimeRef: which runtime a job gets, and what is said where there is none."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from trainc.sample import REFERENCE, compiled, replicated_job, runtime, trainjob

CLUSTER = runtime("{torch: {}}")
LOCAL = CLUSTER.replace("ClusterTrainingRuntime", "TrainingRuntime")
HERE = LOCAL.replace("name: rt", "name: rt, namespace: team")
NEAR = trainjob().replace("{name: rt}", "{name: rt, kind: TrainingRuntime}")
INIT = "initializer: {%s: {storageUri: 'hf://a/b'}}"


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    texts: tuple[str, ...]
    want: str = ""
    hint: str = ""


def initializer(name: str = "dataset-initializer", container: str = "") -> str:
    mount = "volumeMounts: [{name: initializer, mountPath: /workspace}]"
    pod = "volumes: [{name: initializer, emptyDir: {}}]"
    jobs = replicated_job() + replicated_job(name, label="dataset-initializer", pod=pod,
                                             container=container or mount)  # fmt: skip
    return runtime("{torch: {}}", jobs=jobs)


CASES = [
    TestCase("a cluster runtime by default", (trainjob(), CLUSTER)),
    TestCase("whatever stands first", (CLUSTER, trainjob())),
    TestCase("a runtime of the job's namespace", (NEAR, HERE)),
    TestCase("not one of another namespace", (NEAR, LOCAL),
             'spec.runtimeRef: no TrainingRuntime "rt" in namespace team among the inputs',
             "there is a TrainingRuntime rt in namespace default"),
    TestCase("not one of another kind", (trainjob(), HERE),
             'spec.runtimeRef: no ClusterTrainingRuntime "rt" among the inputs',
             "there is a TrainingRuntime rt in namespace team"),
    TestCase("not one of another name", (trainjob().replace("{name: rt}", "{name: tr}"), CLUSTER),
             'spec.runtimeRef: no ClusterTrainingRuntime "tr" among the inputs',
             "there are: rt"),
    TestCase("a kind that does not exist",
             (trainjob().replace("{name: rt}", "{name: rt, kind: Runtime}"), CLUSTER),
             'spec.runtimeRef: no runtime is of kind "Runtime"',
             "kinds: ClusterTrainingRuntime, TrainingRuntime; group: trainer.kubeflow.org"),
    TestCase("a group that does not exist",
             (trainjob().replace("{name: rt}", "{name: rt, apiGroup: ''}"), CLUSTER),
             "spec.runtimeRef: no runtime is of kind"),
    TestCase("an initializer with its job", (trainjob(INIT % "dataset"), initializer())),
    TestCase("an initializer without a job", (trainjob(INIT % "model"), initializer()),
             "spec.runtimeRef: ClusterTrainingRuntime/rt has no job model-initializer",
             "name another runtime, or remove the initializer"),
    TestCase("an initializer without its mount",
             (trainjob(INIT % "dataset"), initializer(container="workingDir: /w")),
             'spec.runtimeRef: container "dataset-initializer" of ClusterTrainingRuntime/rt mounts',
             'mount a volume named "initializer" at /workspace'),
    TestCase("a trainer of two replicas",
             (trainjob(), runtime("{torch: {}}", jobs=replicated_job(more="replicas: 2"))),
             "spec.template.spec.replicatedJobs[0].replicas: must be 1 for the trainer job, got 2"),
    TestCase("a trainer without its container",
             (trainjob(), CLUSTER.replace("{name: node, image", "{name: main, image")),
             "spec.template.spec.replicatedJobs[0].template.spec.template.spec.containers: the"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_which_runtime(case: TestCase) -> None:
    made = compiled(*case.texts)
    if not case.want:
        assert not made.errors
        assert "JobSet" in made.objects
        return
    (error,) = made.errors
    assert error.startswith(case.want)
    if case.hint:
        assert made.problems[0].hint == case.hint
    assert not made.objects


def test_a_refused_runtime_is_blamed_once_and_its_jobs_are_not() -> None:
    bad = CLUSTER.replace("{torch: {}}", "{torch: 3}")
    made = compiled(trainjob(), trainjob().replace("name: m,", "name: z,"), bad)
    assert [problem.object for problem in made.problems] == ["ClusterTrainingRuntime/rt"]


def test_a_deprecated_runtime_warns_with_each_job() -> None:
    old = CLUSTER.replace(
        "{name: rt}", "{name: rt, labels: {trainer.kubeflow.org/support: deprecated}}"
    )
    for compat in (REFERENCE, REFERENCE._replace(version=None)):
        made = compiled(trainjob(), trainjob().replace("name: m,", "name: z,"), old, compat=compat)
        warned = [p.object for p in made.problems if "deprecated" in p.message]
        assert sorted(warned) == ["ClusterTrainingRuntime/rt", "TrainJob/m", "TrainJob/z"]
    local = old.replace("ClusterTrainingRuntime", "TrainingRuntime").replace(
        "name: rt,", "name: rt, namespace: team,"
    )
    assert not compiled(NEAR, local).problems


@pytest.mark.parametrize("jobs", ["{}", "{replicatedJobs: []}"])
def test_a_runtime_without_replicated_jobs_is_refused_once_at_its_place(jobs: str) -> None:
    """Whatever jobs use it; v2.3.0 prints an empty JobSet."""
    text = f"""\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: ClusterTrainingRuntime
metadata: {{name: rt}}
spec:
  mlPolicy: {{torch: {{}}}}
  template: {{spec: {jobs}}}
"""
    other = trainjob().replace("name: m,", "name: z,")
    made = compiled(text, trainjob(), other)
    (problem,) = [each for each in made.problems if each.severity == "error"]
    assert (problem.code, problem.object) == ("TRC108", "ClusterTrainingRuntime/rt")
    assert problem.field == "spec.template.spec.replicatedJobs"
    assert problem.mark is not None
    assert problem.mark.line == 6
    kept = compiled(trainjob(), text, compat=REFERENCE)
    assert [each for each in kept.problems if each.severity == "error"] == []
