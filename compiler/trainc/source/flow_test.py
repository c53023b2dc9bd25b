from dataclasses import dataclass

import pytest

from trainc.source.template import Delimiters, Rendered, render

MACROS = """\
{% macro job(name, nodes=values.few) %}
name: {{ name }}
nodes: {{ nodes }}
{% endmacro %}
{% macro outer(job_of) %}
{{ job(job_of.name, job_of.nodes) }}
{%- endmacro %}
"""
VALUES = {"a": "x", "few": 1, "many": 9, "jobs": [{"name": "j", "nodes": 2}]}


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    text: str
    line: tuple[str, int]
    want: set[tuple[str, ...]]


NAME, NODES = ("m.j2", 2), ("m.j2", 3)
CASES = [
    TestCase("a value", "{{ values.a }}", ("t", 1), {("a",)}),
    TestCase("a name for a value", "{% set b = values.a %}\n{{ b }}", ("t", 2), {("a",)}),
    TestCase("an item of a loop", "{% for j in values.jobs %}\n{{ j.name }}\n{% endfor %}",
             ("t", 2), {("jobs", "name")}),
    TestCase("a parameter", "{% import 'm.j2' as m %}\n{{ m.job(values.a) }}", NAME, {("a",)}),
    TestCase("a parameter by name", "{% import 'm.j2' as m %}\n{{ m.job('n', nodes=values.many) }}",
             NODES, {("few",), ("many",)}),
    TestCase("a macro under another name", "{% from 'm.j2' import job as made %}\n"
             "{{ made(values.a) }}", NAME, {("a",)}),
    TestCase("through two macros", "{% from 'm.j2' import outer %}\n"
             "{% for j in values.jobs %}\n{{ outer(j) }}\n{% endfor %}", NAME, {("jobs", "name")}),
    TestCase("a parameter nobody gives", "{% import 'm.j2' as m %}\n{{ m.job('n') }}", NODES,
             {("few",)}),
    TestCase("text", "{% import 'm.j2' as m %}\n{{ m.job('n') }}", NAME, set()),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_line_knows_which_values_it_takes(case: TestCase) -> None:
    texts = {"t": case.text, "m.j2": MACROS}
    found = render("t", texts.get, {"values": VALUES, "env": ""}, Delimiters())
    assert isinstance(found, Rendered), found
    assert set(found.uses.get(case.line, ())) == case.want
