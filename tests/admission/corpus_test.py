"""Every input of the corpus is admitted or refused by schema and CEL as the reference does it."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.corpus import CORPUS

from trainc.source.document import Document
from trainc.source.parse import parse
from trainc.spec.rules import check_rules
from trainc.spec.schema import check, default

KINDS = ("TrainJob", "TrainingRuntime", "ClusterTrainingRuntime")

# Fields that a webhook or policy refuses, not the schema (control-plane facts, 2.2 and 2.3).
WEBHOOK_FIELDS = (
    "spec.runtimeRef",
    "spec.RuntimeRef",
    "spec.runtimePatches",
    "spec.runtimeRef.name",
    "spec.trainer.env",
    "spec.trainer.numNodes",
    "spec.trainer.numProcPerNode",
    "spec.trainer.resourcesPerNode",
)
WEBHOOK_ENDS = (".containers", ".replicas")
SCHEMA_TYPES = ("FieldValueRequired", "FieldValueTypeInvalid", "FieldValueDuplicate")


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    source: Path
    expected: Path


def _cases() -> list[TestCase]:
    return [
        TestCase(folder.name, folder / "input.yaml", folder / "expected.json")
        for folder in sorted(CORPUS.glob("cases/*"))
    ]


@pytest.mark.parametrize("case", _cases(), ids=lambda case: case.name)
def test_corpus_is_admitted_as_the_reference_does(case: TestCase) -> None:
    documents, unread = parse(case.source.read_bytes(), "input.yaml")
    assert unread == []
    ours = [document for document in documents if document.kind in KINDS]
    wanted = _by_schema(json.loads(case.expected.read_text()))
    refused = {(d.label, problem.field) for d in ours for problem in admit(d)}
    assert refused == wanted


def admit(document: Document) -> list:
    problems = check(document, document.kind)
    default(document, document.kind)
    return problems or check_rules(document, document.kind, sound=False, metadata=False)


def _by_schema(expected: list[dict]) -> set[tuple[str, str]]:
    """The refusals that schema and CEL are the cause of; whole-object rules blame the name."""
    wanted = set()
    for entry in expected:
        for error in entry["admission"].get("errors") or []:
            if _is_schema(error):
                blamed = error["field"].replace("<nil>", "metadata.name")
                wanted.add((entry["object"], blamed))
        wanted |= {(entry["object"], f) for f in entry["admission"].get("unknownFields") or []}
    return wanted


def _is_schema(error: dict) -> bool:
    field = error["field"]
    if error["type"] == "Decode" or not error["type"].startswith("FieldValue"):
        return False
    if error["type"] in SCHEMA_TYPES or " in body " in error["detail"]:
        return True
    if error["type"] == "FieldValueForbidden":
        return False
    return field not in WEBHOOK_FIELDS and not field.endswith(WEBHOOK_ENDS)
