from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import pytest

from trainc.kube.pod import CHECKS, problems

JOB = "spec.replicatedJobs[0].template.spec"
POD = f"{JOB}.template.spec"
NODE = f"{POD}.containers[0]"
JOBSET: dict[str, Any] = {
    "apiVersion": "jobset.x-k8s.io/v1alpha2",
    "kind": "JobSet",
    "metadata": {"name": "mnist", "namespace": "team-a"},
    "spec": {
        "replicatedJobs": [
            {
                "name": "node",
                "replicas": 1,
                "groupName": "default",
                "template": {
                    "metadata": {"labels": {"example.com/step": "trainer"}},
                    "spec": {
                        "parallelism": 4,
                        "completions": 4,
                        "template": {
                            "spec": {
                                "containers": [
                                    {
                                        "name": "node",
                                        "image": "example.com/train:1",
                                        "env": [{"name": "EPOCHS", "value": "3"}],
                                        "ports": [{"containerPort": 29500}],
                                        "resources": {
                                            "limits": {"cpu": "4", "nvidia.com/gpu": "1"},
                                            "requests": {"cpu": "4"},
                                        },
                                        "volumeMounts": [{"name": "shm", "mountPath": "/dev/shm"}],
                                    }
                                ],
                                "initContainers": [{"name": "pre", "image": "example.com/pre:1"}],
                                "volumes": [{"name": "shm", "emptyDir": {"medium": "Memory"}}],
                            }
                        },
                    },
                },
            }
        ],
        "suspend": False,
    },
}


def _split(path: str) -> list[str | int]:
    """``a.b[0].c`` as keys; a key with dots stands in braces: ``labels{a.b/c}``."""
    out: list[str | int] = []
    rest = path
    while rest:
        if rest[0] == "{":
            key, rest = rest[1:].split("}", 1)
            out.append(key)
        elif rest[0] == "[":
            key, rest = rest[1:].split("]", 1)
            out.append(int(key))
        else:
            end = min((i for i in map(rest.find, ".[{") if i >= 0), default=len(rest))
            out.append(rest[:end])
            rest = rest[end:]
        rest = rest.removeprefix(".")
    return out


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    """The JobSet with values put at paths; ``None`` removes."""
    jobset = copy.deepcopy(JOBSET)
    for path, value in changes.items():
        *way, last = _split(path)
        node: Any = jobset
        for key in way:
            if isinstance(key, int) and key == len(node):
                node.append({})
            node = node.setdefault(key, {}) if isinstance(node, dict) else node[key]
        if value is None:
            del node[last]
        elif isinstance(node, list) and last == len(node):
            node.append(value)
        else:
            node[last] = value
    return jobset


def shown(path: tuple[str | int, ...]) -> str:
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return text.removeprefix(".")


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    changes: dict[str, Any]
    want: tuple[str, ...] = ()
    says: str = ""


