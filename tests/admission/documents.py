"""Documents made from the generated schemas: right ones, and the same with a fault put in.

In: a seed. Out: the root of a document. Values that rules look at are drawn from pools that hold
both sides of the rule; the rest is as small as the schema allows.
"""

from __future__ import annotations

import copy
import random
from typing import Any

from trainc.kube.schema import resolve, tree
from trainc.source.document import Document
from trainc.spec.schema import check

_NAMES = ["a", "my-job", "x1", "A", "1a", "a-", "a_b", "", "a\n", "é", "a" * 63, "a" * 64, "a.b"]
_POOLS: dict[str, list[Any]] = {
    "storageUri": [
        "",
        "s3://b/x",
        "hf://m",
        "9s3://b",
        "s3:/b",
        "s3://",
        "a+b.c-1://x\ny",
        "x://y\n",
    ],
    "managedBy": [
        "trainer.kubeflow.org/trainjob-controller",
        "kueue.x-k8s.io/multikueue",
        "",
        "kueue",
    ],
    "containerNames": ["node", "a", "sidecar", "nodes"],
    "namespace": ["", "default"],
    "startupPolicyOrder": ["InOrder", "InOrder", "AnyOrder"],
    "numProcPerNode": [-1, 0, 1, 2, 2**31 - 1],
    "numNodes": [-1, 0, 1, 2],
}
_IDENTITIES = ("apiVersion", "kind", "metadata", "manager", "name", "jobName")
# What leads to the values that rules stand on.
_SPINE = (
    "containers",
    "mlPolicy",
    "imagePullSecrets",
    "name",
    "replicatedJobs",
    "runtimePatches",
    "spec",
    "template",
    "trainingRuntimeSpec",
)
_METADATA: dict[str, list[Any]] = {
    "namespace": ["team-a", "Team", "a.b", ""],
    "labels": [{"a": "b"}, {"a b": "c"}, {"x.io/y": "c d"}, {"/y": ""}, {"a": "b" * 64}],
    "annotations": [{"a": "any text"}, {"a/b/c": ""}, {"A/b": "c"}, {"é": "c"}],
    "label": [{"a": "b"}],
}
_QUANTITIES = [1, "1", "500m", "16Gi", "1e3", "+.5"]
_TIMES = ["2026-01-31T10:00:00Z", "2026-01-31T10:00:00.5+01:00"]
_TEXTS = ["a", "b", "x/y", "b-c"]
_FAULTS: list[Any] = [None, True, 0, -1, 1.0, 1.5, 2**31, 2**63, "", "x", "1GB", [], {}, [None]]


def a_document(kind: str, seed: int, size: int = 120) -> dict[str, Any]:
    """Gives a document of a kind that keeps to the schema, though not to the rules.

    Args:
        kind: TrainJob, TrainingRuntime or ClusterTrainingRuntime.
        seed: Equal seeds give equal documents.
        size: About how many fields it may have.
    """
    rand = random.Random(f"{kind}{seed}")
    while True:
        root: dict[str, Any] = _Maker(kind, rand, size).made()
        if not check(as_document(copy.deepcopy(root)), kind):
            return root


def spoiled(root: dict[str, Any], seed: int) -> dict[str, Any]:
    """Gives the document with one to three entries changed, taken out, doubled or put in."""
    rand = random.Random(seed)
    out = copy.deepcopy(root)
    for _ in range(rand.randint(1, 3)):
        _spoil(rand.choice(_containers(out)), rand)
    return out


def changed(root: dict[str, Any], seed: int) -> dict[str, Any]:
    """Gives the document with some values changed; what names it, its jobs and patches stays."""
    out: dict[str, Any] = _changed(root, random.Random(seed))
    return out


def _changed(value: Any, rand: random.Random) -> Any:
    if isinstance(value, dict):
        return {
            key: child if key in _IDENTITIES and len(value) > 1 else _changed(child, rand)
            for key, child in value.items()
        }
    if isinstance(value, list):
        return [_changed(item, rand) for item in value]
    if rand.random() > 0.2:
        return value
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else f"{value}x"


def as_document(root: Any) -> Document:
    """Gives a document that stands nowhere."""
    return Document("generated.yaml", 0, root, {}, 1 << 12 | 1)


class _Maker:
    def __init__(self, kind: str, rand: random.Random, size: int) -> None:
        self.kind = kind
        self.root = tree(kind)
        self.random = rand
        self.size = size

    def made(self) -> Any:
        """Gives a document; its lists may hold an item twice, and few patterns are kept."""
        root = self.value(self.root, "")
        root |= {"apiVersion": "trainer.kubeflow.org/v1alpha1", "kind": self.kind}
        named = self.random.random() < 0.9
        root["metadata"] = {"name": self.random.choice(_NAMES)} if named else {}
        for key, values in _METADATA.items():
            if self.random.random() < 0.2:
                root["metadata"][key] = self.random.choice(values)
        return root

    def value(self, node: dict[str, Any], key: str) -> Any:
        """Gives a value of a node of the schema; ``key`` chooses the pool."""
        node = resolve(self.root, node)
        kind = node["type"]
        if kind == "object":
            return self._mapping(node)
        if kind == "array":
            count = self.random.choice([node.get("minItems", 0), 1, 1, 2])
            return [self.value(node["items"], key) for _ in range(count)]
        if key in _POOLS:
            return self.random.choice(_POOLS[key])
        return self._scalar(node, kind)

    def _mapping(self, node: dict[str, Any]) -> dict[str, Any]:
        fields = node.get("properties", {})
        required = set(node.get("required", ()))
        chosen = [key for key in fields if key in required or self._wanted(key)]
        if not chosen and node.get("minProperties"):
            chosen = [next(iter(fields))]
        self.size -= len(chosen)
        self.random.shuffle(chosen)
        out = {key: self.value(fields[key], key) for key in chosen}
        values = node.get("additionalProperties")
        if values and self._wanted(""):
            out["k8s.io/a"] = self.value(values, "")
        return out

    def _wanted(self, key: str) -> bool:
        return self.size > 0 and self.random.random() < (0.8 if key in _SPINE else 0.35)

    def _scalar(self, node: dict[str, Any], kind: Any) -> Any:
        if "enum" in node:
            return self.random.choice(node["enum"])
        if kind == "boolean":
            return self.random.choice([True, False])
        if kind == "integer":
            low = max(node["minimum"], -3)
            return self.random.choice([low, low + 1, low + 4])
        if "format" in node:
            return self.random.choice(_TIMES)
        if "integer" in kind:
            return self.random.choice(_QUANTITIES)
        return self.random.choice(_TEXTS)


def _containers(value: Any) -> list[Any]:
    found = [value] if isinstance(value, dict | list) else []
    for child in value.values() if isinstance(value, dict) else value if found else ():
        found += _containers(child)
    return found


def _spoil(container: Any, rand: random.Random) -> None:
    keys = list(container) if isinstance(container, dict) else list(range(len(container)))
    fault = copy.deepcopy(rand.choice(_FAULTS))
    if not keys or rand.random() < 0.15:
        if isinstance(container, dict):
            container["unheardOf"] = fault
        else:
            container.append(fault)
        return
    key = rand.choice(keys)
    if rand.random() < 0.3:
        del container[key]
    elif isinstance(container, list) and rand.random() < 0.5:
        container.append(copy.deepcopy(container[key]))
    else:
        container[key] = fault
