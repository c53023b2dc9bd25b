"""The typed models give the verdicts of the generated schemas, and the same defaults."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest
from pydantic import ValidationError
from tests.admission.documents import a_document, as_document, spoiled

from trainc.spec.models.runtime import ClusterTrainingRuntime, TrainingRuntime
from trainc.spec.models.trainjob import TrainJob
from trainc.spec.models.value import ApiType
from trainc.spec.rules import check_rules
from trainc.spec.schema import check, default

MODELS: dict[str, type[ApiType]] = {
    "TrainJob": TrainJob,
    "TrainingRuntime": TrainingRuntime,
    "ClusterTrainingRuntime": ClusterTrainingRuntime,
}
DOCUMENTS = 1500
# Parts of the Pod, Job and JobSet API, which the models keep as they are written.
PLAIN = re.compile(
    r"spec\.template\.spec\b"
    r"|.*\.valueFrom\b|.*\.securityContext\b|.*\.affinity\b|.*\.tolerations\[|.*\.volumes\["
)


@pytest.mark.parametrize("kind", sorted(MODELS))
def test_models_refuse_what_the_schema_refuses(kind: str) -> None:
    refused = admitted = 0
    for seed in range(DOCUMENTS):
        root = a_document(kind, seed)
        for given in (root, spoiled(root, seed)):
            if (given.get("apiVersion"), given.get("kind")) != (root["apiVersion"], kind):
                continue
            fields = _refused_by_schema(given, kind)
            covered = {field for field in fields if not PLAIN.match(field)}
            problem = _refused_by_model(given, kind)
            # A value of the wrong type under a plain field is refused by both.
            assert bool(problem) == bool(covered) or (problem and fields), (given, fields, problem)
            refused += bool(covered)
            admitted += not fields
    assert min(refused, admitted) > DOCUMENTS / 10


@pytest.mark.parametrize("kind", sorted(MODELS))
def test_models_have_the_defaults_of_the_schema(kind: str) -> None:
    compared = 0
    for seed in range(DOCUMENTS):
        document = as_document(a_document(kind, seed))
        if not document.name or "spec" not in document.root:
            continue
        dumped = MODELS[kind].model_validate(copy.deepcopy(document.root))
        default(document, kind)
        assert _covered(dumped.model_dump(by_alias=True)) == _covered(document.root)
        compared += 1
    assert compared > DOCUMENTS / 10


def _refused_by_schema(given: dict[str, Any], kind: str) -> set[str]:
    document = as_document(copy.deepcopy(given))
    problems = check(document, kind)
    if not problems:
        default(document, kind)
        problems = [
            p
            for p in check_rules(document, kind, sound=False, metadata=False)
            if p.message == "must be set"
        ]
    return {problem.field for problem in problems}


def _refused_by_model(given: dict[str, Any], kind: str) -> str:
    try:
        MODELS[kind].model_validate(copy.deepcopy(given))
    except ValidationError as error:
        return str(error)
    return ""


def _covered(value: Any) -> Any:
    """Leaves out what is empty or plain: a model cannot tell absent from empty everywhere."""
    if isinstance(value, dict):
        parts = {key: _covered(child) for key, child in value.items() if key not in _PLAIN_KEYS}
        return {key: child for key, child in parts.items() if child not in (None, [], {})}
    if isinstance(value, list):
        return [_covered(item) for item in value]
    return value


_PLAIN_KEYS = ("valueFrom", "template", "volumes", "affinity", "tolerations", "securityContext")


def test_job_reads_and_writes_as_yaml_has_it() -> None:
    given = {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "metadata": {"name": "m"},
        "spec": {"runtimeRef": {"name": "torch"}, "trainer": {"numNodes": 2}},
    }
    job = TrainJob.model_validate(given)
    assert job.spec.trainer is not None
    assert (job.spec.trainer.num_nodes, job.spec.runtime_ref.kind) == (2, "ClusterTrainingRuntime")
    written = job.model_dump(by_alias=True, exclude_unset=True)
    assert json.dumps(written) == json.dumps(given)
