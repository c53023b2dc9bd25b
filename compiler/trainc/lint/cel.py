"""The team's rules in CEL, run by cel-python's interpreter.

In: rules. Out: a function that evaluates them for a job, and an error for each that cannot be read.
The only module that knows celpy: importing it costs 200 ms, so nobody without rules pays. Work is
counted in rounds of loops, never in seconds.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from celpy import googleapis
from celpy.adapter import json_to_cel
from celpy.celparser import CELParseError
from celpy.celtypes import BoolType
from celpy.evaluation import Activation, CELEvalError

from trainc import codes
from trainc.budget import ROUND, RULES, RULES_OF_JOB, Budget
from trainc.errors import Problem
from trainc.info.info import Info
from trainc.lint.kubecel import work
from trainc.lint.kubecel.evaluator import KubernetesEvaluator
from trainc.lint.kubecel.functions import FUNCTIONS, KNOWN, MACROS, NAMESPACED, NAMESPACES
from trainc.lint.kubecel.grammar import identifier, parse
from trainc.lint.lint import Inspect
from trainc.plan.plan import Object

if TYPE_CHECKING:
    from trainc.lint.settings import Rule


MAX_ROUNDS: Final = 25_000
"""Rounds of ``all``, ``exists``, ``map`` and the like in one rule for one job, nested ones too."""
_NAMES: Final = ("trainjob", "runtime", "manifests", "env", "values", "file")
_DEEPEST: Final = 2500  # frames; an operator takes a dozen of them
sys.setrecursionlimit(max(sys.getrecursionlimit(), _DEEPEST))
# What an expression may name besides: the types, for `type(x) == int`.
_TYPES: Final = frozenset({
    "bool", "bytes", "double", "duration", "dyn", "google", "int", "list", "map", "null_type",
    "string", "timestamp", "type", "uint",
})  # fmt: skip


class _Endless(Exception):  # noqa: N818 - as Limit of templates
    """Too many rounds. No ``CELEvalError``, which ``||`` and ``exists`` would swallow."""


class _Spent(Exception):  # noqa: N818 - as ``_Endless``
    """The rules of a build have taken all that they may, together."""


class _Rounds:
    """The rounds of one rule for one job, which the budget of the build pays for."""

    def __init__(self, budget: Budget) -> None:
        self._count, self._budget = 0, budget

    def begin(self) -> None:
        """Counts one more."""
        self._count += 1
        if self._count > MAX_ROUNDS:
            raise _Endless
        self._budget.rules -= ROUND
        if self._budget.rules < 0:
            raise _Spent


class _Counted(KubernetesEvaluator):
    """An evaluator that counts what it is asked for: the rule, then each round of its loops."""

    def __init__(self, ast: Any, activation: Activation, rounds: _Rounds) -> None:
        super().__init__(ast, activation)
        self._rounds = rounds

    def sub_evaluator(self, ast: Any) -> _Counted:
        """The evaluator of a loop's body; it counts on."""
        return _Counted(ast, self.activation, self._rounds)

    def evaluate(self, context: Any = None) -> Any:
        """The value of the expression, or of one round."""
        self._rounds.begin()
        return super().evaluate(context)


class _Program(NamedTuple):
    """A rule that can be evaluated."""

    tree: Any

    def evaluate(self, context: Mapping[str, Any], budget: Budget) -> Any:
        """The value of the rule for one job, paid for by the build."""
        work.allow()
        activation = Activation(annotations=googleapis, functions=FUNCTIONS)
        try:
            return _Counted(self.tree, activation, _Rounds(budget)).evaluate(context)
        finally:
            budget.rules -= work.spent()


def _program(rule: Rule) -> _Program | Problem:
    """The rule, ready to be evaluated, or why it cannot be."""
    try:
        tree = parse(rule.expression)
        unknown = sorted(set(_named(tree, frozenset())) - _TYPES - {*_NAMES})
        missing = next(_missing(tree), "")
    except CELParseError as error:
        return _broken(rule, f"is no CEL expression{_place(rule.expression, error)}")
    except RecursionError:
        return _broken(rule, "is nested too deeply")
    if unknown:
        return _broken(rule, f"names {unknown[0]}, which nobody knows")
    if missing:
        near = get_close_matches(missing, sorted({*KNOWN, *NAMESPACED}), 1)
        hint = f"did you mean {near[0]}()?" if near else "docs/lint.md lists the functions"
        return _broken(rule, f"calls {missing}(), which is no function", hint)
    return _Program(tree)


