from dataclasses import dataclass

import pytest

from trainc.errors import Problem
from trainc.source.document import Document
from trainc.source.labels import Requirement
from trainc.source.parse import parse
from trainc.source.selector import Target, target_of

JOB = """\
kind: TrainJob
metadata: {name: llm, namespace: ml, labels: {team: vision, tier: gold}}
"""


def document(text: str) -> Document:
    (found,), problems = parse(text.encode(), "f")
    assert not problems
    return found


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    target: str
    matches: bool


CASES = [
    TestCase("by name", "{name: llm}", True),
    TestCase("by another name", "{name: ll}", False),
    TestCase("by kind", "{kind: TrainJob}", True),
    TestCase("by another kind", "{kind: TrainingRuntime, name: llm}", False),
    TestCase("by namespace", "{namespace: ml}", True),
    TestCase("by another namespace", "{namespace: default, name: llm}", False),
    TestCase("by a label", "{labelSelector: team=vision}", True),
    TestCase("as kubectl writes it", "{labelSelector: 'team==vision, tier'}", True),
    TestCase("by a label of another value", "{labelSelector: team=speech}", False),
    TestCase("by a label that is not there", "{labelSelector: queue}", False),
    TestCase("by one of two", "{labelSelector: 'team=vision,queue=a'}", False),
    TestCase("by a map", "{labelSelector: {team: vision}}", True),
    TestCase("by matchLabels", "{labelSelector: {matchLabels: {team: vision, tier: iron}}}", False),
    TestCase("by a label of several values", "{labelSelector: 'team in (a, vision),tier'}", True),
    TestCase("by other values", "{labelSelector: team notin (vision)}", False),
    TestCase("by what it is not", "{labelSelector: 'team!=speech,queue!=a'}", True),
    TestCase("by what it must not be", "{labelSelector: team!=vision}", False),
    TestCase("by a label it lacks", "{labelSelector: '!queue'}", True),
    TestCase("by a label it must lack", "{labelSelector: '! team'}", False),
    TestCase("by an expression", "{labelSelector: {matchLabels: {team: vision}, matchExpressions: "
             "[{key: tier, operator: In, values: [iron]}]}}", False),
    TestCase("by expressions", "{labelSelector: {matchExpressions: [{key: tier, operator: NotIn, "
             "values: [iron]}, {key: queue, operator: DoesNotExist}]}}", True),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_target_is_met_or_not(case: TestCase) -> None:
    target = target_of(document(f"target: {case.target}\npatch: {{}}\n"))
    assert isinstance(target, Target)
    assert target.matches(document(JOB)) is case.matches


def test_an_object_without_metadata_is_nobodys() -> None:
    assert not Target(name="llm").matches(document("kind: TrainJob\n"))
    assert not Target(labels=(Requirement("a"),)).matches(document("kind: TrainJob\nmetadata: 1\n"))


@dataclass(frozen=True)
class Refused:
    __test__ = False
    name: str
    text: str
    line: int
    says: str


REFUSED = [
    Refused("no target", "patch: {}\n", 1, "needs a target"),
    Refused("an empty one", "patch: {}\ntarget: {}\n", 2, "needs a target"),
    Refused("no map", "patch: {}\ntarget: llm\n", 2, "needs a target"),
    Refused("an unknown key", "target:\n  nam: llm\npatch: {}\n", 2, "unknown key 'nam'"),
    Refused("a wrong type", "target:\n  name: 1\npatch: {}\n", 2, "'name' cannot be read"),
    Refused("a kind that is not patched", "target:\n  kind: JobSet\npatch: {}\n", 2, "JobSet"),
    Refused("no selector", "target:\n  labelSelector: team in a\npatch: {}\n", 2, "'team in a'"),
    Refused("a label that is no text", "target:\n  labelSelector:\n    a: true\npatch: {}\n", 3,
            "in quotes"),
    Refused("no such operator", "target:\n  labelSelector:\n    matchExpressions:\n"
            "    - {key: a, operator: Is}\npatch: {}\n", 4, "operator: one of"),
    Refused("values that are none", "target:\n  labelSelector:\n    matchExpressions:\n"
            "    - {key: a, operator: In}\npatch: {}\n", 4, "In without values"),
    Refused("a misspelt part", "target:\n  labelSelector:\n    matchLabels: {}\n    match: {}\n"
            "patch: {}\n", 4, "unknown key 'match'"),
    Refused("another key beside", "target: {name: a}\npatches: 1\npatch: {}\n", 2, "'patches'"),
]  # fmt: skip


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_a_target_that_is_none_is_told(case: Refused) -> None:
    problem = target_of(document(case.text))
    assert isinstance(problem, Problem)
    assert case.says in problem.message
    assert problem.mark is not None
    assert problem.mark.line == case.line
    assert problem.hint
