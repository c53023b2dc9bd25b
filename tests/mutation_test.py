"""Inputs that nobody would write: whatever is wrong with them is a problem, never a traceback.

Good inputs are broken at random, by a fixed seed: odd values, lost, doubled and foreign keys,
values from elsewhere. Each is built in both modes, in this process, and printed.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.corpus import ROOT, cases
from trainc.compile import Inputs, compile_documents
from trainc.manifest.emit import emit
from trainc.plan.plan import Output, Plan
from trainc.source.document import Document
from trainc.source.parse import parse
from trainc.spec.compat import SOUND, VERSIONS, Compat
from trainc.spec.spec import Settings

ROUNDS = 1000
SEEDS = range(4)
MODES = (SOUND, Compat(VERSIONS[0]))

ODD: tuple[Any, ...] = (
    None, "", 0, -1, 1, 2**31, 2**63, 1.5, True, [], {}, [None], {"": None}, {"a": None}, [[]],
    [{}], "x", "1e1.5", "1e3", "-1", "1Ei", "1e999999", "9" * 40, "1.5.5", "node", "trainer",
    "dataset-initializer", "$patch", "a.b/c", "é\u2028", "\x00", "auto", "a=b",
    "system-node-critical", {"name": None}, {"name": "node"}, [{"name": "node"}],
    {"$patch": "replace"}, {"$patch": "delete", "a": "b"},
)  # fmt: skip
KEYS = ("zz", "$patch", "a.b/c", "", "name", "spec", "template", "metadata", "labels", "env")

Steps = tuple[str | int, ...]


@cache
def inputs() -> tuple[list[Any], ...]:
    """The roots of good inputs: the examples, each beside the stock runtimes, and the corpus."""
    stock = [root for path in sorted((ROOT / "runtimes").glob("*.yaml")) for root in roots(path)]
    examples = sorted((ROOT / "examples").rglob("*.yaml"))
    own = [found + stock for found in map(roots, examples) if found]
    corpus = (case / "input.yaml" for case in cases())
    return (*own, *(roots(path) for path in corpus if path.exists()))


def roots(path: Path) -> list[Any]:
    """The data of a file's documents."""
    documents, _ = parse(path.read_bytes(), path.name)
    return [document.root for document in documents if isinstance(document.root, dict)]


@cache
def seen() -> dict[str, list[Any]]:
    """What stands under each key anywhere: values that the schema admits there."""
    found: dict[str, dict[str, Any]] = {}
    for documents in inputs():
        for steps in places(documents):
            if isinstance(steps[-1], str):
                value = at(documents, steps)
                found.setdefault(steps[-1], {})[json.dumps(value, sort_keys=True)] = value
    return {key: list(values.values()) for key, values in sorted(found.items())}


def places(value: Any, path: Steps = ()) -> Iterator[Steps]:
    """Every place below a value."""
    if path:
        yield path
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for step, item in items:
            yield from places(item, (*path, step))


def at(value: Any, steps: Steps) -> Any:
    for step in steps:
        value = value[step]
    return value


def mutate(chance: random.Random) -> list[Any]:
    """An input with one to three things wrong, or at least different."""
    documents = copy.deepcopy(chance.choice(inputs()))
    for _ in range(chance.choice((1, 1, 2, 3))):
        all_places = [steps for steps in places(documents) if len(steps) > 1]
        steps = chance.choice(all_places)
        change(chance, at(documents, steps[:-1]), steps[-1], documents, all_places)
    return documents


def change(
    chance: random.Random, parent: Any, step: Any, documents: Any, all_places: list[Steps]
) -> None:
    """Changes one entry of a mapping or list in place."""
    way = chance.choice(("odd", "lose", "add", "seen", "seen", "seen", "graft"))
    value = copy.deepcopy(chance.choice(ODD))
    if way == "lose":
        del parent[step]
    elif way == "add" and isinstance(parent, dict):
        parent[chance.choice(KEYS)] = value
    elif way == "add":
        parent.insert(step, copy.deepcopy(chance.choice((value, parent[step]))))
    elif way == "seen" and isinstance(step, str):
        parent[step] = copy.deepcopy(chance.choice(seen().get(step, [value])))
    elif way == "graft":
        parent[step] = copy.deepcopy(at(documents, chance.choice(all_places)))
    else:
        parent[step] = value


def build(documents: list[Any], compat: Compat) -> Plan:
    """Builds and prints copies of the data, for a build fills in defaults."""
    given = tuple(
        Document("input.yaml", index, copy.deepcopy(root), {}, 1)
        for index, root in enumerate(documents)
    )
    settings = Settings(compat, frozenset({"TrainJobStatus"}))
    plan = compile_documents(Inputs(given), settings, Output())
    for item in plan.objects:
        emit(item.manifest)
    return plan


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_but_problems_comes_out(seed: int) -> None:
    chance = random.Random(seed)
    refused = passed = 0
    for _ in range(ROUNDS):
        documents = mutate(chance)
        before = json.dumps(documents)
        for compat in MODES:
            plan = build(documents, compat)
            errors = [p for p in plan.problems if p.severity == "error"]
            for problem in plan.problems:
                assert problem.message, before
                assert json.dumps(problem.as_dict()), before
                assert str(problem).count("\n") <= 1, before
            refused += bool(errors)
            passed += bool(plan.objects)
    assert refused > ROUNDS // 4
    assert passed > ROUNDS // 10
