"""Rules in CEL that loop or grow: refused at their place, whatever the number of rules and jobs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.hostile.processes import Forks

JOB = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata: {name: j%d}
spec:
  runtimeRef: {name: torch-distributed}
  trainer: {image: "registry.example.com/a:1"}
"""
TEN = "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]"
ROUNDS, STEPS, ALL = "rounds of loops", "steps in its functions", "all rules may take for all jobs"


@dataclass(frozen=True)
class TestCase:
    """An attack.

    Attributes:
        rule: The expression.
        want: What is said.
        rules: How many there are of it.
        jobs: How many jobs each is asked for.
    """

    __test__ = False
    name: str
    rule: str
    want: str
    rules: int = 1
    jobs: int = 1


def _nested(depth: int, macro: str = "all", body: str = "true") -> str:
    """Loops over ten items in one another."""
    for name in "abcdefg"[:depth]:
        body = f"{TEN}.{macro}({name}, {body})"
    return body


def _doubled(start: str, times: int = 30) -> str:
    return start + ".map(x, x + x)" * times + " != []"


CASES = [
    TestCase("lists that double", _doubled("[[1]]"), STEPS),
    TestCase("lists of texts that double", _doubled("[['a', 'b']]"), STEPS),
    TestCase("texts that double", _doubled("['ab']"), STEPS),
    TestCase("lists that double, five rules and jobs", _doubled("[[1]]"), STEPS, 5, 5),
    TestCase("pairs that are compared", "cel.bind(v, [1]" + ".map(x, [x, x])" * 30
             + "[0], v == v)", STEPS),
    TestCase("all in all", _nested(5), ROUNDS),
    TestCase("all in all, for 50 jobs", _nested(5), ROUNDS, 1, 50),
    TestCase("exists in exists", _nested(5, "exists", "false"), ROUNDS),
    TestCase("exists_one", _nested(5, "exists_one", "false"), ROUNDS),
    TestCase("map in map", _nested(5, "map", "1") + " != []", ROUNDS),
    TestCase("filter in filter", _nested(5, "filter", "[] == []") + " != []", ""),
    TestCase("what || would swallow", f"{_nested(5)} || true", ROUNDS),
    TestCase("a rule below its bound, for 50 jobs", _nested(4), ALL, 1, 50),
    TestCase("five rules below their bound", _nested(4), ALL, 5, 1),
    TestCase("fifty rules and jobs", _nested(3), ALL, 50, 50),
    TestCase("a range beyond reason", "lists.range(1000000000).size() == 1", STEPS),
    TestCase("texts that are replaced",
             "'aaaaaaaaaa'" + ".replace('a', 'aaaaaaaaaa')" * 10 + " == ''", STEPS),
    TestCase("parts that are joined", "lists.range(900000).map(x, 'a').join('b') == ''", ""),
    TestCase("a range of values", "lists.range(100000).size() == 1", STEPS),
    TestCase("lists that are compared", "lists.range(40000) == lists.range(40000)", STEPS),
    TestCase("items that are compared", "lists.range(9000).distinct().size() == 1", STEPS),
    TestCase("items that are looked for",
             "lists.range(9000).all(x, x in lists.range(9000))", STEPS),
    TestCase("matches of a long text",
             "'aaaaa'" + ".replace('a', 'aaaaaaaaaa')" * 5 + ".findAll('a') == []", STEPS),
    TestCase("parts of a long text",
             "'aaaaaaaaaa'" + ".replace('a', 'aaaaaaaaaa')" * 5 + ".split('') == []", STEPS),
    TestCase("ranges, of twenty rules and jobs", "lists.range(9000).size() == 9000", ALL, 20, 20),
    TestCase("brackets in one another", "(" * 3000 + "true" + ")" * 3000, "nested too deeply"),
    TestCase("a chain of and", " && ".join(["true"] * 3000), "nested too deeply"),
    TestCase("a chain of not", "!" * 5000 + "true", ""),
    TestCase("a number of many digits", "9" * 5000 + " > 1", ""),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_refused_at_its_place(case: TestCase, forks: Forks, tmp_path: Path) -> None:
    (tmp_path / "jobs").mkdir()
    (tmp_path / "rules").mkdir()
    (tmp_path / "trainc.yaml").write_text("sources: [jobs]\n")
    jobs = "---\n".join(JOB % number for number in range(case.jobs))
    (tmp_path / "jobs" / "jobs.yaml").write_text(jobs)
    rules = [{"name": f"r{number}", "expression": case.rule} for number in range(case.rules)]
    (tmp_path / "rules" / "rules.yaml").write_text(json.dumps(rules))
    done = forks.run(tmp_path, "validate")
    assert done.status == 1, (done.status, done.err[-2000:])
    [*found] = [line for line in done.err.splitlines() if line.startswith("rules/rules.yaml:1:")]
    assert 0 < len(found) <= case.rules, done.err[:2000]
    assert any(case.want in line for line in found), found[0][-500:]
    assert "Traceback" not in done.err
    done.assert_bounded()
