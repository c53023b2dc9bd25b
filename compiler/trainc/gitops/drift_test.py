from dataclasses import dataclass
from typing import Any

import pytest

from trainc.gitops.drift import argocd_ignore, flux_ignore
from trainc.plan.plan import Object


def made(kind: str, version: str, spec: dict[str, Any]) -> Object:
    metadata = {"name": "llm", "namespace": "ml"}
    manifest = {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}
    return Object(manifest, "", ("ml", "llm"))


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    given: Object
    group: str
    paths: int


CASES = [
    TestCase("a JobSet of two jobs", made("JobSet", "jobset.x-k8s.io/v1alpha2",
             {"replicatedJobs": [{}, {}]}), "jobset.x-k8s.io", 11),
    TestCase("a JobSet without jobs", made("JobSet", "jobset.x-k8s.io/v1alpha2", {}),
             "jobset.x-k8s.io", 1),
    TestCase("a TrainJob", made("TrainJob", "trainer.kubeflow.org/v1alpha1", {}),
             "trainer.kubeflow.org", 1),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_flux_is_told_of_each_object(case: TestCase) -> None:
    (rule,) = flux_ignore([case.given])["ignore"]
    assert rule["target"] == {
        "group": case.group, "kind": case.given.manifest["kind"],
        "name": "^llm$", "namespace": "^ml$"}  # fmt: skip
    assert len(rule["paths"]) == case.paths
    assert rule["paths"][0] == "/spec/suspend"


def test_objects_nobody_else_writes_have_no_rule() -> None:
    assert flux_ignore([made("ConfigMap", "v1", {})]) == {"ignore": []}


def test_argo_cd_ignores_placement_alone_and_brings_nothing_back() -> None:
    found = argocd_ignore()
    (rule,) = found["ignoreDifferences"]
    assert [path.rpartition(".")[2] for path in rule["jqPathExpressions"]] == [
        "nodeSelector", "tolerations"]  # fmt: skip
    assert all("queue-name" in path for path in rule["jqPathExpressions"])
    options = found["syncPolicy"]["syncOptions"]
    assert "ApplyOutOfSyncOnly=true" in options
    assert "RespectIgnoreDifferences=true" not in options
