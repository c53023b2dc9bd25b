"""The team's rules in CEL, run by cel-python's interpreter.

In: rules. Out: a function that evaluates them for a job, and an error for each that cannot be read.
The only module that knows celpy: importing it costs 200 ms, so nobody without rules pays. Work is
counted in rounds of loops, never in seconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import celpy
import re2  # type: ignore[import-untyped]
from celpy.adapter import json_to_cel
from celpy.celparser import CELParseError
from celpy.celtypes import BoolType
from celpy.evaluation import Activation, CELEvalError, Evaluator

from trainc.errors import Problem
from trainc.info.info import Info
from trainc.lint.lint import Inspect
from trainc.plan.plan import Object

if TYPE_CHECKING:
    from trainc.lint.settings import Rule


MAX_ROUNDS: Final = 100_000
"""Rounds of ``all``, ``exists``, ``map`` and the like in one rule for one job, nested ones too."""
_NAMES: Final = ("trainjob", "runtime", "manifests")
# What an expression may name besides: the types, for `type(x) == int`.
_TYPES: Final = frozenset({
    "bool", "bytes", "double", "duration", "dyn", "google", "int", "list", "map", "null_type",
    "string", "timestamp", "type", "uint",
})  # fmt: skip
_MACROS: Final = ("all", "exists", "exists_one", "filter", "map", "max", "min", "reduce")


class _Endless(Exception):  # noqa: N818 - as Limit of templates
    """Too many rounds. No ``CELEvalError``, which ``||`` and ``exists`` would swallow."""


class _Counted(Evaluator):
    """An evaluator that counts what it is asked for: the rule, then each round of its loops."""

    def __init__(self, ast: Any, activation: Activation, rounds: list[int]) -> None:
        super().__init__(ast, activation)
        self._rounds = rounds

    def sub_evaluator(self, ast: Any) -> _Counted:
        """The evaluator of a loop's body; it counts on."""
        return _Counted(ast, self.activation, self._rounds)

    def evaluate(self, context: Any = None) -> Any:
        """The value of the expression, or of one round."""
        self._rounds[0] += 1
        if self._rounds[0] > MAX_ROUNDS:
            raise _Endless
        return super().evaluate(context)


class _Runner(celpy.InterpretedRunner):
    def evaluate(self, context: Any) -> Any:
        """The value of the rule for one job."""
        return _Counted(self.ast, self.new_activation(), [0]).evaluate(context)


def _matches(text: str, pattern: str) -> Any:
    """The function of this name; the library's own writes on stderr where the pattern is wrong."""
    options = re2.Options()
    options.log_errors = False
    try:
        return BoolType(re2.compile(pattern, options).search(text) is not None)
    except re2.error as error:
        reason = error.args[0]
        reason = reason.decode() if isinstance(reason, bytes) else reason
        return CELEvalError(f"{str(pattern)!r} is no regular expression: {reason}")


def _program(rule: Rule) -> Any | Problem:
    """The rule, ready to be evaluated, or why it cannot be."""
    environment = celpy.Environment(runner_class=_Runner)
    try:
        tree = environment.compile(rule.expression)
        unknown = sorted(set(_named(tree, frozenset())) - _TYPES - {*_NAMES})
    except CELParseError as error:
        return _broken(rule, f"is no CEL expression{_place(rule.expression, error)}")
    except RecursionError:
        return _broken(rule, "is nested too deeply")
    if unknown:
        return _broken(rule, f"names {unknown[0]}, which nobody knows")
    return environment.program(tree, functions={"matches": _matches})


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
    if tree.data == "member_dot_arg" and str(tree.children[1]) in _MACROS:
        *bindings, body = tree.children[2].children
        yield from _named(tree.children[0], bound)
        own = {str(each.children[0]) for item in bindings for each in item.find_data("ident")}
        yield from _named(body, bound | own)
        return
    for child in children:
        yield from _named(child, bound)


def team_rules(rules: Sequence[Rule]) -> tuple[Inspect, list[Problem]]:
    """Compiles the rules, once each."""
    programs: list[tuple[Rule, Any]] = []
    broken: list[Problem] = []
    for rule in rules:
        program = _program(rule)
        if isinstance(program, Problem):
            broken.append(program)
        else:
            programs.append((rule, program))
    told: set[str] = set()

    def inspect(info: Info, objects: tuple[Object, ...]) -> Iterator[Problem]:
        known = _activation(info, objects)
        for rule, program in programs:
            verdict = _verdict(rule, program, known)
            if isinstance(verdict, Problem):
                if rule.name not in told:  # once, not once for every job
                    told.add(rule.name)
                    yield verdict
            elif not verdict:
                yield _finding(rule, info)

    return inspect, broken


def _activation(info: Info, objects: tuple[Object, ...]) -> dict[str, Any]:
    """What an expression can name."""
    return {
        "trainjob": json_to_cel(info.spec.job.document.root),
        "runtime": json_to_cel(info.spec.runtime.document.root),
        "manifests": json_to_cel([dict(each.manifest) for each in objects]),
    }


def _verdict(rule: Rule, program: Any, known: dict[str, Any]) -> bool | Problem:
    try:
        value = program.evaluate(known)
    except CELEvalError as error:
        return _broken(rule, f"cannot be evaluated: {_reason(error)}")
    except _Endless:
        return _broken(rule, f"takes more than {MAX_ROUNDS} rounds of loops")
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


def _broken(rule: Rule, message: str) -> Problem:
    hint = "names: trainjob, runtime, manifests; guard optional fields with has(...)"
    return Problem(f"rule {rule.name} {message}", rule.mark, field="expression", hint=hint)


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
