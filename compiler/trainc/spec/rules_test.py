"""Rules are broken at the API server's field, at the place in the file, in plain words."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from trainc.source.parse import parse
from trainc.spec.rules import check_rules
from trainc.spec.schema import check, default

JOB = "apiVersion: trainer.kubeflow.org/v1alpha1\nkind: TrainJob\nmetadata:\n  name: {name}\n"
SPEC = "spec:\n  runtimeRef:\n    name: torch\n"
RUNTIME = JOB.replace("TrainJob", "TrainingRuntime").format(name="r") + "spec:\n"
SOUND = True
COMPAT = False


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    text: str
    want: list[str]
    modes: tuple[bool, ...] = (SOUND, COMPAT)
    kind: str = "TrainJob"


CASES = [
    TestCase(name="a job that keeps all rules", text=JOB.format(name="m") + SPEC, want=[]),
    TestCase(
        name="a name in capitals",
        text=JOB.format(name="MyJob") + SPEC,
        want=['4:3: metadata.name: must match RFC 1035 DNS label format, got "MyJob"'],
    ),
    TestCase(
        name="both rules on the name",
        text=JOB.format(name="9" * 64 + "x") + SPEC,
        want=[
            f'4:3: metadata.name: must match RFC 1035 DNS label format, got "{"9" * 64}x"',
            f'4:3: metadata.name: must be no more than 63 characters, got "{"9" * 64}x"',
        ],
    ),
    TestCase(
        name="no name is said once",
        text=JOB.replace("name:", "generateName:").format(name="m-") + SPEC,
        want=["3:1: metadata.name: must be set"],
    ),
    TestCase(
        name="no spec",
        text=JOB.format(name="m"),
        want=["1:1: spec.runtimeRef: must be set"],
    ),
    TestCase(
        name="a storage uri without scheme, and a controller nobody knows",
        text=JOB.format(name="m")
        + SPEC
        + "  managedBy: me\n  initializer:\n    model:\n      storageUri: bucket/x\n",
        want=[
            "8:3: spec.managedBy: must be trainer.kubeflow.org/trainjob-controller or "
            'kueue.x-k8s.io/multikueue if set, got "me"',
            "11:7: spec.initializer.model.storageUri: storageUri may be empty, or it must be a "
            'valid URI (scheme://...), got "bucket/x"',
        ],
    ),
    TestCase(
        name="no nodes, no processes",
        text=JOB.format(name="m") + SPEC + "  trainer:\n    numNodes: 0\n    numProcPerNode: -1\n",
        want=[
            "9:5: spec.trainer.numNodes: must be at least 1, got 0",
            "10:5: spec.trainer.numProcPerNode: must be at least 1, got -1",
        ],
        modes=(SOUND,),
    ),
    TestCase(
        name="the reference takes no nodes and no processes",
        text=JOB.format(name="m") + SPEC + "  trainer:\n    numNodes: 0\n    numProcPerNode: -1\n",
        want=[],
        modes=(COMPAT,),
    ),
    TestCase(
        name="metadata that the API server refuses or does not know",
        text=JOB.format(name="m") + "  labels: {a b: c}\n  label: {}\n" + SPEC,
        want=[
            '5:12: metadata.labels: key "a b" must be letters, digits, "-", "_" and ".", '
            "and begin and end with a letter or digit",
            "6:3: metadata.label: unknown field",
        ],
        modes=(SOUND,),
    ),
    TestCase(
        name="the reference says nothing of metadata",
        text=JOB.format(name="m") + "  labels: {a b: c}\n  label: {}\n" + SPEC,
        want=[],
        modes=(COMPAT,),
    ),
    TestCase(
        name="two policies",
        text=RUNTIME + "  mlPolicy:\n    torch: {}\n    mpi: {}\n",
        want=["6:3: spec.mlPolicy: must set only one of torch, mpi, jax, xgboost and flux"],
        kind="TrainingRuntime",
    ),
    TestCase(
        name="no flux processes",
        text=RUNTIME + "  mlPolicy:\n    flux:\n      numProcPerNode: 0\n",
        want=["8:7: spec.mlPolicy.flux.numProcPerNode: must be at least 1, got 0"],
        kind="TrainingRuntime",
    ),
    TestCase(
        name="no mpi processes and no nodes",
        text=RUNTIME + "  mlPolicy:\n    numNodes: 0\n    mpi:\n      numProcPerNode: 0\n",
        want=[
            "7:5: spec.mlPolicy.numNodes: must be at least 1, got 0",
            "9:7: spec.mlPolicy.mpi.numProcPerNode: must be at least 1, got 0",
        ],
        modes=(SOUND,),
        kind="TrainingRuntime",
    ),
    TestCase(
        name="node among the containers of envInjection",
        text=RUNTIME
        + "  mlPolicy:\n    torch:\n      envInjection:\n        targets:\n"
        + "        - {jobName: a, containerNames: [x]}\n"
        + "        - {jobName: b, containerNames: [node]}\n",
        want=[
            "11:24: spec.mlPolicy.torch.envInjection.targets[1].containerNames: "
            "must not name the container node: it gets the PET_* variables anyway"
        ],
        kind="TrainingRuntime",
    ),
    TestCase(
        name="in order, and waiting for others",
        text=RUNTIME
        + "  template:\n    spec:\n      startupPolicy: {startupPolicyOrder: InOrder}\n"
        + "      replicatedJobs:\n      - name: a\n        template: {}\n"
        + "        dependsOn: [{name: b, status: Ready}]\n",
        want=[
            "7:5: spec.template.spec: "
            "must not have both startupPolicy InOrder and jobs with dependsOn"
        ],
        kind="TrainingRuntime",
    ),
    TestCase(
        name="a runtime's name is a subdomain",
        text=RUNTIME.replace("name: r", "name: a_b"),
        want=[
            '4:3: metadata.name: must be a-z, 0-9 and "-" in parts with dots between, '
            'each from letter or digit to such, got "a_b"'
        ],
        modes=(SOUND,),
        kind="TrainingRuntime",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_check_rules_names_field_value_and_place(case: TestCase) -> None:
    for sound in case.modes:
        documents, _ = parse(case.text.encode(), "job.yaml")
        assert check(documents[0], case.kind) == []
        default(documents[0], case.kind)
        problems = check_rules(documents[0], case.kind, sound=sound, metadata=sound)
        got = [f"{p.mark.line}:{p.mark.column}: {p.field}: {p.message}" for p in problems if p.mark]
        assert got == case.want
