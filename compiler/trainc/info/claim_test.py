from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from trainc.sample import REFERENCE, Compiled, compiled, replicated_job, runtime, trainjob

INITIALIZER = replicated_job(
    "dataset-initializer",
    label="dataset-initializer",
    container="volumeMounts: [{name: initializer, mountPath: /workspace}]",
    pod="volumes: [{name: initializer, emptyDir: {}}]",
)


def job(uri: str) -> str:
    return trainjob(f"initializer: {{dataset: {{storageUri: '{uri}'}}}}")


def mounts(made: Compiled) -> dict[str, Any]:
    container = made.container("dataset-initializer", "dataset-initializer")
    return {mount["mountPath"]: mount.get("readOnly", False) for mount in container["volumeMounts"]}


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    uri: str
    want: dict[str, bool]


@pytest.mark.parametrize(
    "case",
    [
        TestCase(
            "a claim is mounted read-only where the program looks for it",
            "pvc://corpora/wiki/en",
            {"/workspace": False, "/mnt/pvc/corpora": True},
        ),
        TestCase("a claim as a whole", "pvc://c", {"/workspace": False, "/mnt/pvc/c": True}),
        TestCase("another scheme mounts nothing", "hf://org/name", {"/workspace": False}),
    ],
    ids=lambda case: case.name,
)
def test_with_claim(case: TestCase) -> None:
    texts = (job(case.uri), runtime("{torch: {}}", jobs=INITIALIZER + replicated_job()))
    assert mounts(compiled(*texts)) == case.want
    assert mounts(compiled(*texts, compat=REFERENCE)) == {"/workspace": False}


def test_the_claim_is_the_pods_volume() -> None:
    made = compiled(
        job("pvc://corpora/wiki"), runtime("{torch: {}}", jobs=INITIALIZER + replicated_job())
    )
    source = {"claimName": "corpora", "readOnly": True}
    volumes = made.pod("dataset-initializer")["volumes"]
    assert {"name": "initializer-source", "persistentVolumeClaim": source} in volumes
