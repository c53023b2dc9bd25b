from dataclasses import dataclass

import pytest

from trainc.plan.plan import Object
from trainc.plan.replace import replaced

OPTIONS = "argocd.argoproj.io/sync-options"
FORCE = "kustomize.toolkit.fluxcd.io/force"


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    profile: str
    kind: str
    annotations: dict[str, str]
    want: dict[str, str]


CASES = [
    TestCase("argocd", "argocd", "JobSet", {}, {OPTIONS: "Force=true,Replace=true"}),
    TestCase("flux", "flux", "JobSet", {"a": "b"}, {"a": "b", FORCE: "enabled"}),
    TestCase("a TrainJob too", "flux", "TrainJob", {}, {FORCE: "enabled"}),
    TestCase("what can be changed stays", "argocd", "ConfigMap", {}, {}),
    TestCase("no tool", "none", "JobSet", {}, {}),
    TestCase("options that are there stay", "argocd", "JobSet", {OPTIONS: "Prune=false"},
             {OPTIONS: "Prune=false,Force=true,Replace=true"}),
    TestCase("none twice", "argocd", "JobSet", {OPTIONS: "Force=true"},
             {OPTIONS: "Force=true,Replace=true"}),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_immutable_is_replaced_by_the_tool(case: TestCase) -> None:
    metadata = {"name": "x", **({"annotations": case.annotations} if case.annotations else {})}
    given = Object({"kind": case.kind, "metadata": metadata}, "", ("default", "x"))
    (found,) = replaced([given], case.profile)
    assert found.manifest["metadata"].get("annotations", {}) == case.want
    assert given.manifest["metadata"].get("annotations", {}) == case.annotations
