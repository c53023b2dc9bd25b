from dataclasses import dataclass
from typing import Any

import pytest

from trainc.budget import UNITS, Budget
from trainc.errors import Mark, Problem
from trainc.source import template
from trainc.source.template import Delimiters, Rendered, render


def rendered(
    text: str,
    values: Any = None,
    delimiters: Delimiters | None = None,
    units: int = UNITS // 20,  # what runs away does so soon enough
    **others: str,
) -> Rendered | Problem:
    texts = {"t.yaml.j2": text, **{name.replace("_", "."): each for name, each in others.items()}}
    variables = {"values": values or {}, "env": "dev"}
    return render("t.yaml.j2", texts.get, variables, delimiters or Delimiters(), Budget(units))


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    text: str
    want: str
    delimiters: Delimiters | None = None


CASES = [
    TestCase("a value", "a: {{ values.x }}\n", "a: 1\n"),
    TestCase("a map as YAML takes it", "a: {{ values.m }}\n", 'a: {"k": [1, true, null]}\n'),
    TestCase("a word", "a: {{ values.y }}\n", "a: true\n"),
    TestCase("the environment", "a: {{ env }}\n", "a: dev\n"),
    TestCase("a loop", "{% for i in [1, 2] %}\n- {{ i }}\n{% endfor %}\n", "- 1\n- 2\n"),
    TestCase("a loop in itself", "{% for i in values.tree recursive %}{{ i.n }}{{ loop(i.in) }}"
             "{% endfor %}", "123"),
    TestCase("a comment", "{# why #}\na: 1\n", "a: 1\n"),
    TestCase("a key that is called like a method", "a: {{ values.w.items }}\n", "a: 5\n"),
    TestCase("a method", "{% for k, v in values.m.items() %}{{ k }}{% endfor %}", "k"),
    TestCase("a number in a pattern", "{{ '%s-20260101-%d' % ('a', 29500) }}", "a-20260101-29500"),
    TestCase("a map in a pattern", "{{ '{a: 12345, b: %d}' % 1 }}", "{a: 12345, b: 1}"),
    TestCase("a number in a field", "{{ '{}:{}'.format('h', 29500) }}", "h:29500"),
    TestCase("text put together", "{{ 'a' ~ 1 ~ values.x }}", "a11"),
    TestCase("a filter with a glue", "{{ [1, 2] | join(', ') }}", "1, 2"),
    TestCase("what an iterator gives", "{{ [1, 2] | map('string') | join('-') }}", "1-2"),
    TestCase("a cut", "{{ values.big[:2] }}", "xx"),
    TestCase("an if that holds", "{{ 1 if env == 'dev' }}", "1"),
    TestCase("an if with a default", "{{ (1 if env == 'prod') | default(2) }}", "2"),
    TestCase("an if that is asked", "{% set x = 1 if not env %}{{ x is defined }}", "false"),
    TestCase("no end of line", "a: 1", "a: 1"),
    TestCase("letters beyond ASCII", "a: {{ values.u }}\n", "a: ü\n"),
    TestCase("other delimiters", "a: [[ values.x ]] {{ x }} {% y %} {# z #}\n",
             "a: 1 {{ x }} {% y %} {# z #}\n",
             Delimiters(("[%", "%]"), ("[[", "]]"), ("[#", "#]"))),
    TestCase("a block of other delimiters", "<% if values.y %>\na: << values.x >>\n<% endif %>\n",
             "a: 1\n", Delimiters(("<%", "%>"), ("<<", ">>"), ("<#", "#>"))),
]  # fmt: skip
VALUES = {"x": 1, "y": True, "m": {"k": [1, True, None]}, "u": "ü", "big": "x" * 1000,
          "tree": [{"n": 1, "in": [{"n": 2, "in": []}]}, {"n": 3, "in": []}],
          "w": {"items": 5}}  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_template_becomes_text(case: TestCase) -> None:
    found = rendered(case.text, VALUES, case.delimiters)
    assert isinstance(found, Rendered), found
    assert found.text == case.want
    assert len(found.lines) == len(found.text.split("\n"))


@dataclass(frozen=True)
class Refused:
    __test__ = False
    name: str
    text: str
    line: int
    says: str


