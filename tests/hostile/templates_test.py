"""200 templates of a stranger: each ends in bounded time and memory, and reaches nothing."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.hostile.forks import MOST_MEMORY, MOST_SECONDS, Outcome, builds

JOB = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata: {name: train}
spec:
  runtimeRef: {name: torch-distributed}
  trainer:
    image: example.com/train:1
    args: ["{{ value }}"]
"""
SECRET = "s3cr3t-of-another"  # stands in files that no template may read


pytestmark = pytest.mark.hostile


@dataclass(frozen=True)
class TestCase:
    """One template; what it does stands before a sound job."""

    __test__ = False
    name: str
    text: str


def _shared(name: str, levels: int = 40, form: str = "[{0}, {0}]") -> str:
    """A value of 2 ** levels parts, of which there are only so many."""
    steps = ["{% set " + name + "0 = ['x'] %}"]
    for level in range(levels):
        inner = form.format(f"{name}{level}")
        steps.append("{% set " + f"{name}{level + 1} = {inner}" + " %}")
    return "".join(steps) + "{% set " + name + f" = {name}{levels}" + " %}"


_PAIR = _shared("d") + _shared("e")
_TUPLES = _shared("d", form="({0}, {0})") + _shared("e", form="({0}, {0})")
_MAPS = _shared("d", form="{{'a': {0}, 'b': {0}}}") + _shared("e", form="{{'a': {0}, 'b': {0}}}")


def _cases(group: str, before: str, expressions: list[str]) -> list[TestCase]:
    return [
        TestCase(f"{group}: {each}", before + "{% set value = (" + each + ") %}" + JOB)
        for each in expressions
    ]


COMPARED = [
    "d == e", "d != e", "d < e", "d >= e", "d in [e]", "d not in [e]", "d is eq(e)", "d is ne(e)",
    "d is lt(e)", "d is in([e])", "[d, e]|unique|list|length", "[d, e]|max|length",
    "[d, e]|min|length", "[d, e]|sort|length", "[d, e]|groupby(0)|list|length", "[d].index(e)",
    "[d].count(e)", "[d, e]|select('eq', e)|list|length", "[d, e]|reject('eq', e)|list|length",
    "[[d], [e]]|selectattr(0, 'eq', e)|list|length",
]  # fmt: skip
PRINTED = [
    "d", "d|string", "d ~ ''", "d|tojson", "d|pprint", "d|join", "d|e", "'%s'|format(d)",
    "'%s' % d", "'%r' % (d,)", "'{}'.format(d)", "'{!r}'.format(d)", "d|map('string')|list|length",
    "d|list|string", "[d]|join(',')", "d|wordcount", "d|upper", "d|length|string ~ d",
    "d|urlize", "d|replace('x', 'y')", "d|trim", "d|title", "d|striptags", "d|urlencode",
]  # fmt: skip
HASHED = ["{d: 1}|length", "d in {e: 1}", "{d: 1} == {e: 1}", "[d, e]|unique|list|length",
          "{d: 1, e: 2}|length", "d == e", "d|string"]  # fmt: skip
MAPPED = ["d == e", "d|tojson", "d|string", "d|dictsort|string", "d|items|list|string",
          "d|xmlattr", "dict(d, c=e)|string"]  # fmt: skip
