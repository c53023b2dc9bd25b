"""The predicates say what a CEL interpreter says of the rules' texts, and none is missing."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import celpy
import pytest
from tests.admission.documents import a_document, as_document, changed

import trainc.kube.schema
from trainc.kube.schema import FILES, walk
from trainc.spec.rules import RULES, Rule, found, steps
from trainc.spec.schema import check, default
from trainc.spec.transition import OLD_SELF, TRANSITIONS, pairs, same

KINDS = ("TrainJob", "TrainingRuntime", "ClusterTrainingRuntime")
DOCUMENTS = 400


@pytest.mark.parametrize("kind", KINDS)
def test_tables_hold_exactly_the_rules_of_the_crds(kind: str) -> None:
    folder = Path(trainc.kube.schema.FOLDER)
    of_crd = sorted(
        (rule["path"], rule["cel"], rule["message"])
        for rule in json.loads((folder / "rules.json").read_text())
        if rule["schema"] == FILES[kind]
    )
    ours = [(rule.path, rule.cel, rule.message) for rule in (*RULES[kind], *TRANSITIONS[kind])]
    assert sorted(ours) == of_crd


def test_the_transitions_of_jobset_are_those_of_its_crd() -> None:
    folder = Path(trainc.kube.schema.FOLDER)
    of_crd = {
        (rule["path"], rule["cel"], rule["message"])
        for rule in json.loads((folder / "rules.json").read_text())
        if rule["schema"] == FILES["JobSet"] and "oldSelf" in rule["cel"]
    }
    assert {(rule.path, rule.cel, rule.message) for rule in TRANSITIONS["JobSet"]} == of_crd


@pytest.mark.parametrize("kind", ["TrainJob", "TrainingRuntime"])
def test_predicates_agree_with_the_interpreter(kind: str) -> None:
    seen: Counter[tuple[Rule, bool]] = Counter()
    for seed in range(DOCUMENTS):
        document = as_document(a_document(kind, seed))
        assert check(document, kind) == []
        default(document, kind)
        for rule in RULES[kind]:
            for _, value in found(document.root, steps(rule.path)):
                if _is_a_hole(rule, value):
                    continue
                verdict = rule.holds(value)
                assert verdict == _by_cel(rule.cel, self=value), (rule, value)
                seen[rule, verdict] += 1
    one_sided = [r.cel for r in RULES[kind] if not (seen[r, True] and seen[r, False])]
    assert one_sided == []


@pytest.mark.parametrize("kind", ["TrainJob", "TrainingRuntime", "JobSet"])
def test_transitions_agree_with_the_interpreter(kind: str) -> None:
    seen: Counter[tuple[str, bool]] = Counter()
    for seed in range(DOCUMENTS):
        old = a_document(kind, seed)
        new = changed(old, seed)
        table = walk(kind).lists
        for rule in TRANSITIONS[kind]:
            for pair in pairs(old, new, steps(rule.path), table):
                verdict = same(pair, table)
                assert verdict == _by_cel(OLD_SELF, self=pair.new, oldSelf=pair.old), pair
                seen[rule.path, verdict] += 1
    # The manager is the key that pairs two patches, so it never differs from itself.
    keys = {"spec.runtimePatches[].manager"}
    paths = {rule.path for rule in TRANSITIONS[kind]}
    assert {path for path in paths if not seen[path, True]} == set()
    assert {path for path in paths if not seen[path, False]} == keys & paths


def _is_a_hole(rule: Rule, value: Any) -> bool:
    """Whether the interpreter is wrong: for it ``has(t.metadata.x)`` without metadata is no error.

    That the API server refuses there is on record: ``server_test.py``.
    """
    templates = value.get("templates", []) if "has(t.metadata." in rule.cel else []
    return any("metadata" not in template for template in templates)


def _by_cel(text: str, **values: Any) -> bool:
    """What the interpreter says; a rule it cannot evaluate is broken, as in the API server."""
    context = {name: celpy.json_to_cel(value) for name, value in values.items()}
    try:
        return bool(_program(text).evaluate(context))
    except celpy.CELEvalError:
        return False


@cache
def _program(text: str) -> Any:
    environment = celpy.Environment(runner_class=celpy.InterpretedRunner)
    return environment.program(environment.compile(text))