DOUBLING = (
    "{{% set n = namespace(v='x') %}}{{% for i in range(64) %}}{{% set n.v = {} %}}{{% endfor %}}"
)
REFUSED = [
    Refused(
        "no such value", "a: 1\nb: {{ values.nope }}\n", 2, "no value 'nope'; there is: big, m"
    ),
    Refused("a clock", "{{ now() }}\n", 1, "'now' is not defined"),
    Refused("chance", "{{ [1, 2] | random }}\n", 1, "random"),
    Refused("nonsense", "{{ lipsum() }}\n", 1, "'lipsum' is not defined"),
    Refused("a function", "{{ values.items }}\n", 1, "no text for a manifest"),
    Refused("a way out", "{{ ().__class__.__bases__ }}\n", 1, ""),
    Refused(
        "more bytes than there may be",
        "\n{% for i in range(99999) %}\n{{ values.big }}\n{% endfor %}",
        3,
        "more than 16 MiB",
    ),
    Refused("more bytes at once", "a\n{{ values.big * 99999 }}\n", 2, "more than 16 MiB"),
    Refused(
        "more steps",
        "\n{% for a in range(2000) %}{% for b in range(2000) %}{% endfor %}{% endfor %}",  # noqa: E501
        2,
        "steps",
    ),
    Refused(
        "a range beyond reason", "{% for a in range(99999999) %}{% endfor %}", 1, "ange too big"
    ),
    Refused("a power", "{{ 10 ** 999 }}\n", 1, "power too large"),
    Refused("a width", "{{ '%99999d' % 1 }}\n", 1, "wide"),
    Refused("a wide centre", "{{ 'a'.center(999999999) }}\n", 1, "width"),
    Refused("another width", "{{ 'a' | center(999999999) }}\n", 1, "width"),
    Refused("a width that an argument gives", "{{ '{:{}}'.format('a', '9' * 9) }}\n", 1, "wider"),
    Refused("a width beside the pattern", "{{ '%*d' % (99999999, 1) }}\n", 1, "wider"),
    Refused("an address", "\n{{ values.items | string }}\n", 2, "differs from run to run"),
    Refused("an address put together", "\n{{ '' ~ values.items }}\n", 2, "from run to run"),
    Refused("an if without else", "\n{{ 1 if env == 'prod' }}\n", 2, "an if without else"),
    Refused("one put together", "\n{{ 'a' ~ (1 if env == 'prod') }}\n", 2, "an if without else"),
    Refused("one in a list", "{{ [1 if env == 'prod'] }}\n", 1, "an if without else"),
    Refused("a value in a list", "{{ [values.nope] }}\n", 1, "no value 'nope'"),
    Refused("a function in a map", "{{ {'a': range} }}\n", 1, "has no text for a manifest"),
    Refused("one that is set", "{% set x = 1 if not env %}\n{{ x }}\n", 2, "an if without else"),
    Refused("no number", "{{ 1e300 * 1e10 }}\n", 1, "no text for a manifest"),
    Refused("a name of nothing", "{{ values.x.y }}\n", 1, "int 1 has no 'y'"),
    Refused("a key that YAML reads otherwise", "{{ {'true': 1}.y }}", 1, "as true or false"),
    *(
        Refused(name, f"\n{text}\n", 2, says)
        for name, text, says in (
            ("text that doubles", DOUBLING.format("n.v + n.v"), "more than 16 MiB"),
            ("text that ~ doubles", DOUBLING.format("n.v ~ n.v"), "steps"),
            ("a list that doubles", DOUBLING.format("[n.v] + [n.v]") + "{{ n.v }}", "steps"),
            ("a join that grows", DOUBLING.format("[n.v, n.v] | join(n.v)"), "steps"),
            ("a replacement that grows", DOUBLING.format("n.v | replace('x', n.v ~ n.v)"), "steps"),
            ("a method that grows", DOUBLING.format("n.v.replace('x', n.v ~ n.v)"), "steps"),
            ("a format that grows", DOUBLING.format("'%s%s' | format(n.v, n.v)"), "steps"),
            ("a pattern that grows", DOUBLING.format("'%s%s' % (n.v, n.v)"), "steps"),
            ("an indent that grows", DOUBLING.format("('a\\nb' ~ n.v) | indent(n.v)"), "steps"),
            (
                "sums of ranges",
                "{% for i in range(99999) %}{% set s = range(99999) | sum %}{% endfor %}",
                "steps",
            ),
            (
                "a captured block",
                "{% set s %}{% for i in range(99999) %}{{ values.big }}{% endfor %}{% endset %}",
                "steps",
            ),
            (
                "a captured text",
                "{% set s %}{% for i in range(99999) %}" + "y" * 1000 + "{% endfor %}{% endset %}",
                "steps",
            ),
            ("a number that grows", DOUBLING.replace("'x'", "2").format("n.v * n.v"), "product"),
            (
                "comparisons of long text",
                "{% set t = values.big * 1000 %}{% for i in range(999) %}"
                "{% if t == t ~ '' %}{% endif %}{% endfor %}",
                "steps",
            ),
        )
    ),
    Refused("no such template", "\n{% include 'nope.j2' %}\n", 2, "no template 'nope.j2'"),
    Refused("a mistake of types", "{{ 1 + 'a' }}\n", 1, "cannot be evaluated"),
    Refused("a division by nothing", "{{ 1 // 0 }}\n", 1, "cannot be evaluated"),
    Refused("a tag that is open", "a\n{% if 1 %}\n", 2, ""),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_what_cannot_be_rendered_is_told_at_its_line(case: Refused) -> None:
    units = UNITS if "MiB" in case.says else UNITS // 20
    found = rendered(case.text, VALUES, units=units)
    assert isinstance(found, Problem)
    assert case.says in found.message
    assert found.mark is not None
    assert (found.mark.file, found.mark.line) == ("t.yaml.j2", case.line)


def test_bytes_up_to_the_limit_are_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template, "MAX_BYTES", 1000)
    assert isinstance(rendered("{{ values.big }}", VALUES), Rendered)
    found = rendered("{{ values.big }}!", VALUES)
    assert isinstance(found, Problem)
    assert "renders more" in found.message