WIDE = [
    "'%1000000000d' % 1", "'%*d' % (1000000000, 1)", "'%.1000000000f' % 1.0",
    "'%-1000000000s' % 'x'", "'%(a)1000000000s' % {'a': 1}", "'%1000000000d'|format(1)",
    "'%*d'|format(1000000000, 1)", "'{:>1000000000}'.format(1)", "'{:{w}}'.format(1, w=10**9)",
    "'{:.1000000000f}'.format(1.0)", "'{0:{1}}'.format('x', 10**9)",
    "'{:0>{w}.{p}}'.format('x', w=10**8, p=10**8)",
    "'{:{a[0]}}'.format(1, a=[10**9])", "'x'.ljust(1000000000)", "'x'.rjust(1000000000)",
    "'x'.center(1000000000)", "'x'.zfill(1000000000)", "'x'|center(1000000000)",
    "'x\ny'|indent(1000000000)", "'x' * 1000000000", "['x'] * 1000000000",
    "range(1000000000000)|list|length", "'\t'.expandtabs(1000000000)",
    "('x' * 4000).replace('', 'y' * 4000) ", "('x' * 9000)|replace('x', 'y' * 9000)",
    "('x ' * 9000).split() * 9000", "('a' * 9000).join(['b'] * 9000)",
    "(['a' * 9000] * 9000)|join", "'x' * 30000 * 30000", "('x' * 30000)|list * 30000",
    "[['x'] * 9000] * 9000", "lipsum(n=1000000)", "lipsum(n=9, min=10**7, max=10**7 + 1)",
    "('%0' ~ '9' * 12 ~ 'd') % 1", "'{:{}}'.format(1, '9' * 12)", "('x' * 10**7)|batch(1)|list",
    "range(10**7)|slice(10**7)|list", "range(10**8)|sum", "range(10**9)|random",
    "range(10**9)|reverse|first", "(range(10**8)|list)[-1]", "range(10**9)|last",
]  # fmt: skip
NUMBERS = [
    "10 ** 10 ** 8", "2 ** 10 ** 9", "9 ** 9 ** 9", "(10 ** 5000)|string", "('9' * 5000)|int",
    "('f' * 1000000)|int(0, 16)", "('1' * 1000000)|int(0, 2)", "10 ** 4000 // 3 ** 2000",
    "(7 ** 100000) % 10 ** 50000", "(2 ** 100000)|float", "(2 ** 2000)|float", "1e308 * 10",
    "(10 ** 100000) * (10 ** 100000)", "(3 ** 60000) * (3 ** 60000) * (3 ** 60000)",
    "2 ** -10 ** 9", "0 ** -1", "1 // 0", "1 % 0", "1.5 ** 10 ** 9", "(10 ** 4500)|abs",
    "(10 ** 4500)|round", "(10 ** 4500)|filesizeformat", "'%d' % 10 ** 4500",
    "'{:d}'.format(10 ** 4500)", "(10 ** 4500) ~ ''", "[10 ** 4500]|tojson", "-(-10 ** 10 ** 7)",
    "('9' * 10 ** 6)|float", "(10 ** 4500)|string|length",
]  # fmt: skip
LONG = [
    "('x' * 10 ** 6)|wordwrap(1)", "('x ' * 10 ** 6)|wordwrap(3)",
    "('a@b.c ' * 10 ** 6)|urlize", "('http://a.b/' * 10 ** 6)|urlize",
    "('<a' * 10 ** 6)|striptags", "('<!--' * 10 ** 6)|striptags", "('x ' * 10 ** 6)|title",
    "('x ' * 10 ** 6)|truncate(10 ** 7)", "('&' * 10 ** 6)|e|e|e|e|e|e", "('a' * 10 ** 7)|upper",
    "('a,' * 10 ** 7).split(',')|length", "('\\n' * 10 ** 7)|indent(100)",
    "('a' * 10 ** 6).translate({97: 'b' * 10 ** 6})", "('a' * 10 ** 7)|urlencode",
    "('a' * 10 ** 6)|wordcount",
]  # fmt: skip
ESCAPES = [
    "''.__class__.__mro__", "().__class__.__bases__[0].__subclasses__()",
    "self.__init__.__globals__", "cycler.__init__.__globals__.os.environ",
    "lipsum.__globals__['os'].popen('id').read()", "joiner.__init__.__globals__",
    "namespace.__init__.__globals__", "''|attr('__class__')", "''['__class__']",
    "'{0.__class__}'.format(1)", "'{0.__init__.__globals__}'.format(cycler)",
    "'{a.__class__}'.format_map({'a': 1})", "('{0.__cl' ~ 'ass__}').format(1)",
    "[]|map(attribute='__class__')|list", "[1]|map('attr', '__class__')|list",
    "[1]|map(attribute='real.__class__')|list", "(1).__class__", "values.__class__",
    "dict.mro()", "range.__self__", "(range|attr('__init__'))", "config", "request", "os",
    "open('/etc/passwd')", "__import__('os')", "self._TemplateReference__context",
    "caller.__globals__", "loop.__class__", "[].sort.__self__.__class__", "''.join.__call__",
    "values.update({'a': 1})", "[].append(1)", "{}.setdefault('a', 1)", "{}.pop('a')",
]  # fmt: skip
STATEMENTS = {
    "a long loop": "{% for a in range(10 ** 9) %}{% endfor %}",
    "loops in loops": "{% for a in range(9999) %}" * 4 + "{% endfor %}" * 4,
    "thirty loops": "{% for a in [1] %}" * 30 + "{% endfor %}" * 30,
    "two hundred conditions": "{% if true %}" * 200 + "{% endif %}" * 200,
    "many variables": "".join(f"{{% set a{n} = {n} %}}" for n in range(50_000)),
    "a macro that calls itself": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "a macro that calls itself twice": "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}"
    "{% endif %}{% endmacro %}{{ m(60) }}",
    "a loop that calls itself": "{% for a in [[[1]]] recursive %}{{ loop([[1]]) }}{% endfor %}",
    "a template that includes itself": "{% include 'job.yaml.j2' %}",
    "a template that imports itself": "{% import 'templates/job.yaml.j2' as x %}",
    "a template that extends itself": "{% extends 'templates/job.yaml.j2' %}",
    "text in a variable, doubled": "{% set ns = namespace(t='x') %}{% for a in range(99) %}"
    "{% set ns.t = ns.t ~ ns.t %}{% endfor %}",
    "a list in a variable, doubled": "{% set ns = namespace(t=[1]) %}{% for a in range(99) %}"
    "{% set ns.t = ns.t + ns.t %}{% endfor %}",
    "a block of filters": "{% filter upper %}" * 60 + "x" + "{% endfilter %}" * 60,
    "deep brackets": "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
    "deep lists": "{{ " + "[" * 3000 + "1" + "]" * 3000 + " }}",
    "a long sum": "{{ " + "+".join(["1"] * 20_000) + " }}",
    "a long chain of filters": "{{ 'x'" + "|upper" * 5_000 + " }}",
    "a long chain of attributes": "{{ values" + ".a" * 5_000 + " }}",
    "many comments": "{# x #}" * 200_000,
    "much output": "{% for a in range(10 ** 6) %}# xxxxxxxxxxxxxxxxxxxxxxxxxxxx\n{% endfor %}",
    "many documents": "{% for a in range(10 ** 6) %}---\na: 1\n{% endfor %}",
    "a module of Python": "{% do 1 %}",
    "a tag that is none": "{% python %}import os{% endpython %}",
    "a hidden file": "{% include '.git/config' %}",
    "a hidden file of templates": "{% include 'templates/.secret' %}",
    "a file above": "{% include '../secret.txt' %}",
    "a file above, in other words": "{% include 'templates/../../secret.txt' %}",
    "a file of the machine": "{% include '/etc/passwd' %}",
    "a link": "{% include 'templates/link.j2' %}",
    "a file of another kind": "{% include 'secret.yaml' %}",
    "a computed name": "{% include ['.gi' ~ 't/config', '../secret.txt'] %}",
    "an import of a hidden file": "{% import '.git/config' as c %}{{ c }}",
}
CASES = [
    *_cases("compared", _PAIR, COMPARED),
    *_cases("printed", _PAIR, PRINTED),
    *_cases("hashed", _TUPLES, HASHED),
    *_cases("maps", _MAPS, MAPPED),
    *_cases("wide", "", WIDE),
    *_cases("numbers", "", NUMBERS),
    *_cases("long", "", LONG),
    *_cases("escapes", "", ESCAPES),
    *(TestCase(name, f"{text}\n{JOB}") for name, text in STATEMENTS.items()),
]


