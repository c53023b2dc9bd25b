"""Rules in CEL against the API server's own: tests/oracle/cel has made the table of values."""

from __future__ import annotations

import gzip
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.lint.lint_test import JOB, RUNTIME, trainc

pytest.importorskip("celpy", reason="cel-python is not installed")

from celpy.adapter import CELJSONEncoder, json_to_cel
from celpy.celparser import CELParseError
from celpy.evaluation import CELEvalError

from trainc.budget import Budget
from trainc.errors import Mark
from trainc.lint import cel
from trainc.lint.cel import team_rules
from trainc.lint.kubecel.grammar import parse
from trainc.lint.settings import Rule

DATA = Path(__file__).parents[1] / "data" / "cel.json.gz"
OBJECT = {
    "name": "llm", "nodes": 4, "rate": 1.5, "on": True, "none": None,
    "labels": {"team": "ml", "tier": "gold"}, "list": [3, 1, 2], "words": ["b", "a", "c", "a"],
    "memory": "16Gi", "cpu": "500m", "items": [{"name": "a", "size": 3}, {"name": "b"}],
}  # fmt: skip


def rows() -> list[list[Any]]:
    with gzip.open(DATA, "rt", encoding="utf-8") as file:
        table: list[list[Any]] = json.load(file)
    return table


def value(expression: str) -> list[Any]:
    """The value of an expression, in a list; an empty one where it has none."""
    try:
        tree = parse(expression)
        if next(cel._missing(tree), ""):
            return []
        found = cel._Program(tree).evaluate({"object": json_to_cel(OBJECT)}, Budget())
    except (CELParseError, CELEvalError):
        return []
    try:
        return [json.loads(json.dumps(CELJSONEncoder.to_python(found)))]
    except TypeError:  # a quantity, an optional: no JSON, neither here nor there
        return []


def same(one: Any, two: Any) -> bool:
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(map(same, one, two))
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    numbers = [type(each) in (int, float) for each in (one, two)]
    if all(numbers):
        return math.isclose(one, two, rel_tol=1e-12)
    return type(one) is type(two) and bool(one == two)


def test_every_value_is_the_api_servers() -> None:
    table = [row for row in rows() if len(row) < 3]
    assert len(table) > 5000
    wrong = [(row[0], row[1:], found) for row in table if not same(row[1:], found := value(row[0]))]
    assert wrong == []


def test_what_the_type_checker_refuses_ends_well() -> None:
    """cel-python knows types when it runs: such expressions have a value or an error of CEL."""
    refused = [row[0] for row in rows() if len(row) == 3]
    assert len(refused) > 500
    for expression in refused:
        value(expression)


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    expression: str
    says: str = ""


CASES = [
    TestCase("env", "env == 'prod'"),
    TestCase("values", "values.team == 'ml' && values.most[0] == 2"),
    TestCase("file", "file.startsWith('jobs/') && file.endsWith('.yaml')"),
    TestCase(
        "no such function",
        "trainjob.kind.trimm() == 'x'",
        "rule x calls trimm(), which is no function",
    ),
    TestCase("no such function of a namespace", "sets.nope([1])", "rule x calls sets.nope()"),
    TestCase(
        "a name of a macro is no other's", "cel.bind(a, 1, a == 1) && a == 1", "names a, which"
    ),
    TestCase("key and value", "trainjob.metadata.all(k, v, k != '' && v != '')"),
    TestCase("an optional", "trainjob.spec.?nope.?image.orValue('none') == 'none'"),
    TestCase("a quantity", "quantity('16Gi').isLessThan(quantity('10Gi')) == false"),
    TestCase("wrong types", "(1).split('a') == []", "split() takes no (int, string)"),
    TestCase("no quantity", "quantity('x').isInteger()", "quantity(): 'x' is no quantity"),
    TestCase("none there", "trainjob.?nope.value() == 1", "value(): the optional has no value"),
    TestCase("a macro without a name", "[1].map(1, 1) == [1]", "is no CEL expression: column 1"),
    TestCase("a macro of one argument", "[1].all(x)", "is no CEL expression"),
    TestCase("a macro of none", "[1].map() == []", "is no CEL expression"),
    TestCase("an argument with ?", "size(?trainjob.kind) == 1", "is no CEL expression"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_rule_sees_its_names_and_functions(case: TestCase, tmp_path: Path) -> None:
    (tmp_path / "overlays" / "prod").mkdir(parents=True)
    (tmp_path / "overlays" / "prod" / "values.yaml").write_text("team: ml\n")
    (tmp_path / "trainc.yaml").write_text("default_env: prod\nvalues: {team: x, most: [2]}\n")
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "a.yaml").write_text(f"{JOB}---\n{RUNTIME}")
    (tmp_path / "rules").mkdir()
    rule = {"name": "x", "expression": case.expression, "severity": "error"}
    (tmp_path / "rules" / "r.yaml").write_text(json.dumps([rule]))
    done = trainc(tmp_path, "validate", "--env", "prod")
    assert case.says in done.stderr
    assert (done.returncode == 0) is (not case.says), done.stderr


def test_rounds_of_every_macro_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.lint.lint_test import inspected

    monkeypatch.setattr(cel, "MAX_ROUNDS", 30)
    many = "lists.range(100)"
    for loop in (
        f"{many}.all(i, v, i == v)", f"{many}.transformList(i, v, v).size() == 100",
        f"{many}.sortBy(x, x).size() == 100", f"{many}.map(x, x >= 0, x).size() == 100",
        f"{many}.existsOne(i, v, v == 3)", f"{many}.transformMap(i, v, v).size() == 100",
    ):  # fmt: skip
        inspect, broken = team_rules([Rule("x", loop, "m", "error", "", Mark("r.yaml", 1, 1))])
        assert not broken
        (found,) = inspected(inspect)
        assert "takes more than 30 rounds of loops" in found.message


def deep(last: str, item: str = "[V, V]") -> str:
    """Thirty nested values, each twice the one before, and what is done with the last."""
    names = [f"v{number}" for number in range(31)]
    out = last.replace("V", names[-1])
    for before, name in reversed([*zip(names, names[1:], strict=False)]):
        out = f"cel.bind({name}, {item.replace('V', before)}, {out})"
    return f"cel.bind(v0, ['xxxxxxxxxxxxxxxx'], {out})"


@pytest.mark.parametrize(
    "expression",
    [
        deep("[V] == [V]"),
        deep("V in [V]"),
        deep("'%s'.format([V]) == ''"),
        deep("V.flatten(40).size() == 1"),
        deep("sets.contains([V], [V])"),
        deep("[V, V].distinct().size() == 1"),
        deep("V.size() == 1", "V + V"),
        deep("[V].indexOf(V) == 0"),
        "lists.range(1000000000).size() == 1",
        "lists.range(90000).distinct().size() == 1",
        "sets.equivalent(lists.range(90000), lists.range(90000))",
        deep("V.size() == 1", "V.map(x, x.replace('x', 'xx'))"),
        deep("V.size() == 1", "[V[0].replace('x', V[0])]"),
    ],
)
def test_work_within_a_function_is_counted(expression: str) -> None:
    from tests.lint.lint_test import inspected

    rule = Rule("x", expression, "m", "error", "", Mark("r.yaml", 1, 1))
    inspect, broken = team_rules([rule])
    assert not broken
    (found,) = inspected(inspect)
    assert "steps in its functions" in found.message


def test_cel_python_is_left_as_it_is() -> None:
    import celpy

    celpy.CELParser.CEL_PARSER = None
    parse("a.?b")
    with pytest.raises(CELParseError):
        celpy.Environment().compile("a.?b")
