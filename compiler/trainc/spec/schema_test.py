"""Documents are refused with the API server's field, the value, the place and a remedy."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from trainc.source.document import Document
from trainc.source.parse import parse
from trainc.spec.schema import check, default

HEAD = "apiVersion: trainer.kubeflow.org/v1alpha1\nkind: TrainJob\nmetadata:\n  name: m\n"
REF = "spec:\n  runtimeRef:\n    name: torch\n"
RUNTIME = HEAD.replace("TrainJob", "TrainingRuntime")
POD = (
    "spec:\n  template:\n    spec:\n      replicatedJobs:\n      - name: node\n"
    "        template:\n          spec:\n            template:\n              spec:\n"
)
IN_POD = "spec.template.spec.replicatedJobs[0].template.spec.template.spec"


def read(text: str) -> Document:
    documents, problems = parse(text.encode(), "job.yaml")
    assert problems == []
    return documents[0]


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    text: str
    # place: field: message
    want: list[str]
    hints: list[str] = field(default_factory=list)
    kind: str = "TrainJob"


REFUSED = [
    TestCase(
        name="text where an integer belongs",
        text=HEAD + REF + "  trainer:\n    numNodes: three\n",
        want=['9:5: spec.trainer.numNodes: must be an integer, got "three"'],
    ),
    TestCase(
        name="a number in quotes",
        text=HEAD + REF + '  trainer:\n    numNodes: "3"\n',
        want=['9:5: spec.trainer.numNodes: must be an integer, got "3"'],
        hints=["write it without quotes: 3"],
    ),
    TestCase(
        name="a fraction where an integer belongs",
        text=HEAD + REF + "  trainer:\n    numNodes: 1.5\n",
        want=["9:5: spec.trainer.numNodes: must be an integer, got 1.5"],
    ),
    TestCase(
        name="an integer of more than 32 bits",
        text=HEAD + REF + "  trainer:\n    numNodes: 3000000000\n",
        want=["9:5: spec.trainer.numNodes: must fit in 32 bits, got 3000000000"],
    ),
    TestCase(
        name="an integer of more than 64 bits",
        text=HEAD + REF + "  activeDeadlineSeconds: 9223372036854775808\n",
        want=["8:3: spec.activeDeadlineSeconds: must fit in 64 bits, got 9223372036854775808"],
    ),
    TestCase(
        name="below the minimum",
        text=HEAD + REF + "  activeDeadlineSeconds: 0\n",
        want=["8:3: spec.activeDeadlineSeconds: must be at least 1, got 0"],
    ),
    TestCase(
        name="a required field stands nowhere, so its parent is marked",
        text=HEAD + "spec:\n  suspend: true\n",
        want=["5:1: spec.runtimeRef: must be set"],
    ),
    TestCase(
        name="null for a required field is as good as none",
        text=HEAD + "spec:\n  runtimeRef:\n    name:\n",
        want=["6:3: spec.runtimeRef.name: must be set"],
    ),
    TestCase(
        name="empty text",
        text=HEAD + 'spec:\n  runtimeRef:\n    name: ""\n',
        want=["7:5: spec.runtimeRef.name: must not be empty"],
    ),
    TestCase(
        name="too long a text",
        text=HEAD + f"spec:\n  runtimeRef:\n    name: {'a' * 254}\n",
        want=["7:5: spec.runtimeRef.name: must have at most 253 characters, got 254"],
    ),
    TestCase(
        name="too many items",
        text=HEAD + REF + "  trainer:\n    command:\n" + "    - a\n" * 129,
        want=["9:5: spec.trainer.command: must hold at most 128 items, got 129"],
    ),
    TestCase(
        name="text where a list belongs",
        text=HEAD + REF + "  trainer:\n    args: --x\n",
        want=['9:5: spec.trainer.args: must be a list, got "--x"'],
        hints=['write it as a list: ["--x"]'],
    ),
    TestCase(
        name="a mapping where a list belongs, with its entries, as pruning reports them",
        text=HEAD + REF + "  trainer:\n    env:\n      A: b\n",
        want=[
            "9:5: spec.trainer.env: must be a list, got a mapping",
            "10:7: spec.trainer.env.A: unknown field",
        ],
    ),
    TestCase(
        name="words that YAML reads as booleans",
        text=HEAD + REF + "  trainer:\n    env:\n    - name: A\n      value: y\n",
        want=["11:7: spec.trainer.env[0].value: must be a string, got true"],
        hints=["put it in quotes; without, YAML reads y, yes, on, n, no and off as booleans"],
    ),
    TestCase(
        name="a number where text belongs",
        text=HEAD + REF + "  trainer:\n    args: [--lr, 0.5]\n",
        want=["9:18: spec.trainer.args[1]: must be a string, got 0.5"],
        hints=['put it in quotes: "0.5"'],
    ),
    TestCase(
        name="a fraction as a quantity",
        text=HEAD + REF + "  trainer:\n    resourcesPerNode:\n      limits:\n        cpu: 0.5\n",
        want=[
            "11:9: spec.trainer.resourcesPerNode.limits.cpu: "
            "must be an integer or a string, got 0.5"
        ],
        hints=['put it in quotes: "0.5"'],
    ),
    TestCase(
        name="a map key is dotted, not quoted",
        text=HEAD
        + REF
        + "  trainer:\n    resourcesPerNode:\n      limits:\n        nvidia.com/gpu: many\n",
        want=[
            "11:9: spec.trainer.resourcesPerNode.limits.nvidia.com/gpu: "
            'must be a quantity such as 500m, 2 or 16Gi, got "many"'
        ],
    ),
    TestCase(
        name="a quantity whose exponent has a fraction",
        text=HEAD
        + REF
        + '  trainer:\n    resourcesPerNode:\n      limits:\n        cpu: "1e1.5"\n',
        want=[
            "11:9: spec.trainer.resourcesPerNode.limits.cpu: "
            'must be a quantity such as 500m, 2 or 16Gi, got "1e1.5"'
        ],
    ),
    TestCase(
        name="a quantity with a unit of the wrong system",
        text=HEAD + REF + "  trainer:\n    resourcesPerNode:\n      limits: {memory: 2GB}\n",
        want=[
            "10:16: spec.trainer.resourcesPerNode.limits.memory: "
            'must be a quantity such as 500m, 2 or 16Gi, got "2GB"'
        ],
        hints=["write 2Gi (powers of 1024) or 2G"],
    ),
    TestCase(
        name="a mistyped field",
        text=HEAD + REF + "  trainer:\n    resourcePerNode: {}\n",
        want=["9:5: spec.trainer.resourcePerNode: unknown field"],
        hints=["did you mean 'resourcesPerNode'?"],
    ),
    TestCase(
        name="a field in the wrong place",
        text=HEAD + REF + "  numNodes: 3\n",
        want=["8:3: spec.numNodes: unknown field"],
        hints=["did you mean spec.trainer.numNodes?"],
    ),
    TestCase(
        name="a field that is nowhere near",
        text=HEAD + REF + "  runtimePatches:\n  - manager: a.io/b\n    zzz: 1\n",
        want=["10:5: spec.runtimePatches[0].zzz: unknown field"],
        hints=["known: manager, time, trainingRuntimeSpec"],
    ),
    TestCase(
        name="the second of two items with one key is the duplicate",
        text=HEAD + REF + "  trainer:\n    env:\n    - name: A\n    - name: B\n    - name: A\n",
        want=[
            '12:7: spec.trainer.env[2]: must be unique: name "A" is taken by spec.trainer.env[0]'
        ],
    ),
    TestCase(
        name="two items without their key are the same one",
        text=HEAD + REF + "  trainer:\n    env:\n    - value: a\n    - value: b\n",
        want=[
            "10:7: spec.trainer.env[0].name: must be set",
            "11:7: spec.trainer.env[1].name: must be set",
            "11:7: spec.trainer.env[1]: "
            "must be unique: it has no name, nor has spec.trainer.env[0]",
        ],
    ),
    TestCase(
        name="an item that is no mapping",
        text=HEAD + REF + "  trainer:\n    env:\n    - A=b\n",
        want=['10:7: spec.trainer.env[0]: must be a mapping, got "A=b"'],
    ),
    TestCase(
        name="a null in a list stays one",
        text=HEAD + REF + "  trainer:\n    args: [a, null]\n",
        want=["9:15: spec.trainer.args[1]: must be a string, got null"],
    ),
    TestCase(
        name="labels are texts",
        text=HEAD + "  labels:\n    a: 1\n" + REF,
        want=["6:5: metadata.labels.a: must be a string, got 1"],
        hints=['put it in quotes: "1"'],
    ),
    TestCase(
        name="status is held to the schema too",
        text=HEAD + REF + "status: {}\n",
        want=["8:1: status: must hold at least 1 field, got 0"],
    ),
    TestCase(
        name="what unknown fields leave of an object counts",
        text=HEAD + REF + "status:\n  phase: Running\n",
        want=[
            "8:1: status: must hold at least 1 field, got 0",
            "9:3: status.phase: unknown field",
        ],
        hints=["known: conditions, jobsStatus, trainerStatus"],
    ),
    TestCase(
        name="a time without its time zone",
        text=HEAD + REF + "  runtimePatches:\n  - manager: a.io/b\n    time: 2026-01-31\n",
        want=[
            "10:5: spec.runtimePatches[0].time: "
            'must be a time such as 2026-01-31T10:00:00Z, got "2026-01-31"'
        ],
    ),
    TestCase(
        name="all at once, in file order",
        text=HEAD + "spec:\n  trainer:\n    numNodes: x\n    image: 1\n  zzzz: 1\n",
        want=[
            "5:1: spec.runtimeRef: must be set",
            '7:5: spec.trainer.numNodes: must be an integer, got "x"',
            "8:5: spec.trainer.image: must be a string, got 1",
            "9:3: spec.zzzz: unknown field",
        ],
        hints=['put it in quotes: "1"', "known: KNOWN"],
    ),
    TestCase(
        name="not a word of the enumeration",
        text=RUNTIME + "spec:\n  mlPolicy:\n    mpi:\n      mpiImplementation: LAM\n",
        want=['8:7: spec.mlPolicy.mpi.mpiImplementation: must be one of "OpenMPI", "", got "LAM"'],
        kind="TrainingRuntime",
    ),
    TestCase(
        name="an object that takes no fields",
        text=RUNTIME + "spec:\n  mlPolicy:\n    jax:\n      port: 1\n",
        want=["8:7: spec.mlPolicy.jax.port: unknown field"],
        kind="TrainingRuntime",
    ),
    TestCase(
        name="ports are told apart by number and protocol, which is TCP where none is written",
        text=RUNTIME
        + POD
        + " " * 16
        + "containers: [{name: a, ports: [{containerPort: 1}, {containerPort: 1, protocol: TCP}]}]",
        want=[
            f"14:68: {IN_POD}.containers[0].ports[1]: "
            'must be unique: containerPort 1, protocol "TCP" is taken by '
            f"{IN_POD}.containers[0].ports[0]"
        ],
        kind="TrainingRuntime",
    ),
    TestCase(
        name="a set holds an item once",
        text=RUNTIME
        + "spec:\n  mlPolicy:\n    torch:\n      envInjection:\n        targets:\n"
        + "        - jobName: a\n          containerNames: [b, c, b]\n",
        want=[
            "11:34: spec.mlPolicy.torch.envInjection.targets[0].containerNames[2]: must be unique: "
            '"b" stands already in spec.mlPolicy.torch.envInjection.targets[0].containerNames[0]'
        ],
        kind="TrainingRuntime",
    ),
    TestCase(
        name="unknown keys of nested metadata are refused",
        text=RUNTIME + "spec:\n  template:\n    metadata:\n      label: {}\n",
        want=["8:7: spec.template.metadata.label: unknown field"],
        hints=["did you mean 'labels'?"],
        kind="TrainingRuntime",
    ),
    TestCase(
        name="a document that is no mapping below",
        text="kind: TrainJob\nmetadata: []\nspec: 3\n",
        want=[
            "2:1: metadata: must be a mapping, got a list",
            "3:1: spec: must be a mapping, got 3",
        ],
    ),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_check_names_field_value_and_place(case: TestCase) -> None:
    problems = check(read(case.text), case.kind)
    got = [f"{p.mark.line}:{p.mark.column}: {p.field}: {p.message}" for p in problems if p.mark]
    assert got == case.want
    known = [p.hint if len(p.hint) < 90 else "known: KNOWN" for p in problems if p.hint]
    assert known == case.hints
    assert {(p.object, p.severity) for p in problems} == {(_label(case), "error")}


def _label(case: TestCase) -> str:
    return f"{case.kind}/{'m' if 'name: m' in case.text else ''}"


@dataclass(frozen=True)
class Admitted:
    __test__ = False
    name: str
    text: str
    want: dict[str, Any]
    kind: str = "TrainJob"


ADMITTED = [
    Admitted(
        name="a job's defaults",
        text=REF,
        want={
            "runtimeRef": {
                "name": "torch",
                "apiGroup": "trainer.kubeflow.org",
                "kind": "ClusterTrainingRuntime",
            },
            "managedBy": "trainer.kubeflow.org/trainjob-controller",
            "suspend": False,
        },
    ),
    Admitted(
        name="null takes the default, or is dropped",
        text=REF + "    apiGroup: null\n  suspend: null\n  trainer: {image: null}\n",
        want={
            "runtimeRef": {
                "name": "torch",
                "apiGroup": "trainer.kubeflow.org",
                "kind": "ClusterTrainingRuntime",
            },
            "trainer": {},
            "managedBy": "trainer.kubeflow.org/trainjob-controller",
            "suspend": False,
        },
    ),
    Admitted(
        name="a default for each item, at the end of its mapping",
        text=POD
        + " " * 16
        + "nodeSelector: {a: null, b: c}\n"
        + " " * 16
        + "containers: [{name: a, ports: [{containerPort: 1.0}], env: [{name: E, valueFrom: "
        + "{secretKeyRef: {key: k}}}]}]\n",
        want={
            "template": {
                "spec": {
                    "replicatedJobs": [
                        {
                            "name": "node",
                            "template": {
                                "spec": {
                                    "template": {
                                        "spec": {
                                            "nodeSelector": {"b": "c"},
                                            "containers": [
                                                {
                                                    "name": "a",
                                                    "ports": [
                                                        {"containerPort": 1, "protocol": "TCP"}
                                                    ],
                                                    "env": [
                                                        {
                                                            "name": "E",
                                                            "valueFrom": {
                                                                "secretKeyRef": {
                                                                    "key": "k",
                                                                    "name": "",
                                                                }
                                                            },
                                                        }
                                                    ],
                                                }
                                            ],
                                        }
                                    }
                                }
                            },
                            "groupName": "default",
                            "replicas": 1,
                        }
                    ]
                }
            }
        },
        kind="TrainingRuntime",
    ),
]


@pytest.mark.parametrize("case", ADMITTED, ids=lambda case: case.name)
def test_default_fills_in_what_the_crd_says(case: Admitted) -> None:
    document = read(HEAD.replace("TrainJob", case.kind) + case.text)
    assert check(document, case.kind) == []
    default(document, case.kind)
    # As text: 1 and 1.0 are equal, and the order of keys counts.
    assert json.dumps(document.root["spec"]) == json.dumps(case.want)


def test_marks_stay_right_when_a_null_is_dropped() -> None:
    document = read(HEAD + REF + "  trainer:\n    image: null\n    numNodes: 2\n    command: [a]\n")
    assert check(document, "TrainJob") == []
    default(document, "TrainJob")
    assert document.mark(("spec", "trainer", "numNodes"))[1:] == (10, 5)
    assert document.mark(("spec", "trainer", "command", 0))[1:] == (11, 15)


def test_null_label_is_empty_text() -> None:
    document = read(HEAD + "  labels:\n    a:\n" + REF)
    assert check(document, "TrainJob") == []
    assert document.root["metadata"]["labels"] == {"a": ""}


def test_lone_surrogates_are_a_problem_not_a_crash() -> None:
    document = Document("job.yaml", 0, {"kind": "TrainJob", "metadata": {"\ud800": 1}}, {}, 4097)
    assert [p.message for p in check(document, "TrainJob")] == [
        "cannot be read as an object: 'utf-8' codec can't encode character '\\ud800' "
        "in position 0: surrogates not allowed"
    ]


def test_extensions_let_the_settings_of_a_further_policy_in() -> None:
    settings = {
        "type": "object",
        "properties": {"rate": {"type": "number", "exclusiveMinimum": 0}},
        "additionalProperties": False,
    }
    extensions = (("mlPolicy.turbo", json.dumps(settings)),)
    text = RUNTIME + "spec:\n  mlPolicy:\n    turbo:\n      rate: "
    assert check(read(text + "0.5\n"), "TrainingRuntime", extensions) == []
    low = check(read(text + "0\n"), "TrainingRuntime", extensions)
    assert [(p.field, p.message) for p in low] == [
        ("spec.mlPolicy.turbo.rate", "must be more than 0, got 0")
    ]
    without = check(read(text + "1\n"), "TrainingRuntime")
    assert [p.field for p in without] == ["spec.mlPolicy.turbo"]
