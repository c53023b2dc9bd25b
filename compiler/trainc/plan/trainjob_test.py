"""The TrainJob that is printed can be applied twice, whoever prints it again in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from trainc.compile import Inputs, compile_documents
from trainc.plan.plan import Output
from trainc.sample import runtime, trainjob
from trainc.source.parse import parse
from trainc.spec.spec import Settings

RT = runtime("{torch: {}}")


def printed(job: str) -> Mapping[str, Any]:
    """The spec of the TrainJob beside its JobSet."""
    documents, _ = parse(f"{job}\n---\n{RT}".encode(), "jobs.yaml")
    plan = compile_documents(Inputs(tuple(documents)), Settings(), Output(emit="both"))
    (spec,) = (o.manifest["spec"] for o in plan.objects if o.manifest["kind"] == "TrainJob")
    assert isinstance(spec, Mapping)
    return spec


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    job: str
    want: dict[str, Any]


BARE = {"runtimeRef": {"name": "rt"}}
CASES = [
    TestCase("nothing is added", trainjob(trainer=None), BARE),
    TestCase("suspend: false is the default", trainjob("suspend: false", trainer=None), BARE),
    TestCase("suspend: true stays", trainjob("suspend: true", trainer=None),
             {**BARE, "suspend": True}),
    TestCase("a default that is written down stays",
             trainjob("managedBy: trainer.kubeflow.org/trainjob-controller", trainer=None),
             {**BARE, "managedBy": "trainer.kubeflow.org/trainjob-controller"}),
    TestCase("quantities are text, as in the JobSet",
             trainjob(trainer="{resourcesPerNode: {limits: {a.io/gpu: 8, memory: 1024Mi}}}"),
             {**BARE, "trainer": {"resourcesPerNode":
                                  {"limits": {"a.io/gpu": "8", "memory": "1Gi"}}}}),
    TestCase("an empty value stays",
             trainjob(trainer="{env: [{name: A, value: ''}], args: []}"),
             {**BARE, "trainer": {"env": [{"name": "A", "value": ""}], "args": []}}),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_trainjob_is_printed_as_it_was_written(case: TestCase) -> None:
    assert printed(case.job) == case.want