def _missing(tree: Any) -> Iterator[str]:
    """The functions that an expression calls and nobody has."""
    for call in tree.find_data("ident_arg"):
        if str(call.children[0]) not in KNOWN:
            yield str(call.children[0])
    for call in tree.find_data("member_dot_arg"):
        space, name = identifier(call.children[0]), str(call.children[1])
        known = f"{space}.{name}" in NAMESPACED or (space, name) == ("cel", "bind")
        if not known and (space in NAMESPACES - {"ip"} or name not in KNOWN):
            yield f"{space}.{name}" if space in NAMESPACES else name


def _place(expression: str, error: CELParseError) -> str:
    """Where an expression cannot be read on."""
    lines = expression.splitlines()
    line, column = error.line, error.column
    if not isinstance(line, int) or not 0 < line <= len(lines) or not isinstance(column, int):
        return ": it ends too early"
    where = f"line {line}, column {column}" if len(lines) > 1 else f"column {column}"
    return f": {where}, at {lines[line - 1][column - 1 :][:20] or 'its end'!r}"


def _named(tree: Any, bound: frozenset[str]) -> Iterator[str]:
    """The variables that an expression names and none of its loops binds."""
    if tree.data == "ident":
        name = str(tree.children[0])
        if name not in bound:
            yield name
        return
    children = [each for each in tree.children if hasattr(each, "data")]
    if tree.data == "member_dot_arg":
        receiver, *arguments = children
        children = [] if identifier(receiver) in NAMESPACES - bound else [receiver]
        parts = arguments[0].children if arguments else []
        yield from _named_by_call(str(tree.children[1]), not children, parts, bound)
    for child in children:
        yield from _named(child, bound)


def _named_by_call(
    name: str, spaced: bool, parts: Sequence[Any], bound: frozenset[str]
) -> Iterator[str]:
    """The variables that the arguments of a call name: those of a macro know its own names."""
    own: frozenset[str] = frozenset()
    if name == "bind" and spaced and len(parts) == _OF_BIND:
        own, parts = frozenset({identifier(parts[0])}), parts[1:]
        yield from _named(parts[0], bound)
        parts = parts[1:]
    elif name in MACROS and parts:
        first = {identifier(parts[0])} - {""}
        two = {identifier(parts[1])} - {""} if len(parts) > _OF_ONE else set()
        own = frozenset(first | (two if _binds_two(name, parts) else set()))
        parts = parts[len(own) :]
    for part in parts:
        yield from _named(part, bound | own)


_OF_BIND: Final = 3
_OF_ONE: Final = 2  # arguments of a macro that binds one name


def _binds_two(name: str, parts: Sequence[Any]) -> bool:
    """Whether a macro binds key and value; ``map(x, condition, body)`` does not."""
    return len(parts) > _OF_ONE and name not in ("map", "sortBy")


def team_rules(
    rules: Sequence[Rule],
    env: str = "",
    values: Mapping[str, Any] | None = None,
    budget: Budget | None = None,
) -> tuple[Inspect, list[Problem]]:
    """Compiles the rules, once each.

    Args:
        rules: The rules.
        env: The name of the environment, empty for none.
        values: What templates of the project see as ``values``.
        budget: What is left of the build; by default the rules have one of their own.
    """
    programs: list[tuple[Rule, _Program]] = []
    broken: list[Problem] = []
    for rule in rules:
        program = _program(rule)
        if isinstance(program, Problem):
            broken.append(program)
        else:
            programs.append((rule, program))
    shared = {"env": json_to_cel(env), "values": json_to_cel(_plain(values or {}))}
    return _Team(programs, shared, budget or Budget()).inspect, broken