def test_there_are_two_hundred() -> None:
    assert len({case.text for case in CASES}) >= 200
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """What came of each, by name."""
    top = tmp_path_factory.mktemp("templates")
    folders = []
    for number, case in enumerate(CASES):
        root = top / str(number) / "project"
        (root / "templates").mkdir(parents=True)
        (root / ".git").mkdir()
        (root / "trainc.yaml").write_text("")
        (root / "templates/job.yaml.j2").write_text(case.text)
        (root / "templates/link.j2").symlink_to("../../secret.txt")
        for secret in (".git/config", "templates/.secret", "../secret.txt", "secret.yaml"):
            (root / secret).write_text(f"# {SECRET}\n")
        folders.append(root)
    found = builds(folders, "--no-cache")
    return {case.name: outcome for case, outcome in zip(CASES, found, strict=True)}


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name[:60])
def test_it_is_held(case: TestCase, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[case.name]
    assert outcome.status in (0, 1), outcome.err
    assert SECRET not in outcome.out + outcome.err
    assert "root:" not in outcome.out + outcome.err
    assert "Traceback" not in outcome.err
    assert "has a bug" not in outcome.err
    if outcome.status == 1:
        assert "templates/job.yaml.j2:" in outcome.err or "error: nothing" in outcome.err
    assert outcome.seconds < MOST_SECONDS
    assert outcome.memory < MOST_MEMORY


@pytest.mark.parametrize("expression", ESCAPES)
def test_no_expression_leaves_the_sandbox(expression: str, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[f"escapes: {expression}"]
    for word in ("<class", "<module", "<function", "<built-in", "uid=", "environ"):
        assert word not in outcome.out