def test_a_line_knows_who_wrote_it() -> None:
    found = rendered(
        "a: 1\n{% import 'm.j2' as m %}\n{{ m.f(2) }}\nz: 1\n",
        VALUES,
        m_j2="{% macro f(n) %}\nb: {{ n }}\nc: {{ n }}\n{%- endmacro %}\n",
    )
    assert isinstance(found, Rendered)
    assert found.text == "a: 1\nb: 2\nc: 2\nz: 1\n"
    assert [(mark.file, mark.line) for mark in found.lines[:4]] == [
        ("t.yaml.j2", 1), ("m.j2", 2), ("m.j2", 3), ("t.yaml.j2", 4)]  # fmt: skip


def test_an_error_in_a_macro_is_told_there() -> None:
    found = rendered(
        "{% import 'm.j2' as m %}\n{{ m.f() }}\n",
        VALUES,
        m_j2="{% macro f() %}\nb: {{ values.nope }}\n{% endmacro %}\n",
    )
    assert isinstance(found, Problem)
    assert found.mark == Mark("m.j2", 2, 1)


def test_macros_of_other_files_see_the_values() -> None:
    found = rendered(
        "{% from 'm.j2' import f %}\n{{ f() }}\n",
        VALUES,
        m_j2="{% macro f() %}{{ values.x }} {{ env }}{% endmacro %}\n",
    )
    assert isinstance(found, Rendered)
    assert found.text == "1 dev\n"


def test_a_macro_with_a_long_body_pays_for_it() -> None:
    found = rendered(
        "{% from 'm.j2' import f %}\n{% for i in range(99999) %}{% set x = f() %}{% endfor %}",
        VALUES,
        m_j2=f"{{% macro f() %}}{'y' * 10_000}{{% endmacro %}}\n",
    )
    assert isinstance(found, Problem)
    assert "steps" in found.message


def test_what_a_macro_was_not_given_is_told_where_it_was_named() -> None:
    macro = "{% macro image(name) %}\nimage: {{ name }}\n{% endmacro %}\n"
    text = '{% import "m.j2" as m %}\na: 1\n{{ m.image(values.nmae) }}\n'
    found = rendered(text, {"name": "x"}, m_j2=macro)
    assert isinstance(found, Problem)
    assert (found.message, found.mark) == (
        "no value 'nmae'; there is: name",
        Mark("t.yaml.j2", 3, 1),
    )
    found = rendered(
        text.replace("nmae", "name"), {"name": "x"}, m_j2=macro.replace("{ name", "{ nam")
    )
    assert isinstance(found, Problem)
    assert (found.message, found.mark) == ("'nam' is not defined", Mark("m.j2", 2, 1))


def test_a_message_is_the_same_in_each_run() -> None:
    found = rendered("a: 1\nb: {{ range | string }}\n")
    assert isinstance(found, Problem)
    assert found.message == (
        "<function safe_range> has no text for a manifest: it differs from run to run"
    )
    assert found.mark == Mark("t.yaml.j2", 2, 1)
