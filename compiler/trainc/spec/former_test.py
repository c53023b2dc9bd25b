"""Fields of former releases are refused with the command that rewrites them."""

from dataclasses import dataclass

import pytest

from trainc.source.parse import parse
from trainc.spec.schema import check


@dataclass(frozen=True)
class Case:
    """A field in a TrainJob or in ``mlPolicy.torch``, and how its hint ends."""

    __test__ = False
    field: str
    hint: str


CASES = [
    Case("podTemplateOverrides: []", "`trainc migrate jobs/a.yaml` rewrites it"),
    Case("podSpecOverrides: []", "`trainc migrate jobs/a.yaml` rewrites it"),
    Case("labels: {a: b}", "`trainc migrate jobs/a.yaml` does"),
    Case("annotations: {a: b}", "`trainc migrate jobs/a.yaml` does"),
    Case(
        "trainer: {numProcPerNode: auto}", "auto is the default: `trainc migrate jobs/a.yaml` does"
    ),
    Case("trainer: {numProcPerNode: '4'}", "write it without quotes: 4"),
    Case("torch: {numProcPerNode: auto}", "`trainc migrate jobs/a.yaml` does"),
    Case("torch: {numProcPerNode: 4}", "`trainc migrate jobs/a.yaml` moves it"),
    Case("torch: {elasticPolicy: {}}", "`trainc migrate --fixed-nodes jobs/a.yaml` leaves it out"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.field)
def test_a_former_field_is_refused_with_its_command(case: Case) -> None:
    of_runtime = case.field.startswith("torch")
    kind = "ClusterTrainingRuntime" if of_runtime else "TrainJob"
    spec = f"{{mlPolicy: {{{case.field}}}}}" if of_runtime else f"{{{case.field}}}"
    text = f"apiVersion: trainer.kubeflow.org/v1alpha1\nkind: {kind}\nspec: {spec}\n"
    documents, _ = parse(text.encode(), "jobs/a.yaml")
    name = case.field.split("{")[-1].partition(":")[0] if "{numProc" in case.field else ""
    problems = [each for each in check(documents[0], kind) if each.hint and name in each.field]
    assert [each.hint.endswith(case.hint) for each in problems] == [True], problems