class _Team:
    """The rules of a build, and what was said of them."""

    def __init__(
        self, programs: Sequence[tuple[Rule, _Program]], shared: Mapping[str, Any], budget: Budget
    ) -> None:
        self._programs, self._shared, self._budget = programs, shared, budget
        self._told: set[str] = set()
        self._endless: set[str] = set()

    def inspect(self, info: Info, objects: tuple[Object, ...]) -> Iterator[Problem]:
        """What the rules find in a job, and what is wrong with them, once for each."""
        if self._budget.rules < 0:
            return
        self._budget.rules += RULES_OF_JOB
        known = {**self._shared, **_activation(info, objects)}
        for rule, program in self._programs:
            if rule.name in self._endless:
                continue
            try:
                verdict = self._asked(rule, program, known)
            except _Spent:
                yield _broken(rule, _SPENT, _SPENT_HINT)
                return
            if verdict is False:
                yield _finding(rule, info)
            elif isinstance(verdict, Problem) and rule.name not in self._told:
                self._told.add(rule.name)
                yield verdict

    def _asked(self, rule: Rule, program: _Program, known: dict[str, Any]) -> bool | Problem:
        """The verdict; a rule that does too much for one job is asked for no other."""
        try:
            return _verdict(rule, program, known, self._budget)
        except _Endless:
            message = f"takes more than {MAX_ROUNDS} rounds of loops"
        except work.Exceeded:
            message = f"takes more than {work.MOST} steps in its functions"
        self._endless.add(rule.name)
        return _broken(rule, message)


def _activation(info: Info, objects: tuple[Object, ...]) -> dict[str, Any]:
    """What an expression can name."""
    return {
        "file": json_to_cel(info.spec.job.document.file),
        "trainjob": json_to_cel(info.spec.job.document.root),
        "runtime": json_to_cel(info.spec.runtime.document.root),
        "manifests": json_to_cel([dict(each.manifest) for each in objects]),
    }


def _plain(value: Any) -> Any:
    """Values as JSON has them."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _verdict(
    rule: Rule, program: _Program, known: dict[str, Any], budget: Budget
) -> bool | Problem:
    try:
        value = program.evaluate(known, budget)
    except CELEvalError as error:
        return _broken(rule, f"cannot be evaluated: {_reason(error)}")
    except RecursionError:
        return _broken(rule, "is nested too deeply")
    if not isinstance(value, bool | BoolType):
        return _broken(rule, f"must be true or false, is {_cel_name(type(value).__name__)}")
    return bool(value)


def _finding(rule: Rule, info: Info) -> Problem:
    path: tuple[str | int, ...] = (
        tuple(rule.field.split(".")) if rule.field else ("metadata", "name")
    )
    problem = info.spec.problem(path, rule.message, code=rule.name)
    return problem._replace(severity=rule.severity)  # type: ignore[arg-type]  # "off" never runs


_SPENT: Final = (
    f"comes to the end of what all rules may take for all jobs: {RULES // ROUND} rounds of loops "
    f"and {RULES_OF_JOB // ROUND} for each job"
)
_SPENT_HINT: Final = "loop over less: fewer loops in one another, or fewer rules that loop"
_HINT: Final = f"names: {', '.join(_NAMES)}; guard what may be missing: a.?b.orValue(c), has(a.b)"


def _broken(rule: Rule, message: str, hint: str = _HINT) -> Problem:
    return Problem(
        f"rule {rule.name} {message}", codes.PROJECT, rule.mark, field="expression", hint=hint
    )


_OPERATORS: Final[Mapping[str, str]] = {
    "relation_lt": "<", "relation_le": "<=", "relation_gt": ">", "relation_ge": ">=",
    "relation_eq": "==", "relation_ne": "!=", "relation_in": "in", "addition_add": "+",
    "addition_sub": "-", "multiplication_mul": "*", "multiplication_div": "/",
    "multiplication_mod": "%", "_[_]": "[]", "_?_:_": "?:",
}  # fmt: skip


_WORDS: Final[Mapping[str, str]] = {
    "return error for overflow": "a value out of range, or one that cannot be converted",
    "invalid_argument": "a list has no item of that index",
}


def _reason(error: Exception) -> str:
    """Why an evaluation failed, in words of CEL where the library's are its own classes."""
    text = str(error.args[0] if error.args else error).partition("\n")[0]
    text = text.partition(" (in activation ")[0]
    overload = re.match(r"found no matching overload for (.*) applied to '\((.*)\)'", text)
    if overload is None:
        return _WORDS.get(text, text)
    operator = overload[1].rpartition(", ")[2].strip("')")
    types = re.findall(r"<class '[\w.]*?(\w+)'>", overload[2])
    if "CELEvalError" in types:
        return "it looks into a field that is not there"
    return f"{_OPERATORS.get(operator, operator)} of {' and '.join(map(_cel_name, types))}"


def _cel_name(name: str) -> str:
    """The name of a type in CEL: IntType is int."""
    return "null" if name == "NoneType" else name.removesuffix("Type").lower()