ACCEPTED = [
    TestCase(name="as it stands", changes={}),
    TestCase(name="a volume without a source", changes={f"{POD}.volumes[0].emptyDir": None}),
    TestCase(
        name="one port number for two protocols",
        changes={
            f"{NODE}.ports": [{"containerPort": 53, "protocol": "UDP"}, {"containerPort": 53}]
        },
    ),
    TestCase(name="an env name with a space", changes={f"{NODE}.env[0].name": "A B"}),
    TestCase(
        name="an extended resource in limits only",
        changes={f"{NODE}.resources.limits": {"nvidia.com/gpu": "8"}},
    ),
    TestCase(
        name="equal amounts written differently",
        changes={
            f"{NODE}.resources": {"limits": {"memory": "1Gi"}, "requests": {"memory": "1024Mi"}}
        },
    ),
    TestCase(
        name="a mount of a claim template",
        changes={
            "spec.volumeClaimPolicies": [
                {
                    "templates": [
                        {
                            "metadata": {"name": "initializer"},
                            "spec": {
                                "accessModes": ["ReadWriteOnce"],
                                "resources": {"requests": {"storage": "20Gi"}},
                            },
                        }
                    ]
                }
            ],
            f"{NODE}.volumeMounts[1]": {"name": "initializer", "mountPath": "/workspace"},
        },
    ),
    TestCase(name="the longest name that fits", changes={"metadata.name": "m" * 48}),
    TestCase(name="zero nodes", changes={f"{JOB}.completions": 0, f"{JOB}.parallelism": 0}),
    TestCase(
        name="a sidecar with a probe",
        changes={
            f"{POD}.initContainers[0].restartPolicy": "Always",
            f"{POD}.initContainers[0].startupProbe": {"tcpSocket": {"port": 80}},
        },
    ),
]
REFUSED = [
    TestCase(
        name="no image",
        changes={f"{NODE}.image": None, f"{POD}.initContainers[0].image": ""},
        want=(f"{NODE}.image", f"{POD}.initContainers[0].image"),
        says="must be set",
    ),
    TestCase(
        name="two sources",
        changes={f"{POD}.volumes[0].persistentVolumeClaim": {"claimName": "data"}},
        want=(f"{POD}.volumes[0]",),
        says="has emptyDir and persistentVolumeClaim",
    ),
    TestCase(
        name="two volumes of one name",
        changes={f"{POD}.volumes[1]": {"name": "shm"}},
        want=(f"{POD}.volumes[1].name",),
    ),
    TestCase(
        name="init container named as a container",
        changes={f"{POD}.initContainers[0].name": "node"},
        want=(f"{POD}.initContainers[0].name",),
        says="name of another container",
    ),
    TestCase(
        name="port out of range",
        changes={f"{NODE}.ports[0].containerPort": 65536},
        want=(f"{NODE}.ports[0].containerPort",),
    ),
    TestCase(
        name="port twice",
        changes={f"{NODE}.ports[1]": {"containerPort": 29500, "protocol": "TCP"}},
        want=(f"{NODE}.ports[1]",),
        says="29500/TCP is there twice",
    ),
    TestCase(
        name="port name too long",
        changes={f"{NODE}.ports[0].name": "rendezvous-point"},
        want=(f"{NODE}.ports[0].name",),
        says="at most 15",
    ),
    TestCase(
        name="mount without a volume",
        changes={f"{NODE}.volumeMounts[0].name": "data"},
        want=(f"{NODE}.volumeMounts[0].name",),
        says='"data" is not a volume of the Pod; there are shm',
    ),
    TestCase(
        name="path mounted twice",
        changes={f"{NODE}.volumeMounts[1]": {"name": "shm", "mountPath": "/dev/shm"}},
        want=(f"{NODE}.volumeMounts[1].mountPath",),
    ),
    TestCase(
        name="request above limit",
        changes={f"{NODE}.resources.requests.cpu": "4001m"},
        want=(f"{NODE}.resources.requests.cpu",),
        says="must be at most the limit of 4, got 4001m",
    ),
    TestCase(
        name="extended resource in requests only",
        changes={f"{NODE}.resources": {"requests": {"nvidia.com/gpu": "1"}}},
        want=(f"{NODE}.resources.requests.nvidia.com/gpu",),
        says="must be in limits too",
    ),
    TestCase(
        name="extended resource not equal, not whole",
        changes={f"{NODE}.resources.requests{{nvidia.com/gpu}}": "0.5"},
        want=(f"{NODE}.resources.requests.nvidia.com/gpu",) * 2,
    ),
    TestCase(
        name="negative amount",
        changes={f"{NODE}.resources.limits.cpu": "-1", f"{NODE}.resources.requests": None},
        want=(f"{NODE}.resources.limits.cpu",),
        says="must not be negative",
    ),
    TestCase(
        name="resource without a domain",
        changes={f"{NODE}.resources.limits.gpu": "1"},
        want=(f"{NODE}.resources.limits.gpu",),
    ),
    TestCase(
        name="huge pages alone and uneven",
        changes={f"{NODE}.resources": {"limits": {"hugepages-2Mi": "3Mi"}}},
        want=(f"{NODE}.resources.limits.hugepages-2Mi", f"{NODE}.resources"),
    ),
    TestCase(
        name="unknown resource claim",
        changes={f"{NODE}.resources.claims": [{"name": "imex"}]},
        want=(f"{NODE}.resources.claims[0].name",),
    ),
    TestCase(
        name="longest pod name",
        changes={"metadata.name": "m" * 49},
        want=("spec.replicatedJobs[0].name",),
        says="the longest Pod name",
    ),
    TestCase(
        name="job name begins with a digit",
        changes={"metadata.name": "1b"},
        want=("spec.replicatedJobs[0].name",),
        says="begin with a letter",
    ),
    TestCase(
        name="upper case in names",
        changes={f"{NODE}.name": "Node", f"{POD}.volumes[0].name": "Shm"},
        want=(f"{POD}.volumes[0].name", f"{NODE}.name", f"{NODE}.volumeMounts[0].name"),
    ),
    TestCase(
        name="restart always",
        changes={f"{POD}.restartPolicy": "Always"},
        want=(f"{POD}.restartPolicy",),
        says="must be one of OnFailure, Never",
    ),
    TestCase(
        name="failure policy that restarts in place",
        changes={
            f"{JOB}.podFailurePolicy.rules": [
                {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [64]}}
            ]
        },
        want=(f"{POD}.restartPolicy",),
        says="must be Never",
    ),
    TestCase(
        name="failure policy rules",
        changes={
            f"{POD}.restartPolicy": "Never",
            f"{JOB}.podFailurePolicy.rules": [
                {"action": "FailIndex", "onExitCodes": {"operator": "In", "values": [1]}},
                {"action": "FailJob"},
                {"action": "Ignore", "onExitCodes": {"operator": "In", "values": [2, 1]}},
                {
                    "action": "Ignore",
                    "onExitCodes": {"operator": "NotIn", "values": [0], "containerName": "main"},
                },
            ],
        },
        want=(
            f"{JOB}.podFailurePolicy.rules[0].action",
            f"{JOB}.podFailurePolicy.rules[1]",
            f"{JOB}.podFailurePolicy.rules[2].onExitCodes.values",
            f"{JOB}.podFailurePolicy.rules[3].onExitCodes.containerName",
        ),
    ),
    TestCase(
        name="value and valueFrom",
        changes={f"{NODE}.env[0].valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        want=(f"{NODE}.env[0].valueFrom",),
        says="beside a value",
    ),
    TestCase(
        name="env from nowhere and from two places",
        changes={
            f"{NODE}.env": [
                {"name": "A", "valueFrom": {}},
                {
                    "name": "B",
                    "valueFrom": {
                        "fieldRef": {"fieldPath": "metadata.uid"},
                        "secretKeyRef": {"name": "s", "key": "k"},
                    },
                },
                {"name": "C=D", "value": "1"},
            ]
        },
        want=(f"{NODE}.env[0].valueFrom", f"{NODE}.env[1].valueFrom", f"{NODE}.env[2].name"),
    ),
    TestCase(
        name="probe without and with two handlers",
        changes={
            f"{NODE}.livenessProbe": {"periodSeconds": -1},
            f"{NODE}.readinessProbe": {"tcpSocket": {"port": 80}, "exec": {"command": ["true"]}},
        },
        want=(
            f"{NODE}.livenessProbe",
            f"{NODE}.livenessProbe.periodSeconds",
            f"{NODE}.readinessProbe",
        ),
    ),
    TestCase(
        name="mode above 0777",
        changes={
            f"{POD}.volumes[1]": {
                "name": "key",
                "secret": {"secretName": "ssh", "defaultMode": 0o1000},
            }
        },
        want=(f"{POD}.volumes[1].secret.defaultMode",),
    ),
    TestCase(
        name="toleration with operator Exists and a value",
        changes={f"{POD}.tolerations": [{"key": "gpu", "operator": "Exists", "value": "yes"}]},
        want=(f"{POD}.tolerations[0].value",),
    ),
    TestCase(
        name="privileged without escalation",
        changes={
            f"{NODE}.securityContext": {"privileged": True, "allowPrivilegeEscalation": False}
        },
        want=(f"{NODE}.securityContext.allowPrivilegeEscalation",),
    ),
    TestCase(
        name="labels",
        changes={f"{JOB}.template.metadata.labels": {"a/b/c": "x", "ok": "not ok"}},
        want=(f"{JOB}.template.metadata.labels.a/b/c", f"{JOB}.template.metadata.labels.ok"),
    ),
    TestCase(
        name="depends on what comes later, and first",
        changes={"spec.replicatedJobs[0].dependsOn": [{"name": "x", "status": "Ready"}]},
        want=("spec.replicatedJobs[0].dependsOn", "spec.replicatedJobs[0].dependsOn[0].name"),
    ),
    TestCase(
        name="policies that name unknown jobs",
        changes={
            "spec.successPolicy": {"operator": "All", "targetReplicatedJobs": ["launcher"]},
            "spec.failurePolicy.rules": [
                {"name": "r", "action": "FailJobSet", "targetReplicatedJobs": ["launcher"]}
            ],
            "spec.coordinator": {"replicatedJob": "launcher"},
        },
        want=(
            "spec.successPolicy.targetReplicatedJobs[0]",
            "spec.failurePolicy.rules[0].targetReplicatedJobs[0]",
            "spec.coordinator.replicatedJob",
        ),
    ),
    TestCase(
        name="claim template nobody mounts, without storage",
        changes={
            "spec.volumeClaimPolicies": [
                {"templates": [{"metadata": {"name": "data"}, "spec": {}}]}
            ]
        },
        want=(
            "spec.volumeClaimPolicies[0].templates[0].metadata.name",
            "spec.volumeClaimPolicies[0].templates[0].spec.accessModes",
            "spec.volumeClaimPolicies[0].templates[0].spec.resources.requests.storage",
        ),
    ),
    TestCase(
        name="exclusive placement by no label",
        changes={"metadata.annotations{alpha.jobset.sigs.k8s.io/exclusive-topology}": "my zone"},
        want=("metadata.annotations.alpha.jobset.sigs.k8s.io/exclusive-topology",),
    ),
    TestCase(
        name="no containers",
        changes={f"{POD}.containers": None},
        want=(f"{POD}.containers",),
    ),
]


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.name)
def test_problems_lets_pass_what_the_api_server_takes(case: TestCase) -> None:
    assert list(problems(changed(case.changes))) == []


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_problems_names_the_place(case: TestCase) -> None:
    found = list(problems(changed(case.changes)))
    assert tuple(shown(problem.path) for problem in found) == case.want
    assert any(case.says in problem.message for problem in found)
    assert all(problem.check in CHECKS for problem in found)


def test_problems_leaves_the_jobset_as_it_is() -> None:
    before = copy.deepcopy(JOBSET)
    list(problems(JOBSET))
    assert before == JOBSET
