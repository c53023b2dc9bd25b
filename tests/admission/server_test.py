"""Schema, defaults and rules say what the API server's own code says (``record.py``)."""

from __future__ import annotations

import copy
import gzip
import json
from typing import Any

import pytest
from tests.admission.documents import as_document
from tests.admission.record import KINDS, RECORD

from trainc.errors import Problem
from trainc.source.document import Document
from trainc.spec.objectmeta import check_metadata
from trainc.spec.rules import check_rules
from trainc.spec.schema import check, default
from trainc.spec.transition import check_transition


@pytest.fixture(scope="module")
def record() -> list[dict[str, Any]]:
    return json.loads(gzip.decompress(RECORD.read_bytes()))


@pytest.mark.parametrize("kind", KINDS)
def test_refuses_the_fields_that_the_server_refuses(
    kind: str, record: list[dict[str, Any]]
) -> None:
    refused = 0
    for row in _read(record, kind):
        problems = check(as_document(copy.deepcopy(row["new"])), kind)
        wanted = _fields(row["verdict"])
        ours = {problem.field for problem in problems}
        assert ours >= wanted, (row["new"], problems)
        more = [p for p in problems if p.field not in wanted and not _is_stricter(p)]
        assert not more, (row["new"], more)
        refused += bool(wanted)
    assert refused > 50


@pytest.mark.parametrize("kind", KINDS)
def test_refuses_metadata_that_the_server_cannot_decode(
    kind: str, record: list[dict[str, Any]]
) -> None:
    rows = [row for row in _rows(record, kind) if "garbled" in row["verdict"]]
    assert len(rows) > 5
    for row in rows:
        problems = check(as_document(copy.deepcopy(row["new"])), kind)
        assert any(p.field.startswith("metadata") for p in problems), (row, problems)


@pytest.mark.parametrize("kind", KINDS)
def test_refuses_the_metadata_that_the_server_refuses(
    kind: str, record: list[dict[str, Any]]
) -> None:
    refused = 0
    for row in _admitted(record, kind):
        document = _defaulted(row["new"], kind)
        if not document.name:
            continue  # a problem of its own
        unknown = {f for f in row["verdict"].get("unknown", []) if f.startswith("metadata.")}
        wanted = {finding["field"] for finding in row["verdict"].get("meta", [])} | unknown
        ours = {problem.field for problem in check_metadata(document, kind)}
        # A TrainJob's name is the CRD's rule, which is the stricter one.
        assert ours == wanted - {"metadata.name"} if kind == "TrainJob" else ours == wanted, row
        refused += bool(wanted)
    assert refused > 50


@pytest.mark.parametrize("kind", KINDS)
def test_defaults_as_the_server_does(kind: str, record: list[dict[str, Any]]) -> None:
    for row in _admitted(record, kind):
        wanted = row["verdict"]["object"]
        got = {**_defaulted(row["new"], kind).root, "metadata": wanted.get("metadata")}
        assert got == {**wanted, "metadata": wanted.get("metadata")}


@pytest.mark.parametrize("kind", KINDS)
def test_breaks_the_rules_that_the_server_says_are_broken(
    kind: str, record: list[dict[str, Any]]
) -> None:
    broken = 0
    for row in _admitted(record, kind):
        new = _defaulted(row["new"], kind)
        problems = check_rules(new, kind, sound=False, metadata=False)
        if row["old"] is not None:
            problems += check_transition(_defaulted(row["old"], kind), new, kind)
        ours = {problem.field for problem in problems if not _is_outside_the_crd(problem, kind)}
        wanted = {finding["field"] for finding in row["verdict"].get("rules", [])}
        assert {"<nil>" if field == "metadata.name" else field for field in ours} == wanted, row
        broken += bool(wanted)
    assert broken > 50


def _rows(record: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    rows = [row for row in record if row["new"]["kind"] == kind]
    assert len(rows) > 500
    return rows


def _read(record: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """The documents whose metadata the server decodes; of the others it says nothing more."""
    return [row for row in _rows(record, kind) if "garbled" not in row["verdict"]]


def _admitted(record: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [
        row
        for row in _read(record, kind)
        if not check(as_document(copy.deepcopy(row["new"])), kind)
    ]


def _defaulted(root: dict[str, Any], kind: str) -> Document:
    document = as_document(copy.deepcopy(root))
    assert check(document, kind) == []
    default(document, kind)
    return document


def _fields(verdict: dict[str, Any]) -> set[str]:
    """The fields that the server refuses; ``<nil>`` says that rules were left out."""
    fields = {finding["field"] for finding in verdict.get("schema", [])}
    # Of metadata the corpus reports nothing unknown (control-plane facts, 1.3).
    unknown = {f for f in verdict.get("unknown", []) if not f.startswith("metadata.")}
    return fields - {"<nil>"} | unknown


def _is_stricter(problem: Problem) -> bool:
    """Whether the schema lets pass what decoding to Go types then refuses, or says less of."""
    return (
        problem.field.startswith("metadata")
        or " bits, got" in problem.message
        # Of three equal keys the server names the second alone.
        or problem.message.startswith("must be unique")
        # Its validator takes a list where a time belongs.
        or problem.message == "must be a string, got a list"
    )


def _is_outside_the_crd(problem: Problem, kind: str) -> bool:
    return problem.message == "must be set" and (
        problem.field == "spec.runtimeRef" or kind != "TrainJob"
    )
